#include "engine/queue/audience_import.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "engine/base/bytes.h"
#include "engine/base/check.h"
#include "engine/queue/durable_file.h"
#include "engine/queue/import_merge.h"
#include "engine/queue/import_ranks.h"
#include "engine/queue/keys.h"
#include "engine/queue/records.h"

namespace posthorn {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kManifestName = "manifest";
constexpr std::uint8_t kMarkFormat = 1;
constexpr std::uint64_t kRowsPerQuestion = 16'384;  // between two looks whether to proceed

// mark := u8(1) varint(recipients) varint(duplicates) varint(lanes) string(position)
std::string encode_mark(const ImportedAudience& audience) {
    std::string bytes;
    put_u8(bytes, kMarkFormat);
    put_varint(bytes, audience.recipients);
    put_varint(bytes, audience.duplicates);
    put_varint(bytes, audience.lanes);
    put_string(bytes, audience.position);
    return bytes;
}

Result<ImportedAudience> decode_mark(std::string_view bytes) {
    ByteReader in(bytes);
    ImportedAudience audience;
    const std::uint8_t format = in.u8();
    audience.recipients = in.varint();
    audience.duplicates = in.varint();
    audience.lanes = in.varint();
    audience.position = in.string();
    if (format != kMarkFormat || !in.at_end())
        return Error{ErrorKind::kCorrupt,
                     "the store holds a damaged mark of an import: restore "
                     "the data directory from a copy"};
    return audience;
}

Status remove_directory(const std::string& path) {
    std::error_code error;
    fs::remove_all(path, error);
    if (error) return system_error("cannot remove", path, error.value());
    return {};
}

// Rows of one merge on their way into their families.
class AudienceFiles {
  public:
    AudienceFiles(Store& store, CampaignNumber campaign, const ImportOptions& options)
        : campaign_(campaign),
          audience_(store, Family::kAudience, options.directory + "/audience-", options.file_bytes),
          lane_(store, Family::kLane, options.directory + "/lane-", options.file_bytes),
          lane_order_(store, Family::kLaneOrder, options.directory + "/order-", options.file_bytes),
          order_(store, Family::kOrder, options.directory + "/rank-order-", options.file_bytes),
          bands_(options.directory + "/band-"),
          ranks_(options.directory + "/rank-"),
          ranked_(options.ranked) {
        put_u32(key_, campaign);
    }

    // False: the address was there already.
    Result<bool> add(const RunRecord& record) {
        const std::string_view last = std::string_view(key_).substr(kCampaignBytes);
        if (record.key == last) return false;
        if (lane_bytes_ == 0 || record.key.substr(0, lane_bytes_) != last.substr(0, lane_bytes_)) {
            RETURN_IF_ERROR(end_lane());
            lane_bytes_ = record.key.find('\0') + 1;
        }
        key_.resize(kCampaignBytes);
        key_.append(record.key);
        ++lane_recipients_;
        std::string_view row = record.row;
        if (ranked_) {
            ByteReader in(row);
            const std::uint64_t rank = in.u64();
            row = in.rest();
            RETURN_IF_ERROR(ranks_.add(rank, record.key.substr(lane_bytes_)));
        }
        RETURN_IF_ERROR(audience_.put(key_, row));
        return true;
    }

    // What of the audience is known here is filled in: its lanes.
    Status finish(ImportedAudience& audience, std::vector<SortedFile>& files) {
        RETURN_IF_ERROR(end_lane());
        audience.lanes = lanes_;
        RETURN_IF_ERROR(lane_order_.put(import_mark_key(campaign_), encode_mark(audience)));
        RETURN_IF_ERROR(bands_.write(campaign_, lane_order_));
        RETURN_IF_ERROR(audience_.finish(files));
        RETURN_IF_ERROR(lane_.finish(files));
        RETURN_IF_ERROR(order_.finish(files));
        return lane_order_.finish(files);
    }

  private:
    static constexpr std::size_t kCampaignBytes = 4;

