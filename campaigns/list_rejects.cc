#include "campaigns/list_rejects.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "engine/mail/utf8.h"

namespace posthorn {

namespace {

constexpr std::string_view kHeader = "row,line,email,reason\n";
constexpr std::size_t kPendingBytesMax = 64 * 1024;

}  // namespace

ListRejects::~ListRejects() {
    if (file_ < 0) return;
    (void)write_pending().has_value();
    close(file_);
}

Status ListRejects::open(const std::string& path, std::uint64_t bytes) {
    path_ = path;
    file_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct stat status;
    if (file_ < 0 || fstat(file_, &status) != 0 || ftruncate(file_, static_cast<off_t>(bytes)) != 0)
        return Error{ErrorKind::kIo, path_ + " cannot be written: " + std::strerror(errno)};
    if (static_cast<std::uint64_t>(status.st_size) < bytes)
        return Error{ErrorKind::kCorrupt, path_ + " is shorter than it was"};
    if (lseek(file_, 0, SEEK_END) < 0)
        return Error{ErrorKind::kIo, path_ + " cannot be written: " + std::strerror(errno)};
    written_ = bytes;
    if (bytes == 0) pending_ = kHeader;
    return {};
}

void ListRejects::add(std::uint64_t row, std::uint64_t line, std::string_view email,
                      std::string_view reason) {
    if (file_ < 0) return;
    pending_ += std::to_string(row) + "," + std::to_string(line) + ",";
    append_csv_cell(pending_, email.substr(0, kMaxRejectedBytes));
    pending_.push_back(',');
    append_csv_cell(pending_, reason);
    pending_.push_back('\n');
    if (pending_.size() > kPendingBytesMax) failed_ = !write_pending().has_value() || failed_;
}

Status ListRejects::write_pending() {
    std::string_view rest = pending_;
    while (!rest.empty()) {
        const ssize_t count = write(file_, rest.data(), rest.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0)
            return Error{ErrorKind::kIo, path_ + " cannot be written: " + std::strerror(errno)};
        rest.remove_prefix(static_cast<std::size_t>(count));
    }
    written_ += pending_.size();
    pending_.clear();
    return {};
}

Status ListRejects::sync() {
    if (file_ < 0) return {};
    if (failed_) return Error{ErrorKind::kIo, path_ + " could not be written"};
    RETURN_IF_ERROR(write_pending());
    if (fdatasync(file_) != 0)
        return Error{ErrorKind::kIo, path_ + " cannot be synced: " + std::strerror(errno)};
    return {};
}

void append_csv_cell(std::string& out, std::string_view text) {
    constexpr std::string_view kFormulaStarts = "=+-@\t\r\n|%";
    const bool formula = !text.empty() && kFormulaStarts.find(text.front()) != text.npos;
    const bool quote = formula || text.find_first_of(",;\"\r\n\t") != std::string_view::npos;
    if (quote) out.push_back('"');
    if (formula) out.push_back('\'');
    while (!text.empty()) {
        const std::string_view before = text;
        const CodePoint point = take_code_point(text);
        if (point.value == '"') {
            out += "\"\"";
        } else if (!point.valid || (point.value < 0x20 && point.value != '\n') ||
                   point.value == 0x7f) {
            append_utf8(out, kReplacementCharacter);
        } else {
            out.append(before.substr(0, before.size() - text.size()));
        }
    }
    if (quote) out.push_back('"');
}

}  // namespace posthorn
