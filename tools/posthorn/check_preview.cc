#include "tools/posthorn/check_preview.h"

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "campaigns/audience_intake.h"
#include "campaigns/check.h"
#include "campaigns/dkim_keys.h"
#include "campaigns/segment_history.h"
#include "campaigns/variants.h"
#include "engine/base/units.h"
#include "engine/queue/durable_file.h"
#include "engine/queue/keys.h"
#include "engine/queue/suppressions.h"
#include "tools/posthorn/json_fields.h"
#include "tools/posthorn/problems.h"
#include "tools/posthorn/record_json.h"
#include "tools/posthorn/sender_dns_lookup.h"
#include "tools/posthorn/terminal_text.h"

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

ordered_json parts_json(const char* key,
                        const std::vector<std::pair<std::string, std::uint64_t>>& parts) {
    ordered_json json = ordered_json::array();
    for (const auto& [name, recipients] : parts)
        json.push_back({{key, name}, {"recipients", recipients}});
    return json;
}

ordered_json count_json(const CheckedCampaign& checked, WallTime now) {
    constexpr std::size_t kDomainsShown = 20;
    const SendingSchedule schedule = sending_schedule(checked.campaign.schedule);
    const WallTime begins = std::max(first_sending_time(schedule, now), now);
    ordered_json json = {
        {"campaign", checked.campaign.id},
        {"audience", audience_json(checked.figures)},
        {"domain_count", checked.count->domains()},
        {"domains", parts_json("domain", checked.count->largest_domains(kDomainsShown))}};
    if (!checked.count->variants().empty())
        json["variants"] = parts_json("variant", checked.count->variants());
    json["begins"] = begins == now               ? "at once"
                     : begins == WallTime::max() ? "never: no window comes any more"
                                                 : rfc3339(begins);
    return json;
}

}  // namespace

WallTime wall_now() {
    return WallTime(
        std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch()));
}

std::optional<CommandResult> pick_recipient(const Campaign& campaign, const std::string& as,
                                            PickedRecipient& picked) {
    std::optional<Address> wanted;
    if (!as.empty()) {
        wanted.emplace();
        if (const auto fault = parse_address(as, *wanted); fault != AddressFault::kNone)
            return invalid_input("'" + as + "' is not an address: " + std::string(reason(fault)));
    }
    OneRecipient recipient(wanted);
    IntakeOptions options;
    options.now = wall_now();
    AudienceIntake intake(campaign, std::move(options));
    while (!recipient.found() && intake.state() == AudienceIntake::State::kReading)
        intake.read(recipient, kRowsPerStep);
    if (!recipient.found()) {
        picked.problems = intake.errors();
        return invalid_input(wanted ? wanted->to_string() + " is not a recipient of this campaign"
                                    : "the campaign has no recipients");
    }
    picked.key = recipient.key();
    picked.row = recipient.row();
    picked.columns = intake.columns();
    return std::nullopt;
}

CommandResult run_check(const nlohmann::json& request, const Config& config, Store* store,
                        LineSink& sink) {
    CheckOptions options;
    options.load = load_options(request, config);
    options.now = wall_now();
    options.count = true_field(request, "count");
    std::unique_ptr<SenderDnsLookup> dns;
    if (true_field(request, "dns")) {
        auto made = SenderDnsLookup::create(config.dns_servers);
        if (!made) return failed(made.error());
        dns = std::move(made).value();
        options.more = [&](const Campaign& campaign) {
            return check_sender_dns(sender_dns_of(campaign, config),
                                    [&](const DnsQuery& query) { return dns->ask(query); });
        };
    }
    std::optional<StoredHistory> history;
    if (store != nullptr) {
        options.history = &history.emplace(*store);
        options.suppressed = [list = Suppressions(*store)](const Address& address) {
            return list.contains(address.to_string());
        };
    }
    const CheckedCampaign checked = check_campaign_file(text_field(request, "file"), options);
    for (const ordered_json& problem : problems_json(checked.errors))
        if (!sink.line(json_line(problem))) break;
    if (checked.count)
        sink.line(json_line(ordered_json{{"count", count_json(checked, options.now)}}));
    if (!checked.ok()) return {kInvalidInput, ""};
    return {};
}

bool check_needs_store(const nlohmann::json& request, const Config& config) {
    if (true_field(request, "count")) return true;
    const LoadedCampaign loaded =
        load_campaign(text_field(request, "file"), load_options(request, config));
    SegmentFault fault;
    const auto segment = Segment::parse(loaded.campaign.segment, fault);
    return segment && !segment->past_campaigns().empty();
}

std::string audience_count_text(const nlohmann::json& count) {
    const nlohmann::json& audience = object_field(count, "audience");
    const auto number = [](const nlohmann::json& object, std::string_view key) {
        return with_separators(count_field(object, key));
    };
    std::string text = number(audience, "rows") + " rows";
    for (const char* key : {"invalid", "duplicate", "suppressed", "excluded"})
        if (count_field(audience, key) > 0) text += ", " + number(audience, key) + " " + key;
    text += ": " + number(audience, "recipients") + " recipients in " +
            number(count, "domain_count") + " domains\n";
    for (const char* part : {"domain", "variant"})
        for (const nlohmann::json& item : array_field(count, std::string(part) + "s"))
            text += "  " + std::string(part) + " " + printable(text_field(item, part)) + ": " +
                    number(item, "recipients") + "\n";
    return text + "it would begin " + printable(text_field(count, "begins")) + "\n";
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
    PickedRecipient recipient;
    if (auto none = pick_recipient(loaded.campaign, text_field(request, "as"), recipient)) {
        for (const ordered_json& problem : problems_json(recipient.problems))
            sink.line(json_line(problem));
        return *none;
    }
    auto signer = dkim_signer(loaded.campaign);
    if (!signer) return invalid_input(signer.error().message);
    const CompiledContent compiled =
        compile_campaign(loaded.campaign, recipient.columns, nullptr, {std::move(*signer), {}});
    if (compiled.renderer == nullptr) {
        for (const ordered_json& problem : problems_json(compiled.problems))
            sink.line(json_line(problem));
        return {kInvalidInput, ""};
    }
    RenderedMessage message;
    const WallTime now = wall_now();
    const Status rendered =
        compiled.renderer->render({recipient.key, recipient.row, now, now}, message);
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