    Status end_lane() {
        if (lane_recipients_ == 0) return {};
        const std::string_view domain =
            std::string_view(key_).substr(kCampaignBytes, lane_bytes_ - 1);
        LaneRecord record;
        record.recipients = lane_recipients_;
        RETURN_IF_ERROR(lane_.put(std::string_view(key_).substr(0, kCampaignBytes + domain.size()),
                                  encode(record)));
        RETURN_IF_ERROR(bands_.add(domain, lane_recipients_));
        if (ranked_)
            RETURN_IF_ERROR(ranks_.write(
                std::string_view(key_).substr(0, kCampaignBytes + lane_bytes_), order_));
        lane_recipients_ = 0;
        ++lanes_;
        return {};
    }

    CampaignNumber campaign_;
    SortedFiles audience_, lane_, lane_order_, order_;
    LaneBands bands_;
    LaneRanks ranks_;
    bool ranked_;
    std::string key_;             // of the last recipient
    std::size_t lane_bytes_ = 0;  // of its domain, with the zero
    std::uint64_t lane_recipients_ = 0;
    std::uint64_t lanes_ = 0;
};

}  // namespace

Result<std::optional<ImportedAudience>> AudienceImport::ingested(const Store& store,
                                                                 CampaignNumber campaign) {
    const auto mark = store.get(Family::kLaneOrder, import_mark_key(campaign));
    if (!mark) return mark.error();
    if (!*mark) return std::optional<ImportedAudience>();
    auto audience = decode_mark(**mark);
    if (!audience) return audience.error();
    return std::optional(std::move(*audience));
}

Result<std::unique_ptr<AudienceImport>> AudienceImport::open(Store& store, CampaignNumber campaign,
                                                             ImportOptions options) {
    CHECK(!options.directory.empty() && options.merged_runs_max >= 2);
    auto done = ingested(store, campaign);
    if (!done) return done.error();
    std::unique_ptr<AudienceImport> import(new AudienceImport(store, campaign, std::move(options)));
    if (*done) {
        import->done_ = std::move(*done);
        RETURN_IF_ERROR(import->discard());
    } else {
        RETURN_IF_ERROR(import->load());
    }
    return import;
}

std::string AudienceImport::path_of(std::string_view name) const {
    return options_.directory + "/" + std::string(name);
}

std::string AudienceImport::run_path(std::uint64_t number) const {
    return path_of("run-" + std::to_string(number));
}

Status AudienceImport::load() {
    RETURN_IF_ERROR(make_private_directory(options_.directory));
    auto stored = ImportManifest::load(path_of(kManifestName));
    if (!stored) return stored.error();
    if (*stored && (*stored)->campaign == campaign_) {
        manifest_ = std::move(**stored);
    } else {
        manifest_.campaign = campaign_;
    }
    runs_ = manifest_.runs;
    for (const ImportManifest::Run& run : runs_) {
        next_run_ = std::max(next_run_, run.number + 1);
        std::error_code error;
        if (fs::file_size(run_path(run.number), error) != run.bytes || error)
            return Error{ErrorKind::kCorrupt,
                         run_path(run.number) +
                             " is not what was written: remove its directory, and the import "
                             "begins anew"};
    }
    return remove_unsafe_files();
}

// What a killed process was writing.
Status AudienceImport::remove_unsafe_files() const {
    std::set<std::string> safe = {path_of(kManifestName)};
    for (const ImportManifest::Run& run : runs_) safe.insert(run_path(run.number));
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(options_.directory, error)) {
        if (safe.contains(entry.path().string())) continue;
        fs::remove_all(entry.path(), error);
        if (error) break;
    }
    if (error) return system_error("cannot tidy", options_.directory, error.value());
    return {};
}

Status AudienceImport::add(std::string_view domain, std::string_view local, std::string_view row,
                           std::uint64_t row_number) {
    CHECK(!done_ && !domain.empty() && domain.find('\0') == std::string_view::npos);
    if (domain.size() + local.size() + row.size() > kImportRowBytesMax - 64)
        return Error{ErrorKind::kInvalid,
                     "row " + std::to_string(row_number) + " has more than a megabyte: shorten it"};
    run_.add(domain, local, row, row_number);
    // A caller may be late with its checkpoint; memory stays bounded.
    if (run_.bytes() >= 2 * options_.run_bytes) return spill();
    return {};
}

