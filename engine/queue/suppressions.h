// The suppression list: addresses that are not written to, by scope (empty: everywhere). An address
// is found however it is written; its domain must be an A-label. A quarantined record is kept but
// not in force: whether it was right to suppress is in doubt.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "engine/queue/model.h"
#include "engine/queue/store.h"

namespace posthorn {

class Suppressions {
  public:
    // The store outlives it.
    explicit Suppressions(Store& store) : store_(store) {}

    // Replaces what there was for the address.
    Status add(const SuppressionRecord& record, std::string_view scope = {});
    Result<bool> remove(std::string_view address, std::string_view scope = {});  // false: not there

    // Whether a record is in force: one lookup, answered by a filter for most that are not there.
    Result<bool> contains(std::string_view address, std::string_view scope = {}) const;
    Result<std::optional<SuppressionRecord>> find(std::string_view address,
                                                  std::string_view scope = {}) const;

    // All of a scope in no useful order, as of now, until the visitor says false.
    using Visitor = std::function<bool(const SuppressionRecord&)>;
    Status for_each(const Visitor& visit, std::string_view scope = {}) const;

    // Which records an undo is about: those of a source, entered at or after a time.
    struct Selection {
        std::string source;
        std::optional<WallTime> since;
    };
    Result<std::uint64_t> remove(const Selection& selection, std::string_view scope = {});
    Result<std::uint64_t> set_quarantined(const Selection& selection, bool quarantined,
                                          std::string_view scope = {});

    // Whether the record under a key of keys.h, if there is one, is in force.
    static Result<bool> in_force(const Store& store, std::string_view key);

    // The same as part of a batch.
    static void append_add(WriteBatch& batch, const SuppressionRecord& record,
                           std::string_view scope = {});
    static void append_remove(WriteBatch& batch, std::string_view address,
                              std::string_view scope = {});

  private:
    using Change = std::function<void(WriteBatch&, std::string_view key, SuppressionRecord&)>;
    Result<std::uint64_t> change(const Selection& selection, std::string_view scope,
                                 const Change& make);

    Store& store_;
};

}  // namespace posthorn
