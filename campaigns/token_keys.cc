#include <fcntl.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "campaigns/unsubscribe_token.h"
#include "engine/base/bytes.h"
#include "engine/mail/encodings.h"

namespace posthorn {
namespace {

constexpr std::size_t kIdDigits = 8, kKeyDigits = 128;
constexpr std::size_t kLineBytes = kIdDigits + 1 + kKeyDigits + 1;
constexpr std::size_t kKeysMax = 1000;

Error io_error(const std::string& path, const char* what) {
    return {ErrorKind::kIo, path + ": " + what + ": " + std::strerror(errno)};
}

void append_hex(std::string& out, std::string_view bytes) {
    constexpr char kHex[] = "0123456789abcdef";
    for (char c : bytes) {
        out.push_back(kHex[static_cast<unsigned char>(c) >> 4]);
        out.push_back(kHex[static_cast<unsigned char>(c) & 15]);
    }
}

bool parse_hex(std::string_view digits, std::string& out) {
    constexpr std::string_view kHex = "0123456789abcdef";
    out.clear();
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
        const std::size_t high = kHex.find(digits[i]), low = kHex.find(digits[i + 1]);
        if (high == kHex.npos || low == kHex.npos) return false;
        out.push_back(static_cast<char>(high << 4 | low));
    }
    return true;
}

std::string line_of(const TokenKey& key) {
    std::string id, line;
    put_u32(id, key.id);
    append_hex(line, id);
    line.push_back(' ');
    append_hex(line, {reinterpret_cast<const char*>(key.bytes.data()), key.bytes.size()});
    return line + '\n';
}

bool parse_line(std::string_view line, TokenKey& key) {
    std::string id, bytes;
    if (line.size() != kLineBytes || line[kIdDigits] != ' ' || line.back() != '\n') return false;
    if (!parse_hex(line.substr(0, kIdDigits), id)) return false;
    if (!parse_hex(line.substr(kIdDigits + 1, kKeyDigits), bytes)) return false;
    key.id = ByteReader(id).u32();
    std::memcpy(key.bytes.data(), bytes.data(), key.bytes.size());
    return true;
}

Result<TokenKeys> parse_keys(const std::string& path, std::string_view text) {
    std::vector<TokenKey> keys;
    for (; !text.empty(); text.remove_prefix(std::min(kLineBytes, text.size()))) {
        TokenKey key;
        if (!parse_line(text.substr(0, kLineBytes), key))
            return Error{ErrorKind::kCorrupt,
                         path +
                             ": not a file of token keys; restore it from a backup, or move it "
                             "away and lose the power to honour tokens sent so far"};
        keys.push_back(key);
    }
    if (keys.empty()) return Error{ErrorKind::kCorrupt, path + ": holds no key"};
    return TokenKeys(std::move(keys));
}

Result<std::string> read_private_file(int file, const std::string& path) {
    struct stat status {};
    if (fstat(file, &status) != 0) return io_error(path, "cannot be read");
    if ((status.st_mode & 077) != 0)
        return Error{ErrorKind::kInvalid,
                     path + ": others can read these keys; run chmod 600 on it"};
    std::string text;
    char buffer[4096];
    for (;;) {
        const ssize_t count = read(file, buffer, sizeof buffer);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return io_error(path, "cannot be read");
        if (count == 0) return text;
        text.append(buffer, static_cast<std::size_t>(count));
        if (text.size() > kKeysMax * kLineBytes)
            return Error{ErrorKind::kCorrupt, path + ": too large for a file of token keys"};
    }
}

// Written beside and linked into place: whoever comes second reads the first one's key.
Status create_file(const std::string& path, const TokenKey& key) {
    const std::string beside = path + ".new." + std::to_string(getpid());
    const int file = open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) return io_error(beside, "cannot be created");
    const std::string line = line_of(key);
    const bool written =
        write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size()) &&
        fsync(file) == 0;
    Status status;
    if (!written) status = io_error(beside, "cannot be written");
    close(file);
    if (written && link(beside.c_str(), path.c_str()) != 0 && errno != EEXIST)
        status = io_error(path, "cannot be created");
    unlink(beside.c_str());
    return status;
}

}  // namespace

Result<TokenKeys> TokenKeys::load_or_create(const std::string& path) {
    for (int tries = 0; tries < 2; ++tries) {
        const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        if (file >= 0) {
            Result<std::string> text = read_private_file(file, path);
            close(file);
            if (!text) return text.error();
            return parse_keys(path, *text);
        }
        if (errno != ENOENT) return io_error(path, "cannot be opened");
        TokenKey key;
        unsigned char id[4];
        if (RAND_priv_bytes(key.bytes.data(), static_cast<int>(key.bytes.size())) != 1 ||
            RAND_bytes(id, sizeof id) != 1)
            return Error{ErrorKind::kIo, path + ": the system gives no random bytes for a key"};
        key.id = ByteReader({reinterpret_cast<const char*>(id), sizeof id}).u32();
        RETURN_IF_ERROR(create_file(path, key));
    }
    return Error{ErrorKind::kIo, path + ": appears and vanishes"};
}

TokenKeys::TokenKeys(std::vector<TokenKey> keys) : keys_(std::move(keys)) { CHECK(!keys_.empty()); }

TokenSealer TokenKeys::sealer(TokenPurpose purpose, std::string_view campaign) const {
    return TokenSealer(keys_.back(), purpose, campaign);
}

std::string TokenKeys::seal(TokenPurpose purpose, std::string_view campaign,
                            std::string_view address) const {
    std::string out;
    sealer(purpose, campaign).append(out, address);
    return out;
}

Result<TokenContents> TokenKeys::open(std::string_view token) const {
    const Error refused{ErrorKind::kInvalid, "not a token of ours"};
    if (token.size() > kTokenBytesMax) return refused;
    const std::optional<std::string> bytes = decode_base64url(token);
    if (!bytes) return refused;
    ByteReader in(*bytes);
    const std::uint8_t version = in.u8();
    const std::uint32_t id = in.u32();
    const std::uint8_t purpose = in.u8();
    const std::string_view campaign = in.string();
    if (!in.ok() || version != 1 || purpose < 1 || purpose > 3 || campaign.size() > 255)
        return refused;
    TokenContents contents{static_cast<TokenPurpose>(purpose), std::string(campaign), {}};
    for (const TokenKey& key : keys_) {
        if (key.id != id) continue;
        const TokenSealer sealer(key, contents.purpose, campaign);
        // The head is canonical: another spelling of the same length prefix is refused.
        const std::size_t head_bytes = bytes->size() - in.rest().size();
        if (sealer.head_ == bytes->substr(0, head_bytes) &&
            sealer.unseal(in.rest(), contents.address))
            return contents;
    }
    return refused;
}

}  // namespace posthorn
