// A store in memory with an explicit boundary: what is written is staged, seen by nobody and lost
// in a crash; sync() makes it durable as a whole, batch by batch in order, never a part of one. A
// crash may also find that a batch had reached the disk just before, unacknowledged.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "engine/queue/memory_store.h"
#include "engine/queue/store.h"

namespace posthorn::sim {

class StagedStore final : public Store {
  public:
    using Observer = std::function<void(const WriteBatch&)>;  // of what is becoming durable

    // Called before the batch is visible, so that the observer still reads what was there.
    void on_durable(Observer observer) { observer_ = std::move(observer); }

    Status sync();                      // all that is staged, or an error if a failure was ordered
    void crash(std::size_t survivors);  // the first staged batches survive, the others are gone
    std::size_t staged() const { return staged_.size(); }
    void fail_next_sync() { failing_ = true; }
    void fail_for_good() { broken_ = true; }  // as a store does after a failed sync
    void repair() { broken_ = failing_ = false; }

    Result<std::optional<std::string>> get(Family family, std::string_view key) const override {
        return durable_->get(family, key);
    }
    std::unique_ptr<Cursor> cursor(Family family, std::string_view lower,
                                   std::string_view upper) const override {
        return durable_->cursor(family, lower, upper);
    }
    Status write(const WriteBatch& batch, Sync) override;
    Result<std::unique_ptr<SortedFileWriter>> sorted_file(Family, const std::string&) override;
    Status ingest(const std::vector<SortedFile>&) override;
    Status health() const override;
    Durability durability() const override { return Durability::kPower; }
    std::uint64_t bytes_on_disk() const override { return 0; }
    std::uint64_t approximate_count(Family family) const override {
        return durable_->approximate_count(family);
    }
    void compact(Family, std::string_view, std::string_view) override {}

  private:
    void make_durable(const WriteBatch& batch);

    std::unique_ptr<Store> durable_ = make_memory_store();
    std::vector<WriteBatch> staged_;
    Observer observer_;
    bool failing_ = false;
    bool broken_ = false;
};

}  // namespace posthorn::sim
