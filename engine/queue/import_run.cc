#include "engine/queue/import_run.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "engine/base/check.h"
#include "engine/base/hash.h"
#include "engine/queue/durable_file.h"
#include "engine/queue/keys.h"

namespace posthorn {

namespace {

constexpr std::size_t kFrameBytes = std::size_t{64} << 10;  // of records, before a frame is written
constexpr std::size_t kHeaderBytes = 12;
constexpr std::size_t kFrameBytesMax = kFrameBytes + kImportRowBytesMax + 32;
constexpr std::size_t kDomainOverhead = 96;  // of a node of the map

}  // namespace

// ---- RunWriter

Result<RunWriter> RunWriter::create(const std::string& path) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) return system_error("cannot write", path, errno);
    RunWriter writer(path, file);
    writer.frame_.assign(kHeaderBytes, '\0');
    return writer;
}

RunWriter::RunWriter(RunWriter&& other) noexcept
    : path_(std::move(other.path_)),
      file_(std::exchange(other.file_, -1)),
      frame_(std::move(other.frame_)),
      records_(other.records_),
      bytes_(other.bytes_) {}

RunWriter::~RunWriter() {
    if (file_ >= 0) ::close(file_);
}

Status RunWriter::put(const RunRecord& record) {
    put_string(frame_, record.key);
    put_varint(frame_, record.row_number);
    put_string(frame_, record.row);
    ++records_;
    if (frame_.size() < kHeaderBytes + kFrameBytes) return {};
    return write_frame();
}

