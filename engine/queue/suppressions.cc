#include "engine/queue/suppressions.h"

#include "engine/queue/keys.h"
#include "engine/queue/records.h"

namespace posthorn {

namespace {

constexpr std::size_t kChangesPerBatch = 1000;

bool selects(const Suppressions::Selection& selection, const SuppressionRecord& record) {
    return record.source == selection.source &&
           (!selection.since || record.since >= *selection.since);
}

}  // namespace

void Suppressions::append_add(WriteBatch& batch, const SuppressionRecord& record,
                              std::string_view scope) {
    batch.put(Family::kSuppression, suppression_key(scope, record.address), encode(record));
}

void Suppressions::append_remove(WriteBatch& batch, std::string_view address,
                                 std::string_view scope) {
    batch.erase(Family::kSuppression, suppression_key(scope, address));
}

Status Suppressions::add(const SuppressionRecord& record, std::string_view scope) {
    WriteBatch batch;
    append_add(batch, record, scope);
    return store_.write(batch);
}

Result<bool> Suppressions::remove(std::string_view address, std::string_view scope) {
    const auto found = find(address, scope);
    if (!found) return found.error();
    if (!*found) return false;
    WriteBatch batch;
    append_remove(batch, address, scope);
    RETURN_IF_ERROR(store_.write(batch));
    return true;
}

Result<bool> Suppressions::in_force(const Store& store, std::string_view key) {
    const auto stored = store.get(Family::kSuppression, key);
    if (!stored) return stored.error();
    if (!*stored) return false;
    const auto record = decode_suppression(**stored);
    if (!record) return record.error();
    return !record->quarantined;
}

Result<bool> Suppressions::contains(std::string_view address, std::string_view scope) const {
    return in_force(store_, suppression_key(scope, address));
}

Result<std::optional<SuppressionRecord>> Suppressions::find(std::string_view address,
                                                            std::string_view scope) const {
    const auto stored = store_.get(Family::kSuppression, suppression_key(scope, address));
    if (!stored) return stored.error();
    if (!*stored) return std::optional<SuppressionRecord>();
    auto record = decode_suppression(**stored);
    if (!record) return record.error();
    return std::optional(std::move(*record));
}

Status Suppressions::for_each(const Visitor& visit, std::string_view scope) const {
    const std::string prefix = suppression_scope_prefix(scope);
    const auto cursor = store_.cursor(Family::kSuppression, prefix, prefix_end(prefix));
    for (cursor->seek(prefix); cursor->valid(); cursor->next()) {
        const auto record = decode_suppression(cursor->value());
        if (!record) return record.error();
        if (!visit(*record)) return {};
    }
    return cursor->status();
}

// Counts the selected records and changes them, some at a time: a list may be long.
Result<std::uint64_t> Suppressions::change(const Selection& selection, std::string_view scope,
                                           const Change& make) {
    const std::string prefix = suppression_scope_prefix(scope);
    const auto cursor = store_.cursor(Family::kSuppression, prefix, prefix_end(prefix));
    std::uint64_t count = 0;
    WriteBatch batch;
    for (cursor->seek(prefix); cursor->valid(); cursor->next()) {
        auto record = decode_suppression(cursor->value());
        if (!record) return record.error();
        if (!selects(selection, *record)) continue;
        make(batch, cursor->key(), *record);
        ++count;
        if (batch.size() < kChangesPerBatch) continue;
        RETURN_IF_ERROR(store_.write(batch));
        batch.clear();
    }
    RETURN_IF_ERROR(cursor->status());
    if (!batch.empty()) RETURN_IF_ERROR(store_.write(batch));
    return count;
}

Result<std::uint64_t> Suppressions::remove(const Selection& selection, std::string_view scope) {
    return change(selection, scope,
                  [](WriteBatch& batch, std::string_view key, SuppressionRecord&) {
                      batch.erase(Family::kSuppression, key);
                  });
}

Result<std::uint64_t> Suppressions::set_quarantined(const Selection& selection, bool quarantined,
                                                    std::string_view scope) {
    return change(selection, scope,
                  [&](WriteBatch& batch, std::string_view key, SuppressionRecord& record) {
                      record.quarantined = quarantined;
                      batch.put(Family::kSuppression, key, encode(record));
                  });
}

}  // namespace posthorn
