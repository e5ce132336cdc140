#include "tests/sim/staged_store.h"

#include "engine/base/check.h"

namespace posthorn::sim {

namespace {

const Error kFailed{ErrorKind::kIo, "the disk did not take what was to be synced"};

}  // namespace

Status StagedStore::health() const { return broken_ ? Status(kFailed) : Status(); }

Status StagedStore::write(const WriteBatch& batch, Sync) {
    if (broken_) return kFailed;
    staged_.push_back(batch);
    return {};
}

Status StagedStore::sync() {
    if (failing_) {
        broken_ = true;
        return kFailed;
    }
    for (const WriteBatch& batch : staged_) make_durable(batch);
    staged_.clear();
    return {};
}

void StagedStore::crash(std::size_t survivors) {
    CHECK(survivors <= staged_.size());
    for (std::size_t i = 0; i < survivors; ++i) make_durable(staged_[i]);
    staged_.clear();
    repair();
}

void StagedStore::make_durable(const WriteBatch& batch) {
    if (observer_) observer_(batch);
    CHECK(durable_->write(batch));
}

Result<std::unique_ptr<SortedFileWriter>> StagedStore::sorted_file(Family, const std::string&) {
    return Error{ErrorKind::kInvalid, "a simulated store takes no files"};
}

Status StagedStore::ingest(const std::vector<SortedFile>&) {
    return Error{ErrorKind::kInvalid, "a simulated store takes no files"};
}

}  // namespace posthorn::sim