Status RunWriter::write_frame() {
    const std::string_view records = std::string_view(frame_).substr(kHeaderBytes);
    std::string header;
    put_u32(header, static_cast<std::uint32_t>(records.size()));
    put_u64(header, hash64(records));
    frame_.replace(0, kHeaderBytes, header);
    std::string_view rest = frame_;
    while (!rest.empty()) {
        const ssize_t count = ::write(file_, rest.data(), rest.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return system_error("cannot write", path_, errno);
        rest.remove_prefix(static_cast<std::size_t>(count));
    }
    bytes_ += frame_.size();
    frame_.resize(kHeaderBytes);
    return {};
}

Status RunWriter::finish() {
    if (frame_.size() > kHeaderBytes) RETURN_IF_ERROR(write_frame());
    if (::fdatasync(file_) != 0) return system_error("cannot sync", path_, errno);
    ::close(std::exchange(file_, -1));
    return {};
}

// ---- RunReader

Result<RunReader> RunReader::open(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return system_error("cannot open", path, errno);
    return RunReader(path, file);
}

RunReader::RunReader(RunReader&& other) noexcept
    : path_(std::move(other.path_)),
      file_(std::exchange(other.file_, -1)),
      frame_(std::move(other.frame_)),
      rest_(other.rest_),
      record_(other.record_) {}

RunReader::~RunReader() {
    if (file_ >= 0) ::close(file_);
}

Error RunReader::damaged() const {
    return {ErrorKind::kCorrupt,
            path_ + " is damaged: remove its directory, and the import begins anew"};
}

Result<std::size_t> RunReader::read(char* out, std::size_t bytes) {
    std::size_t size = 0;
    while (size < bytes) {
        const ssize_t count = ::read(file_, out + size, bytes - size);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return system_error("cannot read", path_, errno);
        if (count == 0) break;
        size += static_cast<std::size_t>(count);
    }
    return size;
}

Result<bool> RunReader::read_frame() {
    std::string header(kHeaderBytes, '\0');
    auto size = read(header.data(), header.size());
    if (!size) return size.error();
    if (*size == 0) return false;
    ByteReader in(header);
    const std::uint32_t bytes = in.u32();
    const std::uint64_t hash = in.u64();
    if (*size != kHeaderBytes || bytes == 0 || bytes > kFrameBytesMax) return damaged();
    frame_->resize(bytes);
    size = read(frame_->data(), bytes);
    if (!size) return size.error();
    if (*size != bytes || hash64(*frame_) != hash) return damaged();
    rest_ = ByteReader(*frame_);
    return true;
}

Result<bool> RunReader::next() {
    if (rest_.rest().empty()) {
        const auto more = read_frame();
        if (!more || !*more) return more;
    }
    record_.key = rest_.string();
    record_.row_number = rest_.varint();
    record_.row = rest_.string();
    if (!rest_.ok()) return damaged();
    return true;
}

// ---- RunBuffer

std::size_t RunBuffer::Hash::operator()(std::string_view text) const { return hash64(text); }

std::uint32_t RunBuffer::number_of(std::string_view domain) {
    if (domain == last_domain_ && !entries_.empty()) return last_number_;
    auto found = domains_.find(domain);
    if (found == domains_.end()) {
        found = domains_.emplace(domain, static_cast<std::uint32_t>(domains_.size())).first;
        domain_bytes_ += domain.size() + kDomainOverhead;
    }
    last_domain_ = domain;
    return last_number_ = found->second;
}

void RunBuffer::add(std::string_view domain, std::string_view local, std::string_view row,
                    std::uint64_t row_number) {
    const std::uint32_t number = number_of(domain);
    const std::size_t offset = arena_.size();
    put_varint(arena_, row_number);
    put_varint(arena_, local.size());
    const std::size_t local_at = arena_.size();
    append_folded(arena_, local);
    const std::uint32_t hash = hash32(std::string_view(arena_).substr(local_at));
    put_string(arena_, row);
    entries_.push_back({std::uint64_t{number} << 32 | hash, offset});
}

std::size_t RunBuffer::bytes() const {
    return arena_.size() + entries_.size() * sizeof(Entry) + domain_bytes_;
}

// Gives the domains in order, and each entry the rank of its domain in place of its number.
std::vector<std::string_view> RunBuffer::rank_domains() {
    std::vector<std::pair<std::string_view, std::uint32_t>> numbered;
    numbered.reserve(domains_.size());
    for (const auto& [domain, number] : domains_) numbered.emplace_back(domain, number);
    std::sort(numbered.begin(), numbered.end());
    std::vector<std::uint32_t> ranks(numbered.size());
    std::vector<std::string_view> domains(numbered.size());
    for (std::uint32_t rank = 0; rank < numbered.size(); ++rank) {
        ranks[numbered[rank].second] = rank;
        domains[rank] = numbered[rank].first;
    }
    for (Entry& entry : entries_) {
        const std::uint64_t rank = ranks[entry.order >> 32];
        entry.order = rank << 32 | (entry.order & UINT32_MAX);
    }
    return domains;
}

Status RunBuffer::sort_into(RunWriter& writer) {
    const std::vector<std::string_view> domains = rank_domains();
    const auto fields = [this](const Entry& entry) {
        ByteReader in(std::string_view(arena_).substr(entry.offset));
        const std::uint64_t row_number = in.varint();
        const std::string_view local = in.string();
        return std::pair(local, row_number);
    };
    std::sort(entries_.begin(), entries_.end(), [&](const Entry& a, const Entry& b) {
        if (a.order != b.order) return a.order < b.order;
        return fields(a) < fields(b);
    });
    std::string key;
    for (const Entry& entry : entries_) {
        ByteReader in(std::string_view(arena_).substr(entry.offset));
        RunRecord record;
        record.row_number = in.varint();
        const std::string_view local = in.string();
        record.row = in.string();
        key.assign(domains[entry.order >> 32]);
        key.push_back('\0');
        put_u32(key, static_cast<std::uint32_t>(entry.order));
        key.append(local);
        record.key = key;
        RETURN_IF_ERROR(writer.put(record));
    }
    arena_.clear();
    entries_.clear();
    domains_.clear();
    domain_bytes_ = 0;
    last_domain_.clear();
    return {};
}

}  // namespace posthorn
