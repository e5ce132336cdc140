#include "engine/queue/memory_store.h"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <set>

#include "engine/base/check.h"

namespace posthorn {

namespace {

using Rows = std::vector<std::pair<std::string, std::string>>;

// One value of a key, from its sequence to that of the next newer one. Never moves: cursors hold
// views of it.
struct Version {
    std::uint64_t sequence = 0;
    std::optional<std::string> value;  // none: erased
    std::unique_ptr<Version> older;

    ~Version() {
        // One after the other: a chain may be too long for recursion.
        while (older) older = std::move(older->older);
    }
};

using Table = std::map<std::string, std::unique_ptr<Version>, std::less<>>;

class MemoryStore final : public Store {
  public:
    Result<std::optional<std::string>> get(Family family, std::string_view key) const override;
    std::unique_ptr<Cursor> cursor(Family family, std::string_view lower,
                                   std::string_view upper) const override;
    Status write(const WriteBatch& batch, Sync) override;
    Result<std::unique_ptr<SortedFileWriter>> sorted_file(Family family,
                                                          const std::string& path) override;
    Status ingest(const std::vector<SortedFile>& files) override;
    Status health() const override { return {}; }
    Durability durability() const override { return Durability::kNone; }
    std::uint64_t bytes_on_disk() const override { return 0; }
    std::uint64_t approximate_count(Family family) const override;
    void compact(Family, std::string_view, std::string_view) override {}

  private:
    friend class MemoryCursor;
    friend class MemoryFileWriter;

    Table& table(Family family) const { return tables_[static_cast<std::size_t>(family)]; }
    void set(Family family, std::string_view key, std::optional<std::string> value);
    void change(Family family, Table::iterator at, std::optional<std::string> value);
    Status check_overlap(const SortedFile& file, const Rows& rows) const;
    void close(std::uint64_t snapshot) const;

    mutable std::mutex mutex_;
    mutable std::array<Table, kFamilyCount> tables_;
    mutable std::multiset<std::uint64_t> snapshots_;                  // of open cursors
    mutable std::vector<std::pair<Family, std::string>> superseded_;  // keys with older versions
    std::map<std::string, Rows> files_;                               // written, not ingested
    std::uint64_t sequence_ = 0;
};

class MemoryCursor final : public Cursor {
  public:
    MemoryCursor(const MemoryStore& store, Family family, std::string_view lower,
                 std::string_view upper)
        : store_(store), table_(store.table(family)), lower_(lower), upper_(upper) {
        snapshot_ = store.sequence_;
        store.snapshots_.insert(snapshot_);
    }
    ~MemoryCursor() override { store_.close(snapshot_); }

    void seek(std::string_view key) override {
        const std::lock_guard lock(store_.mutex_);
        settle(table_.lower_bound(std::max(key, std::string_view(lower_))));
    }
    void next() override {
        CHECK(valid());
        const std::lock_guard lock(store_.mutex_);
        settle(std::next(at_));
    }
    bool valid() const override { return value_ != nullptr; }
    std::string_view key() const override { return at_->first; }
    std::string_view value() const override { return *value_; }
    Status status() const override { return {}; }

  private:
    // The first key from here on that had a value when the cursor was made.
    void settle(Table::const_iterator from) {
        value_ = nullptr;
        for (at_ = from; at_ != table_.end() && (upper_.empty() || at_->first < upper_); ++at_) {
            const Version* version = at_->second.get();
            while (version != nullptr && version->sequence > snapshot_)
                version = version->older.get();
            if (version == nullptr || !version->value) continue;
            value_ = &*version->value;
            return;
        }
    }

    const MemoryStore& store_;
    const Table& table_;
    std::string lower_, upper_;
    std::uint64_t snapshot_;
    Table::const_iterator at_;
    const std::string* value_ = nullptr;
};

class MemoryFileWriter final : public SortedFileWriter {
  public:
    MemoryFileWriter(MemoryStore& store, std::string path)
        : store_(store), path_(std::move(path)) {}

    Status put(std::string_view key, std::string_view value) override {
        if (!rows_.empty() && key <= rows_.back().first)
            return Error{ErrorKind::kInvalid, path_ + ": the keys of a sorted file must ascend"};
        rows_.emplace_back(key, value);
        return {};
    }
    Status finish() override {
        if (rows_.empty())
            return Error{ErrorKind::kInvalid, path_ + ": a sorted file without entries"};
        const std::lock_guard lock(store_.mutex_);
        store_.files_[path_] = rows_;
        return {};
    }
    std::uint64_t entries() const override { return rows_.size(); }

