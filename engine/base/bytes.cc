#include "engine/base/bytes.h"

#include "engine/base/check.h"

namespace posthorn {

namespace {

constexpr std::size_t kKeptCapacity =
    4 * 1024;  // thousands of idle queues may exist: larger buffers go back

template <class T>
void put_big_endian(std::string& out, T value) {
    for (int shift = static_cast<int>(sizeof(T)) * 8 - 8; shift >= 0; shift -= 8)
        out.push_back(static_cast<char>((value >> shift) & 0xff));
}

}  // namespace

void put_u8(std::string& out, std::uint8_t value) { out.push_back(static_cast<char>(value)); }
void put_u16(std::string& out, std::uint16_t value) { put_big_endian(out, value); }
void put_u32(std::string& out, std::uint32_t value) { put_big_endian(out, value); }
void put_u64(std::string& out, std::uint64_t value) { put_big_endian(out, value); }

void put_varint(std::string& out, std::uint64_t value) {
    while (value >= 0x80) {
        out.push_back(static_cast<char>((value & 0x7f) | 0x80));
        value >>= 7;
    }
    out.push_back(static_cast<char>(value));
}

void put_string(std::string& out, std::string_view bytes) {
    put_varint(out, bytes.size());
    out.append(bytes);
}

void ByteReader::fail() {
    ok_ = false;
    rest_ = {};
}

std::uint64_t ByteReader::big_endian(std::size_t count) {
    std::uint64_t value = 0;
    for (const char c : bytes(count)) value = (value << 8) | static_cast<unsigned char>(c);
    return value;
}

std::uint8_t ByteReader::u8() { return static_cast<std::uint8_t>(big_endian(1)); }
std::uint16_t ByteReader::u16() { return static_cast<std::uint16_t>(big_endian(2)); }
std::uint32_t ByteReader::u32() { return static_cast<std::uint32_t>(big_endian(4)); }
std::uint64_t ByteReader::u64() { return big_endian(8); }

std::uint64_t ByteReader::varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (rest_.empty()) break;
        const auto byte = static_cast<unsigned char>(rest_.front());
        if (shift == 63 && byte > 1) break;  // would not fit into 64 bits
        rest_.remove_prefix(1);
        value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
        if (byte < 0x80) return value;
    }
    fail();
    return 0;
}

std::string_view ByteReader::string() {
    const std::uint64_t length = varint();
    if (length > rest_.size()) {
        fail();
        return {};
    }
    return bytes(static_cast<std::size_t>(length));
}

std::string_view ByteReader::bytes(std::size_t count) {
    if (count > rest_.size()) {
        fail();
        return {};
    }
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
}

std::string_view ByteReader::until(char delimiter) {
    const std::size_t at = rest_.find(delimiter);
    if (at == std::string_view::npos) {
        fail();
        return {};
    }
    const std::string_view taken = rest_.substr(0, at);
    rest_.remove_prefix(at + 1);
    return taken;
}

void ByteQueue::consume(std::size_t count) {
    CHECK(count <= size());
    front_ += count;
    if (front_ == buffer_.size()) {
        clear();
    } else if (front_ > buffer_.size() / 2) {
        buffer_.erase(0, front_);
        front_ = 0;
    }
}

void ByteQueue::clear() {
    if (buffer_.capacity() > kKeptCapacity) {
        std::string().swap(buffer_);
    } else {
        buffer_.clear();
    }
    front_ = 0;
}

}  // namespace posthorn