Status AudienceImport::add_ranked(std::string_view domain, std::string_view local,
                                  std::string_view row, std::uint64_t row_number,
                                  std::uint64_t rank) {
    CHECK(options_.ranked);
    ranked_row_.clear();
    put_u64(ranked_row_, rank);
    ranked_row_.append(row);
    return add(domain, local, ranked_row_, row_number);
}

Status AudienceImport::spill() {
    if (run_.empty()) return {};
    auto writer = RunWriter::create(run_path(next_run_));
    if (!writer) return writer.error();
    RETURN_IF_ERROR(run_.sort_into(*writer));
    RETURN_IF_ERROR(writer->finish());
    runs_.push_back({next_run_++, writer->bytes(), writer->records()});
    return {};
}

Status AudienceImport::checkpoint(std::string_view position) {
    RETURN_IF_ERROR(spill());
    ImportManifest manifest{campaign_, runs_, std::string(position)};
    if (manifest == manifest_) return {};
    RETURN_IF_ERROR(sync_directory(options_.directory));
    RETURN_IF_ERROR(manifest.save(path_of(kManifestName)));
    manifest_ = std::move(manifest);
    return {};
}

// Merges runs into larger ones until one merge takes them all. The merged ones are not in the
// manifest: a killed import merges again.
Status AudienceImport::reduce_runs() {
    while (runs_.size() > options_.merged_runs_max) {
        const auto end = runs_.begin() + static_cast<std::ptrdiff_t>(options_.merged_runs_max);
        std::vector<std::string> paths;
        for (auto run = runs_.begin(); run != end; ++run) paths.push_back(run_path(run->number));
        auto merge = RunMerge::open(paths);
        if (!merge) return merge.error();
        auto writer = RunWriter::create(run_path(next_run_));
        if (!writer) return writer.error();
        for (;;) {
            const auto more = merge->next();
            if (!more) return more.error();
            if (!*more) break;
            RETURN_IF_ERROR(writer->put(merge->record()));
        }
        RETURN_IF_ERROR(writer->finish());
        runs_.erase(runs_.begin(), end);
        runs_.push_back({next_run_++, writer->bytes(), writer->records()});
    }
    return {};
}

Result<bool> AudienceImport::merge(const ImportObserver& observer, ImportedAudience& audience,
                                   std::vector<SortedFile>& files) {
    std::vector<std::string> paths;
    std::uint64_t rows = 0, merged = 0;
    for (const ImportManifest::Run& run : runs_) {
        paths.push_back(run_path(run.number));
        rows += run.records;
    }
    auto merge = RunMerge::open(paths);
    if (!merge) return merge.error();
    AudienceFiles out(store_, campaign_, options_);
    for (;; ++merged) {
        const auto more = merge->next();
        if (!more) return more.error();
        if (!*more) break;
        if (merged % kRowsPerQuestion == 0 && observer.proceed && !observer.proceed(merged, rows))
            return false;
        const auto added = out.add(merge->record());
        if (!added) return added.error();
        ++(*added ? audience.recipients : audience.duplicates);
        if (!*added && observer.duplicate)
            RETURN_IF_ERROR(observer.duplicate(merge->record().row_number));
    }
    RETURN_IF_ERROR(out.finish(audience, files));
    return true;
}

Result<std::optional<ImportedAudience>> AudienceImport::finish(const ImportObserver& observer) {
    if (done_) return done_;
    RETURN_IF_ERROR(spill());
    RETURN_IF_ERROR(reduce_runs());
    ImportedAudience audience;
    audience.position = manifest_.position;
    std::vector<SortedFile> files;
    const auto merged = merge(observer, audience, files);
    if (!merged) return merged.error();
    if (!*merged) return std::optional<ImportedAudience>();
    RETURN_IF_ERROR(store_.ingest(files));
    done_ = std::move(audience);
    RETURN_IF_ERROR(discard());
    return done_;
}

Status AudienceImport::discard() { return remove_directory(options_.directory); }

}  // namespace posthorn
