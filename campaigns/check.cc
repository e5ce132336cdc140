#include "campaigns/check.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "campaigns/audience_intake.h"
#include "campaigns/campaign_file_sections.h"
#include "campaigns/content_checks.h"
#include "campaigns/json_position.h"
#include "campaigns/json_string_place.h"
#include "campaigns/message_checks.h"
#include "campaigns/missing_values.h"
#include "campaigns/variants.h"
#include "engine/base/units.h"
#include "engine/queue/keys.h"

namespace posthorn {

namespace {

// Keeps the first rows, to make messages of them, and looks at the addresses of all.
class SampleSink final : public AudienceSink {
  public:
    explicit SampleSink(std::uint64_t samples_max) : samples_max_(samples_max) {}

    void count_into(AudienceCount& count) { count_ = &count; }

    Status add(std::string_view domain, std::string_view local, std::string_view row,
               std::uint64_t row_number) override {
        roles_.look_at(local, domain);
        const bool sampled = samples_.size() < samples_max_;
        if (!sampled && count_ == nullptr) return {};
        key_.clear();
        append_lane_prefix(key_, 1, domain);
        append_local_key(key_, local);
        if (count_ != nullptr) count_->add(key_, domain);
        if (sampled) samples_.push_back({key_, std::string(row), row_number});
        return {};
    }

    const std::vector<SampleRecipient>& samples() const { return samples_; }
    const RoleAccounts& roles() const { return roles_; }

  private:
    std::uint64_t samples_max_;
    std::vector<SampleRecipient> samples_;
    AudienceCount* count_ = nullptr;
    std::string key_;
    RoleAccounts roles_;
};

class CampaignCheck {
  public:
    CampaignCheck(const std::string& path, const CheckOptions& options)
        : path_(path), options_(options), sink_(options.rendered) {}

    CheckedCampaign run() {
        LoadedCampaign loaded = load_campaign(path_, options_.load);
        checked_.campaign = std::move(loaded.campaign);
        checked_.errors = std::move(loaded.errors);
        if (!readable()) return std::move(checked_);
        text_ = read_at_most(path_, kMaxJsonBytes).value_or("");
        positions_.emplace(JsonPositions::scan(text_));
        const bool has_sender = !checked_.campaign.from.domain.empty();
        check_schedule();
        const bool list_opened = read_list();
        check_segment(list_opened);
        if (list_opened) compile();
        if (options_.more && has_sender) add(options_.more(checked_.campaign));
        place_errors();
        return std::move(checked_);
    }

  private:
    // Faults that leave nothing to look at further.
    bool readable() const {
        return std::none_of(
            checked_.errors.begin(), checked_.errors.end(), [](const CampaignError& error) {
                return error.code == CampaignErrorCode::kJsonSyntax ||
                       (error.path.empty() && (error.code == CampaignErrorCode::kType ||
                                               error.code == CampaignErrorCode::kFileMissing));
            });
    }

    bool read_list() {
        const RecipientList& list = checked_.campaign.recipients;
        if (list.file.empty() && list.inline_rows.bytes.empty()) return false;
        IntakeOptions options;
        options.suppressed = options_.suppressed;
        options.now = options_.now;
        options.history = options_.history;
        AudienceIntake intake(checked_.campaign, std::move(options));
        const bool opened = intake.state() == AudienceIntake::State::kReading;
        if (options_.count && opened) sink_.count_into(checked_.count.emplace(checked_.campaign));
        MissingValues missing(
            sink_, [&intake]() -> const std::vector<std::string>& { return intake.columns(); },
            [this](const std::vector<std::string>& columns) { return compiled(columns); });
        intake.read(missing, options_.rows_max == 0 || options_.count
                                 ? std::numeric_limits<std::uint64_t>::max()
                                 : options_.rows_max);
        checked_.figures = intake.figures();
        if (checked_.count) {
            checked_.figures.duplicate = checked_.count->duplicates();
            checked_.figures.recipients -= checked_.count->duplicates();
        }
        checked_.whole_list = intake.state() == AudienceIntake::State::kDone;
        checked_.columns = intake.columns();
        for (const CampaignError& error : intake.errors()) checked_.errors.push_back(error);
        missing_ = missing.errors();
        if (checked_.figures.invalid > 0 && list.invalid == InvalidRows::kSkip)
            warn_of_invalid(intake);
        return opened;
    }

    void warn_of_invalid(const AudienceIntake& intake) {
        CampaignError warning;
        warning.path = "/recipients";
        warning.code = CampaignErrorCode::kInvalidRows;
        warning.severity = Severity::kWarning;
        warning.message = std::to_string(checked_.figures.invalid) + " of " +
                          std::to_string(checked_.figures.rows) + " rows are invalid";
        for (const std::string& sample : intake.rejected_samples())
            warning.hint += (warning.hint.empty() ? "" : "; ") + sample;
        checked_.errors.push_back(std::move(warning));
    }

    void check_schedule() {
        const Campaign& campaign = checked_.campaign;
        if (options_.entered) return;
        if (auto fault = schedule_fault(campaign, options_.now))
            checked_.errors.push_back(*std::move(fault));
    }

