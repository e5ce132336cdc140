// The import of one campaign's audience. Rows come in any order; sorted runs go to disk as they
// fill, a merge drops later rows of an address that was there, and one ingestion makes audience,
// lanes and lane order part of the store, together with a mark that says so. Memory does not follow
// the rows. A killed import goes on at its last checkpoint; killed after the ingestion, it is done.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/queue/import_manifest.h"
#include "engine/queue/import_run.h"
#include "engine/queue/model.h"
#include "engine/queue/store.h"

namespace posthorn {

struct ImportOptions {
    std::string directory;  // of this import alone, on the store's disk; removed when it is done
    std::size_t run_bytes = std::size_t{16} << 20;   // of memory, for the run being filled
    std::size_t file_bytes = std::size_t{64} << 20;  // of keys and values in a sorted file
    bool ranked = false;                             // every row has a rank
    std::size_t merged_runs_max = 64;                // at once: each holds a buffer and a file
};

struct ImportedAudience {
    std::uint64_t recipients = 0;
    std::uint64_t duplicates = 0;
    std::uint64_t lanes = 0;
    std::string position;  // of the last checkpoint

    friend bool operator==(const ImportedAudience&, const ImportedAudience&) = default;
};

struct ImportObserver {
    // A row whose address was in an earlier row. In the order of keys, not of rows.
    std::function<Status(std::uint64_t row_number)> duplicate;
    // Asked now and then; false stops the merge.
    std::function<bool(std::uint64_t rows_merged, std::uint64_t rows)> proceed;
};

class AudienceImport {
  public:
    // Begins, or goes on where an earlier process stopped. The store outlives it.
    static Result<std::unique_ptr<AudienceImport>> open(Store& store, CampaignNumber campaign,
                                                        ImportOptions options);

    // What an earlier process ingested: then add nothing, finish() gives the same. nullopt:
    // nothing.
    const std::optional<ImportedAudience>& done() const { return done_; }

    // The same without an import at hand.
    static Result<std::optional<ImportedAudience>> ingested(const Store& store,
                                                            CampaignNumber campaign);

    // As given to the last checkpoint that is safe: rows before it need not come again. Empty: from
    // the beginning.
    const std::string& position() const { return manifest_.position; }

    // Domain as an A-label in lower case; local part as written; an AudienceRow. kInvalid: too
    // large.
    Status add(std::string_view domain, std::string_view local, std::string_view row,
               std::uint64_t row_number);

    // The same of a ranked import: lower ranks go first within a domain.
    Status add_ranked(std::string_view domain, std::string_view local, std::string_view row,
                      std::uint64_t row_number, std::uint64_t rank);

    // Whether it is time for a checkpoint.
    bool run_full() const { return run_.bytes() >= options_.run_bytes; }

    // Makes all rows so far safe. The position is the caller's, to go on from behind the last of
    // them.
    Status checkpoint(std::string_view position);

    // After the last row and its checkpoint: merges and ingests. nullopt: stopped by the observer;
    // opened again, the import goes on.
    Result<std::optional<ImportedAudience>> finish(const ImportObserver& observer);

    // Gives it up: nothing of it stays.
    Status discard();

  private:
    AudienceImport(Store& store, CampaignNumber campaign, ImportOptions options)
        : store_(store), campaign_(campaign), options_(std::move(options)) {}

    std::string path_of(std::string_view name) const;
    std::string run_path(std::uint64_t number) const;
    Status load();
    Status remove_unsafe_files() const;
    Status spill();
    Status reduce_runs();
    Result<bool> merge(const ImportObserver& observer, ImportedAudience& audience,
                       std::vector<SortedFile>& files);

    Store& store_;
    CampaignNumber campaign_;
    ImportOptions options_;
    std::optional<ImportedAudience> done_;
    ImportManifest manifest_;                // as it is on disk
    std::vector<ImportManifest::Run> runs_;  // with those since the last checkpoint
    std::uint64_t next_run_ = 0;
    RunBuffer run_;
    std::string ranked_row_;  // u64(rank) row: how runs keep it
};

}  // namespace posthorn
