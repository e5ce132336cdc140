#include "tools/sink/ledger.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "engine/base/units.h"
#include "tools/sink/json_text.h"

namespace posthorn::sink {

namespace {

constexpr std::size_t kBlockBytes = std::size_t{256} * 1024;
constexpr std::int64_t kMicros = 1'000'000;

void append_number(std::string& out, std::uint64_t number) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    out.append(digits, end);
}

}  // namespace

void LedgerLines::append_time(WallTime time) {
    const std::int64_t micros = to_micros(time);
    if (micros / kMicros != second_number_) {
        second_number_ = micros / kMicros;
        second_ = rfc3339(time).substr(0, std::strlen("2026-04-02T07:00:00"));
    }
    text_ += second_;
    char fraction[] = ".000000Z";
    std::int64_t rest = micros % kMicros;
    for (int i = 6; i >= 1; --i, rest /= 10) fraction[i] = static_cast<char>('0' + rest % 10);
    text_ += fraction;
}

void LedgerLines::add(const Accepted& accepted) {
    text_ += R"({"time":")";
    append_time(accepted.time);
    text_ += R"(","recipient":)";
    append_json_string(text_, accepted.recipient);
    text_ += R"(,"sender":)";
    append_json_string(text_, accepted.sender);
    text_ += R"(,"message_id":)";
    append_json_string(text_, accepted.message_id);
    text_ += R"(,"bytes":)";
    append_number(text_, accepted.bytes);
    text_ += R"(,"session":)";
    append_number(text_, accepted.session);
    text_ += accepted.tls ? ",\"tls\":true}\n" : ",\"tls\":false}\n";
}

Ledger::~Ledger() {
    if (file_ < 0) return;
    flush();
    ::close(file_);
}

Status Ledger::open(const std::string& path) {
    file_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file_ >= 0) return {};
    return Error{ErrorKind::kIo, "ledger " + path + ": " + std::strerror(errno)};
}

void Ledger::add(const Accepted& accepted) {
    if (file_ < 0) return;
    lines_.add(accepted);
    if (lines_.text().size() >= kBlockBytes) flush();
}

void Ledger::flush() {
    std::string_view rest = lines_.text();
    while (!rest.empty()) {
        const ssize_t written = ::write(file_, rest.data(), rest.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) {
            std::fprintf(stderr, "posthorn-sink: the ledger: %s\n", std::strerror(errno));
            std::_Exit(1);
        }
        rest.remove_prefix(static_cast<std::size_t>(written));
    }
    lines_.clear();
}

}  // namespace posthorn::sink
