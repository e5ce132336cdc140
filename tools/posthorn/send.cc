#include "tools/posthorn/send.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "campaigns/audience_intake.h"
#include "campaigns/campaign_definition.h"
#include "campaigns/check.h"
#include "campaigns/segment_history.h"
#include "engine/queue/campaign_catalog.h"
#include "engine/queue/content.h"
#include "engine/queue/suppressions.h"
#include "tools/posthorn/campaign_import.h"
#include "tools/posthorn/json_fields.h"
#include "tools/posthorn/picture.h"
#include "tools/posthorn/plan_builder.h"
#include "tools/posthorn/posted.h"
#include "tools/posthorn/problems.h"
#include "tools/posthorn/report.h"
#include "tools/posthorn/stored_campaigns.h"

namespace posthorn {

namespace {

using nlohmann::ordered_json;

constexpr std::uint64_t kRowsChecked = 10'000;  // before anything is queued; the import sees all
constexpr Duration kSayEvery{std::chrono::milliseconds(100)};
constexpr Duration kSaveUsageEvery{std::chrono::seconds(1)};
constexpr Duration kWaitForPicture{std::chrono::milliseconds(500)};

CommandResult stopped(const std::string& why) {
    return {kStopped, why + ": run the same command to go on"};
}

}  // namespace

CampaignSending::CampaignSending(CommandContext& context, LineSink& sink,
                                 const ProcessUsage& before)
    : context_(context),
      sink_(sink),
      before_(before),
      began_(context.clock().instant),
      said_at_(began_) {}

std::optional<CommandResult> CampaignSending::begin(const nlohmann::json& request) {
    domains_max_ = domains_asked_for(request);
    if (auto result = check(request)) return result;
    return enter();
}

std::optional<CommandResult> CampaignSending::begin(Campaign campaign) {
    campaign_ = std::move(campaign);
    return enter();
}

void CampaignSending::say_problems(const std::vector<CampaignError>& problems) {
    for (const ordered_json& problem : problems_json(problems))
        sink_.line(json_line(ordered_json{{"problem", problem}}));
    sink_.flush();
}

std::optional<CommandResult> CampaignSending::check(const nlohmann::json& request) {
    CheckOptions options;
    options.load.allow_outside = true_field(request, "allow_outside");
    options.load.has_bounce_domain = !context_.config.bounce_domain.empty();
    options.rows_max = kRowsChecked;
    options.now = context_.now();
    options.entered = true;  // enter() looks: a campaign that began in time goes on at any
    StoredHistory history(context_.store);
    options.history = &history;
    CheckedCampaign checked = check_campaign_file(text_field(request, "file"), options);
    say_problems(checked.errors);
    if (!checked.ok()) return invalid_input("nothing was queued: the campaign has errors");
    campaign_ = std::move(checked.campaign);
    return std::nullopt;
}

std::optional<CommandResult> CampaignSending::enter() {
    const auto turn = context_.locks == nullptr ? std::unique_lock<std::mutex>()
                                                : std::unique_lock(context_.locks->entering);
    CampaignCatalog catalog(context_.store);
    const auto known = catalog.find(campaign_.id);
    if (!known) return failed(known.error());
    if (*known) return go_on(**known);
    if (const auto fault = schedule_fault(campaign_, context_.now())) {
        say_problems({*fault});
        return invalid_input("nothing was queued: the campaign has errors");
    }

    for (const NamedContent& content : contents(campaign_)) {
        const auto put = put_content(context_.store, content.bytes);
        if (!put) return failed(put.error());
    }
    CampaignRecord record;
    record.id = campaign_.id;
    record.state = CampaignState::kImporting;
    record.created = context_.now();
    record.definition = normalise(campaign_);
    record.digests = digests(campaign_);
    auto created = catalog.create(std::move(record));
    if (!created) return failed(created.error());
    record_ = std::move(created).value();
    return std::nullopt;
}

std::optional<CommandResult> CampaignSending::refuse(const std::vector<std::string>& keys) {
    CampaignError error;
    error.code = CampaignErrorCode::kCampaignChanged;
    for (const std::string& key : keys) error.message += (error.message.empty() ? "" : ", ") + key;
    error.message = "campaign " + campaign_.id +
                    " was entered with other content; what differs: " + error.message;
    error.hint = "give the changed campaign another id";
    say_problems({error});
    return invalid_input("nothing was queued: the campaign has changed");
}

// The id is known: the same campaign goes on, or is over.
std::optional<CommandResult> CampaignSending::go_on(const CampaignRecord& stored) {
    record_ = stored;
    CampaignChange change = compare(stored.digests, digests(campaign_));
    const auto list = std::find_if(stored.digests.begin(), stored.digests.end(),
                                   [](const auto& digest) { return digest.first == kListDigest; });
    if (list != stored.digests.end()) {
        const auto matches = list_matches(campaign_.recipients, list->second);
        if (!matches) return failed(matches.error());
        if (!*matches) change.refused.emplace_back(kListDigest);
    }
    if (!change.refused.empty()) return refuse(change.refused);
    if (record_.finished != WallTime()) return end(record_, {});
    Status done;
    if (!change.recorded.empty()) done = take_over_settings();
    if (done) done = wake_if_paused();
    if (!done) return failed(done.error());
    return std::nullopt;
}

Status CampaignSending::take_over_settings() {
    record_.definition = normalise(campaign_);
    std::vector<std::pair<std::string, std::string>> now = digests(campaign_);
    for (const auto& digest : record_.digests)
        if (digest.first == kListDigest) now.push_back(digest);
    record_.digests = std::move(now);
    if (context_.runtime == nullptr || record_.state == CampaignState::kImporting)
        return CampaignCatalog(context_.store).update(record_);
    return post_and_wait(context_, [this](Scheduler& scheduler, Now now) {
        return set_plan(scheduler, record_.number, campaign_, record_.definition, now);
    });
}

Status CampaignSending::wake_if_paused() {
    if (record_.state != CampaignState::kPaused) return {};
    record_.state = CampaignState::kRunning;
    record_.pause_reason.clear();
    if (context_.runtime == nullptr) return CampaignCatalog(context_.store).update(record_);
    RETURN_IF_ERROR(add_and_wait(context_, record_));
    return post_and_wait(context_, [this](Scheduler& scheduler, Now now) {
        return scheduler.resume(record_.number, now);
    });
}

CommandResult CampaignSending::import_on(const CampaignRecord& stored) {
    auto campaign = load_normalised(stored.definition);
    if (!campaign) return failed(campaign.error());
    Store& store = context_.store;
    const Status attached = attach_contents(
        *campaign, [&store](std::string_view hash) { return get_content(store, hash); });
    if (!attached) return failed(attached.error());
    campaign_ = std::move(campaign).value();
    record_ = stored;
    if (auto result = import()) return *result;
    return hand_to_runtime().value_or(CommandResult{});
}

CommandResult CampaignSending::deliver() {
    if (record_.state == CampaignState::kImporting)
        if (auto result = import()) return *result;
    if (auto result = hand_to_runtime()) return *result;
    return follow();
}

// False: the import is to stop.
bool CampaignSending::say_importing(std::uint64_t rows) {
    const Now now = context_.clock();
    if (now.instant - said_at_ >= kSayEvery) {
        said_at_ = now.instant;
        ProgressPicture picture = picture_of(record_, now.instant);
        picture.name = campaign_.name;
        picture.rows_read = rows;
        sink_.line(json_line(nlohmann::json{{"progress", to_json(picture)}}));
        sink_.flush();
    }
    return !context_.stopping();
}

std::optional<CommandResult> CampaignSending::import() {
    const std::lock_guard turn(context_.locks->importing);
    const auto stored = CampaignCatalog(context_.store).get(record_.number);
    if (!stored) return failed(stored.error());
    if (!*stored) return invalid_input("nothing was queued: the list has errors");
    record_ = **stored;
    if (record_.state != CampaignState::kImporting) return std::nullopt;
    CampaignImportOptions options;
    options.data_directory = context_.directory;
    options.proceed = [this](std::uint64_t rows) { return say_importing(rows); };
    auto imported = import_campaign(context_.store, record_, campaign_, options);
    if (!imported) return failed(imported.error());
    record_ = imported->record;
    if (!imported->errors.empty()) {
        say_problems(imported->errors);
        return invalid_input("nothing was queued: the list has errors");
    }
    if (!imported->complete) return end(record_, stopped("stopped within the import"));
    return std::nullopt;
}

std::optional<CommandResult> CampaignSending::hand_to_runtime() {
    const Status posted = add_and_wait(context_, record_);
    if (posted) return std::nullopt;
    if (posted.error().kind == ErrorKind::kBusy)
        return end(record_, stopped("stopped before the first message"));
    return failed(posted.error());
}

CommandResult CampaignSending::follow() {
    ViewFeed::Seen seen = context_.views->now_seen();
    while (true) {
        const ViewFeed::News news = context_.views->wait(seen, kWaitForPicture);
        const CampaignView* campaign = nullptr;
        if (news.view != nullptr)
            for (const CampaignView& view : news.view->campaigns)
                if (view.record.number == record_.number) campaign = &view;
        if (campaign != nullptr) {
            ProgressPicture picture = picture_of(*campaign, *news.view, news.notices);
            picture.name = campaign_.name;
            if (context_.stopping())
                picture.trouble = "stopping, waiting for what is in flight (Ctrl-C again: at once)";
            sink_.line(json_line(nlohmann::json{{"progress", to_json(picture)}}));
            sink_.flush();
            record_ = campaign->record;
            if (const Status saved = save_usage_now_and_then(); !saved)
                return failed(saved.error());
            if (record_.finished != WallTime()) return end(record_, {});
            if (record_.state == CampaignState::kPaused)
                return end(record_, stopped("paused: " + record_.pause_reason));
        }
        if (news.ended) {
            const std::string& trouble = news.view == nullptr ? "" : news.view->trouble;
            return end(record_, stopped(trouble.empty() ? "stopped" : "stopped: " + trouble));
        }
    }
}

// So that a report after a crash still knows about what it cost.
Status CampaignSending::save_usage_now_and_then() {
    const Instant now = context_.clock().instant;
    if (now - saved_at_ < kSaveUsageEvery) return {};
    saved_at_ = now;
    return save_usage();
}

// What earlier runs have used, and this one so far.
Status CampaignSending::save_usage() {
    if (!used_before_) {
        const auto stored = stored_usage(context_.store, record_.id);
        if (!stored) return stored.error();
        used_before_ = *stored;
    }
    const ProcessUsage now = usage_of_this_process();
    ProcessUsage usage = *used_before_;
    usage.cpu_us += now.cpu_us - before_.cpu_us;
    usage.peak_rss_bytes = std::max(usage.peak_rss_bytes, now.peak_rss_bytes);
    usage.elapsed_us += static_cast<std::uint64_t>((context_.clock().instant - began_).count());
    return store_usage(context_.store, record_.id, usage);
}

CommandResult CampaignSending::end(const CampaignRecord& record, CommandResult result) {
    // One that was finished before has cost nothing now.
    if (context_.runtime != nullptr || record.finished == WallTime())
        if (const Status saved = save_usage(); !saved) return failed(saved.error());
    if (record.state == CampaignState::kImporting) return result;
    const auto report = campaign_report(context_, record, domains_max_);
    if (!report) return failed(report.error());
    put_report(sink_, *report);
    sink_.flush();
    return result;
}

CommandResult continue_imports(CommandContext& context, LineSink& sink) {
    const auto campaigns = CampaignCatalog(context.store).list();
    if (!campaigns) return failed(campaigns.error());
    for (const CampaignRecord& record : *campaigns) {
        if (record.state != CampaignState::kImporting || context.stopping()) continue;
        CampaignSending sending(context, sink, usage_of_this_process());
        const CommandResult result = sending.import_on(record);
        if (result.error.empty()) continue;
        sink.line(json_line(ordered_json{{"message", record.id + ": " + result.error}}));
        sink.flush();
    }
    return {};
}

CommandResult send_campaign(CommandContext& context, const nlohmann::json& request,
                            LineSink& sink) {
    CampaignSending sending(context, sink, usage_of_this_process());
    if (const auto result = sending.begin(request)) return *result;
    return sending.deliver();
}

}  // namespace posthorn