    // What only the list and the store can tell: fields and campaigns that there are not.
    void check_segment(bool list_opened) {
        const Campaign& campaign = checked_.campaign;
        SegmentFault fault;
        std::optional<Segment> segment;
        if (!campaign.segment.empty()) segment = Segment::parse(campaign.segment, fault);
        if (!segment) return;
        SegmentFilter filter(*segment, options_.now, &campaign.vars, nullptr);
        if (list_opened)
            for (const SegmentField& field : filter.unknown(checked_.columns))
                segment_error(field.offset, "the list has no variable `" + field.name() + "`",
                              segment_field_hint(field, checked_.columns, campaign.vars));
        if (options_.history == nullptr) return;
        for (const Segment::PastCampaign& past : segment->past_campaigns()) {
            const auto known = options_.history->knows(past.id);
            if (known && !*known)
                segment_error(past.offset, "there is no campaign " + in_quotes(past.id),
                              "posthorn status lists those that there are");
        }
    }

    void segment_error(std::size_t offset, std::string message, std::string hint) {
        // A key that no row has had so far may yet come.
        const bool certain =
            checked_.whole_list || checked_.campaign.recipients.format == ListFormat::kCsv;
        CampaignError error;
        error.path = "/segment";
        error.code = CampaignErrorCode::kSegmentUnknownField;
        error.message = std::move(message);
        error.hint = std::move(hint);
        error.severity = certain ? Severity::kError : Severity::kWarning;
        const LineColumn inside = line_column(checked_.campaign.segment, offset);
        const std::size_t at = place_in_json_string(text_, positions_->place_of(error.path).value,
                                                    inside.line, inside.column);
        const LineColumn place = line_column(text_, at);
        error.line = place.line;
        error.column = place.column;
        checked_.errors.push_back(std::move(error));
    }

    CompiledContent compiled(const std::vector<std::string>& columns) {
        // A faulty sender was noted; the templates are looked at all the same.
        Campaign& campaign = checked_.campaign;
        if (campaign.from.domain.empty()) (void)parse_address("a@example.com", campaign.from);
        return compile_campaign(campaign, columns, nullptr);
    }

    void compile() {
        const Campaign& campaign = checked_.campaign;
        if (!campaign.html.present() && !campaign.text.present()) return;
        const CompiledContent content = compiled(checked_.columns);
        add(content.problems);
        add(check_campaign_content(campaign));
        add(sink_.roles().errors(campaign));
        if (!content.renderer) return;
        add(missing_);
        add(check_messages(campaign, *content.renderer, sink_.samples()));
    }

    void add(const std::vector<CampaignError>& problems) {
        const Campaign& campaign = checked_.campaign;
        for (CampaignError problem : problems) {
            const Content* const part = problem.path == "/html"   ? &campaign.html
                                        : problem.path == "/text" ? &campaign.text
                                                                  : nullptr;
            if (part != nullptr && !part->file.empty()) problem.path += "_file";
            if (!noted(problem)) checked_.errors.push_back(std::move(problem));
        }
    }

    // In these or other words: the loader has found some of what compiling finds.
    bool noted(const CampaignError& problem) const {
        const bool any_words = problem.line == 0 && problem.severity == Severity::kError &&
                               !from_template(problem.code);
        return std::any_of(checked_.errors.begin(), checked_.errors.end(),
                           [&](const CampaignError& known) {
                               return known.code == problem.code && known.path == problem.path &&
                                      (any_words || known.message == problem.message);
                           });
    }

    // Line and column for faults that came without, or that count inside a string of the file.
    void place_errors() {
        for (CampaignError& error : checked_.errors) {
            const bool in_string = error.file.empty() && from_template(error.code);
            if (error.line != 0 && !in_string) continue;
            if (!error.file.empty() && error.line == 0) error.file.clear();
            std::size_t offset = positions_->place_of(error.path).value;
            if (error.line != 0)
                offset = place_in_json_string(text_, offset, error.line, error.column);
            const LineColumn place = line_column(text_, offset);
            error.line = place.line;
            error.column = place.column;
        }
    }

    static bool from_template(CampaignErrorCode code) {
        return code == CampaignErrorCode::kTemplateSyntax ||
               code == CampaignErrorCode::kTemplateUnknownVar ||
               code == CampaignErrorCode::kTemplateUnknownFilter;
    }

    const std::string& path_;
    const CheckOptions& options_;
    std::string text_;
    std::optional<JsonPositions> positions_;
    SampleSink sink_;
    std::vector<CampaignError> missing_;
    CheckedCampaign checked_;
};

}  // namespace

std::optional<CampaignError> schedule_fault(const Campaign& campaign, WallTime now) {
    const SendingSchedule schedule = sending_schedule(campaign.schedule);
    if (!schedule.send_at) return std::nullopt;
    const WallTime begins = first_sending_time(schedule, now);
    if (begins == WallTime::max() || now - begins <= schedule.max_lateness) return std::nullopt;
    CampaignError error;
    error.path = "/schedule/send_at";
    error.code = CampaignErrorCode::kSchedulePast;
    error.message = "the campaign was to begin at " + rfc3339(begins) + ", over " +
                    to_string(schedule.max_lateness) + " ago";
    error.hint = "give a later time, or leave `send_at` out to send at once";
    return error;
}

CheckedCampaign check_campaign_file(const std::string& path, const CheckOptions& options) {
    return CampaignCheck(path, options).run();
}

}  // namespace posthorn
