// Bytes in order: writing and reading of fixed big-endian integers, varints and length-prefixed
// strings (what keys and stored values are made of), and ByteQueue, the buffer between a socket and
// a parser.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace posthorn {

void put_u8(std::string& out, std::uint8_t value);
void put_u16(std::string& out, std::uint16_t value);  // big-endian, so that bytes sort as numbers
void put_u32(std::string& out, std::uint32_t value);
void put_u64(std::string& out, std::uint64_t value);
void put_varint(std::string& out, std::uint64_t value);     // LEB128, at most 10 bytes
void put_string(std::string& out, std::string_view bytes);  // varint length, then the bytes

// Reads what the put functions wrote. Never reads past the end: after the first short or malformed
// read ok() is false and every further read gives zero or an empty view. Views live as long as the
// input.
class ByteReader {
  public:
    explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

    std::uint8_t u8();
    std::uint16_t u16();
    std::uint32_t u32();
    std::uint64_t u64();
    std::uint64_t varint();
    std::string_view string();  // varint length, then the bytes
    std::string_view bytes(std::size_t count);
    std::string_view until(char delimiter);  // without the delimiter, which is consumed

    std::string_view rest() const { return rest_; }
    bool ok() const { return ok_; }
    bool at_end() const { return ok_ && rest_.empty(); }  // all read, nothing left over

  private:
    std::uint64_t big_endian(std::size_t count);
    void fail();

    std::string_view rest_;
    bool ok_ = true;
};

// First-in first-out bytes in one contiguous buffer. Appending is amortised constant; consuming
// moves an index and the bytes move only when the dead front is the larger part.
class ByteQueue {
  public:
    std::string_view view() const { return std::string_view(buffer_).substr(front_); }
    std::size_t size() const { return buffer_.size() - front_; }
    bool empty() const { return size() == 0; }

    void append(std::string_view bytes) { buffer_.append(bytes); }
    void consume(std::size_t count);
    void clear();

    // The buffer itself, for writers that append in place. Valid until the next call that changes
    // it.
    std::string& tail() { return buffer_; }

  private:
    std::string buffer_;
    std::size_t front_ = 0;
};

}  // namespace posthorn
