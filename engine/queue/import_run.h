// Runs: rows of an audience sorted by key, in a buffer and in files. A file is read once, in order,
// through a bounded buffer, and every byte of it is checked.
//
//   run    := frame*         frame := u32(bytes) u64(hash64(record*)) record*
//   record := string(key) varint(row number) string(row)
//
// A key is an audience key without its campaign. Private to the import.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/result.h"

namespace posthorn {

inline constexpr std::size_t kImportRowBytesMax = std::size_t{1} << 20;  // key and row of a record

// Views are good until the next record is read.
struct RunRecord {
    std::string_view key;
    std::uint64_t row_number = 0;
    std::string_view row;
};

class RunWriter {
  public:
    static Result<RunWriter> create(const std::string& path);
    RunWriter(RunWriter&& other) noexcept;
    ~RunWriter();

    Status put(const RunRecord& record);
    Status finish();  // synced and closed
    std::uint64_t records() const { return records_; }
    std::uint64_t bytes() const { return bytes_; }

  private:
    RunWriter(std::string path, int file) : path_(std::move(path)), file_(file) {}
    Status write_frame();

    std::string path_;
    int file_;
    std::string frame_;  // header and records of the frame being filled
    std::uint64_t records_ = 0;
    std::uint64_t bytes_ = 0;
};

class RunReader {
  public:
    static Result<RunReader> open(const std::string& path);
    RunReader(RunReader&& other) noexcept;
    ~RunReader();

    Result<bool> next();  // false at the end
    const RunRecord& record() const { return record_; }

  private:
    RunReader(std::string path, int file) : path_(std::move(path)), file_(file) {}
    Result<bool> read_frame();
    Result<std::size_t> read(char* out, std::size_t bytes);
    Error damaged() const;

    std::string path_;
    int file_;
    std::unique_ptr<std::string> frame_ = std::make_unique<std::string>();  // views survive a move
    ByteReader rest_{{}};
    RunRecord record_;
};

// The run being filled. Sorts by numbers: the rank of the domain among those of the run, then the
// hash of the local part, and looks at bytes only where both are equal.
class RunBuffer {
  public:
    void add(std::string_view domain, std::string_view local, std::string_view row,
             std::uint64_t row_number);
    bool empty() const { return entries_.empty(); }
    std::size_t bytes() const;            // of memory, nearly
    Status sort_into(RunWriter& writer);  // and is empty then

  private:
    struct Entry {
        std::uint64_t order;  // domain, then hash of the local part, 32 bits each
        std::size_t offset;   // of its record in the arena: row number, folded local part, row
    };
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const;
    };
    std::uint32_t number_of(std::string_view domain);
    std::vector<std::string_view> rank_domains();

    std::string arena_;
    std::vector<Entry> entries_;
    std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> domains_;
    std::size_t domain_bytes_ = 0;
    std::string last_domain_;
    std::uint32_t last_number_ = 0;
};

}  // namespace posthorn
