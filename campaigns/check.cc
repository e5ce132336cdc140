#include "campaigns/check.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "campaigns/audience_intake.h"
#include "campaigns/campaign_content.h"
#include "campaigns/campaign_file_sections.h"
#include "campaigns/json_position.h"
#include "campaigns/json_string_place.h"

namespace posthorn {

namespace {

constexpr std::size_t kMaxRenderErrors = 20;

// Keeps the first rows, to make messages of them.
class SampleSink final : public AudienceSink {
  public:
    struct Sample {
        std::string key;
        std::string row;
        std::uint64_t number;
    };

    explicit SampleSink(std::uint64_t samples_max) : samples_max_(samples_max) {}

    Status add(std::string_view domain, std::string_view local, std::string_view row,
               std::uint64_t row_number) override {
        if (samples_.size() >= samples_max_) return {};
        std::string key(domain);
        key.push_back('\0');
        key.append(local);
        samples_.push_back({std::move(key), std::string(row), row_number});
        return {};
    }

    const std::vector<Sample>& samples() const { return samples_; }

  private:
    std::uint64_t samples_max_;
    std::vector<Sample> samples_;
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
        const bool list_opened = read_list();
        if (list_opened) compile();
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
        AudienceIntake intake(checked_.campaign, std::move(options));
        const bool opened = intake.state() == AudienceIntake::State::kReading;
        intake.read(sink_, options_.rows_max == 0 ? std::numeric_limits<std::uint64_t>::max()
                                                  : options_.rows_max);
        checked_.figures = intake.figures();
        checked_.whole_list = intake.state() == AudienceIntake::State::kDone;
        checked_.columns = intake.columns();
        for (const CampaignError& error : intake.errors()) checked_.errors.push_back(error);
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

    void compile() {
        Campaign& campaign = checked_.campaign;
        if (!campaign.html.present() && !campaign.text.present()) return;
        MessageContent content = message_content(campaign, checked_.columns);
        // A faulty sender was noted; the templates are looked at all the same.
        if (content.from.domain.empty()) (void)parse_address("a@example.com", content.from);
        const CompiledContent compiled = compile_content(content, nullptr);
        for (CampaignError problem : compiled.problems) {
            const Content* const part = problem.path == "/html"   ? &campaign.html
                                        : problem.path == "/text" ? &campaign.text
                                                                  : nullptr;
            if (part != nullptr && !part->file.empty()) problem.path += "_file";
            if (!noted(problem)) checked_.errors.push_back(std::move(problem));
        }
        if (compiled.renderer) render(*compiled.renderer);
    }

    bool noted(const CampaignError& problem) const {
        return std::any_of(checked_.errors.begin(), checked_.errors.end(),
                           [&](const CampaignError& known) {
                               return known.code == problem.code && known.path == problem.path &&
                                      (problem.line == 0 || known.message == problem.message);
                           });
    }

    void render(const Renderer& renderer) {
        RenderedMessage message;
        std::size_t faults = 0;
        for (const SampleSink::Sample& sample : sink_.samples()) {
            const Status status = renderer.render({sample.key, sample.row, {}, {}}, message);
            if (status) continue;
            if (++faults > kMaxRenderErrors) break;
            CampaignError error;
            error.path = "/recipients";
            error.code = CampaignErrorCode::kTemplateUnknownVar;
            error.message = "row " + std::to_string(sample.number) + ": " + status.error().message;
            error.hint = "give the row a value, use the filter default, or set template.missing";
            checked_.errors.push_back(std::move(error));
        }
    }

    // Line and column for faults that came without, or that count inside a string of the file.
    void place_errors() {
        const std::optional<std::string> text = read_at_most(path_, kMaxJsonBytes);
        if (!text) return;
        const JsonPositions positions = JsonPositions::scan(*text);
        for (CampaignError& error : checked_.errors) {
            const bool in_string = error.file.empty() && from_template(error.code);
            if (error.line != 0 && !in_string) continue;
            if (!error.file.empty() && error.line == 0) error.file.clear();
            std::size_t offset = positions.place_of(error.path).value;
            if (error.line != 0)
                offset = place_in_json_string(*text, offset, error.line, error.column);
            const LineColumn place = line_column(*text, offset);
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
    SampleSink sink_;
    CheckedCampaign checked_;
};

}  // namespace

CheckedCampaign check_campaign_file(const std::string& path, const CheckOptions& options) {
    return CampaignCheck(path, options).run();
}

}  // namespace posthorn
