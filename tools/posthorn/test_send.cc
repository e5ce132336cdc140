#include "tools/posthorn/test_send.h"

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "campaigns/check.h"
#include "campaigns/content_hash.h"
#include "campaigns/variants.h"
#include "engine/queue/audience_row.h"
#include "tools/posthorn/check_preview.h"
#include "tools/posthorn/json_fields.h"
#include "tools/posthorn/owner.h"
#include "tools/posthorn/problems.h"
#include "tools/posthorn/send.h"
#include "tools/posthorn/token_keys_file.h"

namespace posthorn {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kRowsChecked = 10'000;
constexpr std::size_t kTestAddressesMax = 20;

// A directory with the mode of a data directory, gone with this object.
class TemporaryDirectory {
  public:
    TemporaryDirectory() : path_((fs::temp_directory_path() / "posthorn-test-XXXXXX").string()) {
        made_ = mkdtemp(path_.data()) != nullptr;
    }
    ~TemporaryDirectory() {
        std::error_code ignored;
        if (made_) fs::remove_all(path_, ignored);
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

    bool made() const { return made_; }
    const std::string& path() const { return path_; }

  private:
    std::string path_;
    bool made_;
};

// The recipient's name and variables under another address, as a line of NDJSON.
std::string line_for(const std::string& address, const PickedRecipient& picked) {
    std::optional<AudienceRow> row = AudienceRow::parse(picked.row);
    nlohmann::json line = {{"email", address}, {"name", row ? row->name() : ""}};
    nlohmann::json vars = nlohmann::json::object();
    for (const std::string& column : picked.columns) {
        const RowVariable variable = row ? row->next() : RowVariable{{}, true};
        if (variable.missing()) continue;
        vars[column] = variable.is_json ? nlohmann::json::parse(variable.bytes, nullptr, false)
                                        : nlohmann::json(variable.bytes);
    }
    line["vars"] = std::move(vars);
    return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

// What the campaign says, to the test addresses alone, at once, tried once.
Campaign test_campaign(Campaign campaign, const PickedRecipient& picked, std::string lines) {
    if (!campaign.variants.empty())
        campaign =
            with_variant(campaign, campaign.variants[VariantChoice(campaign).of(picked.key)]);
    campaign.segment.clear();
    campaign.schedule = {};
    campaign.recipients = {};
    campaign.recipients.format = ListFormat::kNdjson;
    std::string hash = sha256_hex(lines);
    campaign.recipients.inline_rows = {{}, std::move(lines), std::move(hash)};
    campaign.exclude = {};
    campaign.throttle = {};
    campaign.retry = {};
    campaign.retry.attempts_max = 1;
    return campaign;
}

std::optional<std::string> test_lines(const nlohmann::json& request, const PickedRecipient& picked,
                                      std::string& fault) {
    const auto addresses = request.find("test_to");
    std::string lines;
    if (addresses == request.end() || addresses->size() > kTestAddressesMax) {
        fault = "--test-to takes 1 to 20 addresses";
        return std::nullopt;
    }
    for (const nlohmann::json& written : *addresses) {
        Address address;
        const AddressFault wrong = parse_address(written.get<std::string>(), address);
        if (wrong != AddressFault::kNone) {
            fault = "'" + written.get<std::string>() +
                    "' is not an address: " + std::string(reason(wrong));
            return std::nullopt;
        }
        lines += line_for(address.to_string(), picked);
    }
    return lines;
}

// What became of each test message, in the words of its receiver.
class OutcomeSink : public LineSink {
  public:
    explicit OutcomeSink(SendFollower& follower) : follower_(follower) {}
    bool line(std::string_view json) override {
        const nlohmann::json recipient = parse_json_object(json);
        const std::string reply = text_field(recipient, "reply");
        follower_.remark(text_field(recipient, "email") + ": " + text_field(recipient, "outcome") +
                         (reply.empty() ? "" : ": " + reply));
        all_delivered_ = all_delivered_ && text_field(recipient, "outcome") == "delivered";
        return true;
    }
    bool flush() override { return true; }
    bool all_delivered() const { return all_delivered_; }

  private:
    SendFollower& follower_;
    bool all_delivered_ = true;
};

}  // namespace

CommandResult run_test_send(const nlohmann::json& request, const Config& config,
                            const std::string& data_directory, SendFollower& follower) {
    CheckOptions options;
    options.load.allow_outside = true_field(request, "allow_outside");
    options.load.has_bounce_domain = !config.bounce_domain.empty();
    options.rows_max = kRowsChecked;
    options.entered = true;  // the time to send may be past
    options.now = wall_now();
    CheckedCampaign checked = check_campaign_file(text_field(request, "file"), options);
    for (const nlohmann::ordered_json& problem : problems_json(checked.errors))
        follower.line(json_line(nlohmann::ordered_json{{"problem", problem}}));
    if (!checked.ok()) return invalid_input("nothing was sent: the campaign has errors");

    PickedRecipient picked;
    if (auto wrong = pick_recipient(checked.campaign, text_field(request, "as"), picked))
        return *wrong;
    std::string fault;
    auto lines = test_lines(request, picked, fault);
    if (!lines) return invalid_input(fault);

    const TemporaryDirectory directory;
    if (!directory.made()) return {kFailed, "no temporary directory can be made"};
    std::error_code ignored;
    fs::copy_file(token_keys_file(data_directory), token_keys_file(directory.path()), ignored);
    auto owner = Owner::open(directory.path(), config);
    if (!owner) return failed(owner.error());
    (*owner)->remark = [&follower](const std::string& text) { follower.remark(text); };
    CampaignSending sending((*owner)->context(), follower, {});
    const std::string id = checked.campaign.id;
    if (const auto result =
            sending.begin(test_campaign(std::move(checked.campaign), picked, *std::move(lines))))
        return *result;
    OutcomeSink outcomes(follower);
    const CommandResult result = (*owner)->run(
        [&](CommandContext& context) {
            CommandResult delivered = sending.deliver();
            run_command(context, {{"command", "recipients"}, {"campaign", id}}, outcomes);
            return delivered;
        },
        Owner::Lasts::kEndWithWork);
    if (result.exit != kDone || outcomes.all_delivered()) return result;
    return {kFailed, "a test message was not delivered"};
}

}  // namespace posthorn
