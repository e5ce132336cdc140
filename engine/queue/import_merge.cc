#include "engine/queue/import_merge.h"

#include "engine/base/check.h"
#include "engine/queue/keys.h"

namespace posthorn {

// ---- RunMerge

Result<RunMerge> RunMerge::open(const std::vector<std::string>& paths) {
    RunMerge merge;
    for (const std::string& path : paths) {
        auto run = RunReader::open(path);
        if (!run) return run.error();
        const auto first = run->next();
        if (!first) return first.error();
        if (!*first) continue;
        merge.heap_.push_back(merge.runs_.size());
        merge.runs_.push_back(std::move(*run));
    }
    for (std::size_t i = merge.heap_.size() / 2; i-- > 0;) merge.sift_down(i);
    return merge;
}

bool RunMerge::before(std::size_t a, std::size_t b) const {
    const RunRecord& left = runs_[a].record();
    const RunRecord& right = runs_[b].record();
    const int order = left.key.compare(right.key);
    return order != 0 ? order < 0 : left.row_number < right.row_number;
}

void RunMerge::sift_down(std::size_t at) {
    const std::size_t moving = heap_[at];
    for (;;) {
        std::size_t child = 2 * at + 1;
        if (child >= heap_.size()) break;
        if (child + 1 < heap_.size() && before(heap_[child + 1], heap_[child])) ++child;
        if (!before(heap_[child], moving)) break;
        heap_[at] = heap_[child];
        at = child;
    }
    heap_[at] = moving;
}

Result<bool> RunMerge::next() {
    if (heap_.empty()) return false;
    if (!started_) {
        started_ = true;
        return true;
    }
    const auto more = runs_[heap_.front()].next();
    if (!more) return more.error();
    if (!*more) {
        heap_.front() = heap_.back();
        heap_.pop_back();
        if (heap_.empty()) return false;
    }
    sift_down(0);
    return true;
}

// ---- SortedFiles

Status SortedFiles::put(std::string_view key, std::string_view value) {
    if (writer_ && written_ >= file_bytes_) {
        RETURN_IF_ERROR(writer_->finish());
        writer_.reset();
    }
    if (!writer_) {
        files_.push_back({family_, path_prefix_ + std::to_string(files_.size())});
        auto writer = store_.sorted_file(family_, files_.back().path);
        if (!writer) return writer.error();
        writer_ = std::move(*writer);
        written_ = 0;
    }
    written_ += key.size() + value.size();
    return writer_->put(key, value);
}

Status SortedFiles::finish(std::vector<SortedFile>& files) {
    if (writer_) RETURN_IF_ERROR(writer_->finish());
    writer_.reset();
    files.insert(files.end(), files_.begin(), files_.end());
    return {};
}

// ---- LaneBands

std::string LaneBands::path_of(std::uint8_t band) const {
    return path_prefix_ + std::to_string(band);
}

Status LaneBands::add(std::string_view domain, std::uint64_t recipients) {
    const std::uint8_t band = lane_band(recipients);
    auto found = bands_.find(band);
    if (found == bands_.end()) {
        auto writer = RunWriter::create(path_of(band));
        if (!writer) return writer.error();
        found = bands_.emplace(band, std::move(*writer)).first;
    }
    return found->second.put({domain, recipients, {}});
}

Status LaneBands::write(CampaignNumber campaign, SortedFiles& lane_order) {
    std::string value;
    for (auto& [band, writer] : bands_) {
        RETURN_IF_ERROR(writer.finish());
        auto reader = RunReader::open(path_of(band));
        if (!reader) return reader.error();
        for (;;) {
            const auto more = reader->next();
            if (!more) return more.error();
            if (!*more) break;
            value.clear();
            put_varint(value, reader->record().row_number);
            RETURN_IF_ERROR(
                lane_order.put(lane_order_key(campaign, band, reader->record().key), value));
        }
    }
    return {};
}

}  // namespace posthorn
