// The port to durable, ordered bytes: families of sorted keys, atomic batches, cursors, and
// ingestion of sorted files. Two stores implement it: RocksDB (rocks_store.h) and memory
// (memory_store.h). Safe to call from several threads; cursors and writers belong to one. A failed
// sync is final: every later write fails.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace posthorn {

enum class Family : std::uint8_t {
    kMeta,
    kCampaign,
    kContent,
    kAudience,
    kOrder,
    kLane,
    kLaneOrder,
    kOutcome,
    kRetry,
    kLease,
    kEvent,
    kSuppression,
    kState
};
inline constexpr std::size_t kFamilyCount = 13;
std::string_view name_of(Family family);

// What survives: power = a loss of power (WAL, synced per batch), process = the end of the process
// (WAL, not synced), none = what was flushed (no WAL).
enum class Durability : std::uint8_t { kPower, kProcess, kNone };
std::string_view name_of(Durability durability);
std::optional<Durability> parse_durability(std::string_view name);

// Puts and erasures that happen together or not at all, in the order given.
class WriteBatch {
  public:
    enum class Kind : std::uint8_t { kPut, kErase, kEraseRange };
    struct Operation {
        Family family;
        Kind kind;
        std::string_view key;    // first key of an erased range
        std::string_view value;  // of a put; end of an erased range, not itself erased
    };

    void put(Family family, std::string_view key, std::string_view value);
    void erase(Family family, std::string_view key);
    void erase_range(Family family, std::string_view begin, std::string_view end);

    bool empty() const { return entries_.empty(); }
    std::size_t size() const { return entries_.size(); }
    std::size_t bytes() const { return arena_.size(); }
    Operation operator[](std::size_t index) const;
    void clear();  // keeps its memory

  private:
    struct Entry {
        Family family;
        Kind kind;
        std::uint32_t key_bytes;
        std::uint32_t value_bytes;
        std::size_t offset;
    };
    void add(Family family, Kind kind, std::string_view key, std::string_view value);

    std::string arena_;
    std::vector<Entry> entries_;
};

// Walks keys in ascending byte order over the state at its creation. Views live until the next
// move.
class Cursor {
  public:
    virtual ~Cursor() = default;
    virtual void seek(std::string_view key) = 0;  // first key >= key
    virtual void next() = 0;                      // only when valid()
    virtual bool valid() const = 0;
    virtual std::string_view key() const = 0;
    virtual std::string_view value() const = 0;
    virtual Status status() const = 0;  // an error ends the walk: check when not valid()
};

// Writes one file of one family; keys must ascend strictly.
class SortedFileWriter {
  public:
    virtual ~SortedFileWriter() = default;
    virtual Status put(std::string_view key, std::string_view value) = 0;
    virtual Status finish() = 0;  // synced; at least one put must have gone before
    virtual std::uint64_t entries() const = 0;
};

struct SortedFile {
    Family family;
    std::string path;
};

class Store {
  public:
    virtual ~Store() = default;

    virtual Result<std::optional<std::string>> get(Family family, std::string_view key) const = 0;

    // Walks [lower, upper); an empty upper means to the end of the family. Invalid until its first
    // seek.
    virtual std::unique_ptr<Cursor> cursor(Family family, std::string_view lower,
                                           std::string_view upper) const = 0;

    // Durable to the store's level when it returns. kRelaxed skips the sync: for what can be made
    // again.
    enum class Sync : std::uint8_t { kDurable, kRelaxed };
    virtual Status write(const WriteBatch& batch, Sync sync = Sync::kDurable) = 0;

    virtual Result<std::unique_ptr<SortedFileWriter>> sorted_file(Family family,
                                                                  const std::string& path) = 0;

    // Makes the files part of the store, all or none, durably; moves them. kConflict when the range
    // of a file overlaps another's of its family or holds keys of the store.
    virtual Status ingest(const std::vector<SortedFile>& files) = 0;

    // What a write met that failed; final, so that every later write gives the same.
    virtual Status health() const = 0;

    virtual Durability durability() const = 0;
    virtual std::uint64_t bytes_on_disk() const = 0;  // tables and logs; 0 in memory
    virtual std::uint64_t approximate_count(Family family) const = 0;

    // Asks for the dead bytes of a key range to be removed, in the background.
    virtual void compact(Family family, std::string_view begin, std::string_view end) = 0;
};

// First key that no longer starts with prefix; empty when there is none.
std::string prefix_end(std::string_view prefix);

}  // namespace posthorn
