// The bytes of a list, in order: a file, a gzipped file, or text in memory, seen through one reused
// buffer. Knows how far it has been consumed, and the XXH3 hash of all that was, so that reading
// can go on after a restart and a list changed meanwhile is noticed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace posthorn {

inline constexpr std::size_t kListBlockBytes = 256 * 1024;    // one read(2)
inline constexpr std::size_t kMaxListRowBytes = 1024 * 1024;  // more is an unclosed quote

// What tells a file from a changed one, without reading it.
struct ListIdentity {
    std::uint64_t bytes = 0;
    std::int64_t modified_micros = 0;  // since 1970

    friend bool operator==(const ListIdentity&, const ListIdentity&) = default;
};

class ListInput {
  public:
    static Result<std::unique_ptr<ListInput>> of_file(const std::string& path, bool gzip);
    static std::unique_ptr<ListInput> of_text(std::string_view text);  // outlives the input

    ~ListInput();
    ListInput(const ListInput&) = delete;
    ListInput& operator=(const ListInput&) = delete;

    // What was read and not consumed; views live until the next fill().
    std::string_view window() const { return {buffer_ + front_, back_ - front_}; }

    // Adds a block to the window. At the end of the list it adds nothing and at_end() is true.
    Status fill();
    bool at_end() const { return at_end_; }  // the window is the rest

    void consume(std::size_t bytes) { front_ += bytes; }

    std::uint64_t offset() const { return base_ + front_; }  // bytes consumed, uncompressed
    std::uint64_t prefix_hash();                             // of the bytes consumed
    const ListIdentity& identity() const { return identity_; }

    // Consumes up to an offset not before the present one; false when the list ends before it.
    Result<bool> skip_to(std::uint64_t offset);

  private:
    class Bytes;  // a file or gzip stream, and the hash's state

    ListInput();
    void hash_consumed();

    std::unique_ptr<Bytes> bytes_;
    std::unique_ptr<char[]> owned_;
    char* buffer_ = nullptr;
    std::size_t capacity_ = 0;
    std::size_t front_ = 0, back_ = 0;
    std::size_t hashed_ = 0;  // in the buffer, up to here the hash is done
    std::uint64_t base_ = 0;  // offset of the buffer's first byte
    bool at_end_ = false;
    ListIdentity identity_;
};

}  // namespace posthorn
