#include "tools/posthorn/check_preview.h"

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "campaigns/audience_intake.h"
#include "campaigns/campaign_content.h"
#include "campaigns/check.h"
#include "campaigns/dkim_keys.h"
#include "engine/base/units.h"
#include "engine/queue/durable_file.h"
#include "engine/queue/keys.h"
#include "tools/posthorn/json_fields.h"
#include "tools/posthorn/problems.h"

namespace posthorn {

namespace {

using nlohmann::ordered_json;

constexpr std::uint64_t kRowsPerStep = 4096;

LoadOptions load_options(const nlohmann::json& request, const Config& config) {
    return {true_field(request, "allow_outside"), !config.bounce_domain.empty()};
}

// Keeps the row of one recipient: the first, or the one that was asked for.
class OneRecipient : public AudienceSink {
  public:
    explicit OneRecipient(std::optional<Address> wanted) : wanted_(std::move(wanted)) {}

    Status add(std::string_view domain, std::string_view local, std::string_view row,
               std::uint64_t) override {
        if (found_ || (wanted_ && (wanted_->domain != domain ||
                                   fold_local(wanted_->local) != fold_local(local))))
            return {};
        found_ = true;
        row_ = row;
        key_ = audience_key({1, std::string(domain)}, local_key(local));
        return {};
    }

    bool found() const { return found_; }
    const std::string& row() const { return row_; }
    const std::string& key() const { return key_; }

  private:
    std::optional<Address> wanted_;
    bool found_ = false;
    std::string row_, key_;
};

WallTime wall_now() {
    return WallTime(
        std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch()));
}

}  // namespace

CommandResult run_check(const nlohmann::json& request, const Config& config, LineSink& sink) {
    if (true_field(request, "dns"))
        return invalid_input("--dns is not supported yet: leave it out");
    CheckOptions options;
    options.load = load_options(request, config);
    const CheckedCampaign checked = check_campaign_file(text_field(request, "file"), options);
    for (const ordered_json& problem : problems_json(checked.errors))
        if (!sink.line(json_line(problem))) break;
    if (!checked.ok()) return {kInvalidInput, ""};
    return {};
}

CommandResult run_preview(const nlohmann::json& request, const Config& config, std::string& bytes,
                          LineSink& sink) {
    const LoadedCampaign loaded =
        load_campaign(text_field(request, "file"), load_options(request, config));
    if (!loaded.ok()) {
        for (const ordered_json& problem : problems_json(loaded.errors))
            sink.line(json_line(problem));
        return {kInvalidInput, ""};
    }
    std::optional<Address> wanted;
    if (const std::string as = text_field(request, "as"); !as.empty()) {
        wanted.emplace();
        if (const auto fault = parse_address(as, *wanted); fault != AddressFault::kNone)
            return invalid_input("'" + as + "' is not an address: " + std::string(reason(fault)));
    }
    OneRecipient recipient(wanted);
    AudienceIntake intake(loaded.campaign, {});
    while (!recipient.found() && intake.state() == AudienceIntake::State::kReading)
        intake.read(recipient, kRowsPerStep);
    if (!recipient.found()) {
        for (const ordered_json& problem : problems_json(intake.errors()))
            sink.line(json_line(problem));
        return invalid_input(wanted ? wanted->to_string() + " is not a recipient of this campaign"
                                    : "the campaign has no recipients");
    }
    MessageContent content = message_content(loaded.campaign, intake.columns());
    auto signer = dkim_signer(loaded.campaign);
    if (!signer) return invalid_input(signer.error().message);
    content.signer = std::move(*signer);
    const CompiledContent compiled = compile_content(content, nullptr);
    if (compiled.renderer == nullptr) {
        for (const ordered_json& problem : problems_json(compiled.problems))
            sink.line(json_line(problem));
        return {kInvalidInput, ""};
    }
    RenderedMessage message;
    const WallTime now = wall_now();
    const Status rendered =
        compiled.renderer->render({recipient.key(), recipient.row(), now, now}, message);
    if (!rendered) return invalid_input(rendered.error().message);
    bytes = std::move(message.bytes);
    const std::string out = text_field(request, "out");
    if (out.empty()) return {};
    std::string name = message.envelope_to + ".eml";
    for (char& c : name)
        if (c == '/' || static_cast<unsigned char>(c) < 0x20) c = '_';
    const std::string path = (std::filesystem::path(out) / name).string();
    if (const Status made = make_private_directory(out); !made) return failed(made.error());
    if (const Status written = write_file_durably(path, bytes); !written)
        return failed(written.error());
    bytes.clear();
    sink.line(json_line(ordered_json{{"file", path}, {"message", "written: " + path}}));
    return {};
}

}  // namespace posthorn