  private:
    MemoryStore& store_;
    std::string path_;
    Rows rows_;
};

Result<std::optional<std::string>> MemoryStore::get(Family family, std::string_view key) const {
    const std::lock_guard lock(mutex_);
    const auto found = table(family).find(key);
    if (found == table(family).end()) return std::optional<std::string>();
    return found->second->value;
}

std::unique_ptr<Cursor> MemoryStore::cursor(Family family, std::string_view lower,
                                            std::string_view upper) const {
    const std::lock_guard lock(mutex_);
    return std::make_unique<MemoryCursor>(*this, family, lower, upper);
}

void MemoryStore::change(Family family, Table::iterator at, std::optional<std::string> value) {
    std::unique_ptr<Version>& head = at->second;
    if (snapshots_.empty()) {
        if (!value) {
            table(family).erase(at);
        } else {
            head->value = std::move(value);
            head->sequence = sequence_;
        }
        return;
    }
    auto version = std::make_unique<Version>();
    version->sequence = sequence_;
    version->value = std::move(value);
    version->older = std::move(head);
    head = std::move(version);
    superseded_.emplace_back(family, at->first);
}

void MemoryStore::set(Family family, std::string_view key, std::optional<std::string> value) {
    Table& rows = table(family);
    const auto at = rows.lower_bound(key);
    if (at != rows.end() && at->first == key) {
        change(family, at, std::move(value));
        return;
    }
    if (!value) return;
    auto version = std::make_unique<Version>();
    version->sequence = sequence_;
    version->value = std::move(value);
    rows.emplace_hint(at, key, std::move(version));
}

Status MemoryStore::write(const WriteBatch& batch, Sync) {
    const std::lock_guard lock(mutex_);
    ++sequence_;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        const WriteBatch::Operation operation = batch[i];
        switch (operation.kind) {
            case WriteBatch::Kind::kPut:
                set(operation.family, operation.key, std::string(operation.value));
                break;
            case WriteBatch::Kind::kErase:
                set(operation.family, operation.key, {});
                break;
            case WriteBatch::Kind::kEraseRange: {
                Table& rows = table(operation.family);
                auto at = rows.lower_bound(operation.key);
                while (at != rows.end() && at->first < operation.value)
                    change(operation.family, at++, {});
                break;
            }
        }
    }
    return {};
}

void MemoryStore::close(std::uint64_t snapshot) const {
    const std::lock_guard lock(mutex_);
    snapshots_.erase(snapshots_.find(snapshot));
    if (!snapshots_.empty()) return;
    for (const auto& [family, key] : superseded_) {
        const auto at = table(family).find(key);
        if (at == table(family).end()) continue;
        at->second->older.reset();
        if (!at->second->value) table(family).erase(at);
    }
    superseded_.clear();
}

Result<std::unique_ptr<SortedFileWriter>> MemoryStore::sorted_file(Family,
                                                                   const std::string& path) {
    return std::unique_ptr<SortedFileWriter>(std::make_unique<MemoryFileWriter>(*this, path));
}

Status MemoryStore::check_overlap(const SortedFile& file, const Rows& rows) const {
    const Table& present = table(file.family);
    for (auto at = present.lower_bound(rows.front().first);
         at != present.end() && at->first <= rows.back().first; ++at)
        if (at->second->value)
            return Error{ErrorKind::kConflict, file.path + ": the store holds keys in its range"};
    return {};
}

Status MemoryStore::ingest(const std::vector<SortedFile>& files) {
    const std::lock_guard lock(mutex_);
    std::map<std::pair<Family, std::string_view>, std::string_view> ranges;  // first to last key
    for (const SortedFile& file : files) {
        const auto written = files_.find(file.path);
        if (written == files_.end())
            return Error{ErrorKind::kNotFound, file.path + ": no such sorted file"};
        const Rows& rows = written->second;
        RETURN_IF_ERROR(check_overlap(file, rows));
        const std::string_view first = rows.front().first, last = rows.back().first;
        const auto [at, fresh] = ranges.emplace(std::pair{file.family, first}, last);
        const auto after = std::next(at);
        const bool behind = at != ranges.begin() && std::prev(at)->first.first == file.family &&
                            std::prev(at)->second >= first;
        const bool ahead = after != ranges.end() && after->first.first == file.family &&
                           after->first.second <= last;
        if (!fresh || behind || ahead)
            return Error{ErrorKind::kConflict, file.path + ": overlaps another of the files"};
    }
    ++sequence_;
    for (const SortedFile& file : files) {
        const auto written = files_.find(file.path);
        for (auto& [key, value] : written->second) set(file.family, key, std::move(value));
    }
    for (const SortedFile& file : files) files_.erase(file.path);
    return {};
}

std::uint64_t MemoryStore::approximate_count(Family family) const {
    const std::lock_guard lock(mutex_);
    return table(family).size();
}

}  // namespace

std::unique_ptr<Store> make_memory_store() { return std::make_unique<MemoryStore>(); }

}  // namespace posthorn
