// Merging runs, and the sorted files that a merged audience becomes. Private to the import.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/queue/import_run.h"
#include "engine/queue/model.h"
#include "engine/queue/store.h"

namespace posthorn {

// The records of several runs in the order of their keys; of equal keys the lowest row number
// first.
class RunMerge {
  public:
    static Result<RunMerge> open(const std::vector<std::string>& paths);

    Result<bool> next();  // false at the end
    const RunRecord& record() const { return runs_[heap_.front()].record(); }

  private:
    bool before(std::size_t a, std::size_t b) const;
    void sift_down(std::size_t at);

    std::vector<RunReader> runs_;
    std::vector<std::size_t> heap_;  // indexes of runs that have a record, the least in front
    bool started_ = false;
};

// Entries of one family in ascending order, as files of bounded size.
class SortedFiles {
  public:
    SortedFiles(Store& store, Family family, std::string path_prefix, std::size_t file_bytes)
        : store_(store),
          family_(family),
          path_prefix_(std::move(path_prefix)),
          file_bytes_(file_bytes) {}

    Status put(std::string_view key, std::string_view value);
    Status finish(std::vector<SortedFile>& files);  // appends those written

  private:
    Store& store_;
    Family family_;
    std::string path_prefix_;
    std::size_t file_bytes_;
    std::unique_ptr<SortedFileWriter> writer_;
    std::size_t written_ = 0;
    std::vector<SortedFile> files_;
};

// Lanes as they come, by domain; given back by size. Lanes of one band come in their order already,
// so each band is a run of its own and nothing is sorted.
class LaneBands {
  public:
    explicit LaneBands(std::string path_prefix) : path_prefix_(std::move(path_prefix)) {}

    Status add(std::string_view domain, std::uint64_t recipients);
    Status write(CampaignNumber campaign, SortedFiles& lane_order);

  private:
    std::string path_of(std::uint8_t band) const;

    std::string path_prefix_;
    std::map<std::uint8_t, RunWriter> bands_;
};

}  // namespace posthorn
