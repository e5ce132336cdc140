// The scheduler through a whole campaign of which everything else is done at once: rows are read,
// names found, sessions opened, leases recorded, messages accepted, outcomes durable the moment
// they are asked for. And the limits it asks.
#include <array>
#include <string>

#include "bench/hot_paths.h"
#include "engine/base/check.h"
#include "engine/base/rate_window.h"
#include "engine/delivery/scheduler.h"
#include "engine/queue/keys.h"

namespace posthorn {
namespace {

constexpr CampaignNumber kCampaign = 1;
constexpr std::uint32_t kRowsPerAnswer = 8'000;  // within DeliveryLimits::rows_per_sweep
constexpr std::uint64_t kRecipients = 16'000;

class Decisions final : public Work {
  public:
    explicit Decisions(std::uint32_t rows_per_lane)
        : scheduler_(limits(), {{"a", {}, "me.test"}}, 1, 1, Random(1)) {
        const std::uint32_t lanes = kRowsPerAnswer / rows_per_lane;
        for (std::uint32_t at = 0; at < kRecipients; at += kRowsPerAnswer)
            answers_.push_back(answer(at / rows_per_lane, lanes, rows_per_lane));
        CampaignPlan plan;
        plan.record.number = kCampaign;
        plan.record.id = "bench";
        plan.record.state = CampaignState::kRunning;
        plan.record.audience.recipients = kRecipients;
        scheduler_.campaign_added(std::move(plan), {}, now_);
    }

    void run() override {
        while (!finished_) {
            SchedulerOutput& output = scheduler_.settle(now_);
            orders_ = std::move(output);
            output.clear();
            now_.instant += std::chrono::milliseconds(1);
            now_.wall += std::chrono::milliseconds(1);
            for (const ReaderRequest& request : orders_.reader)
                std::visit([this](const auto& asked) { read(asked); }, request);
            for (const ResolveDomain& question : orders_.resolver) resolve(question.domain);
            for (const auto& [sender, order] : orders_.senders) obey(order);
            commit();
            const auto deadline = scheduler_.deadline(now_);
            if (deadline && *deadline <= now_.instant) scheduler_.deadline_passed(now_);
        }
    }

  private:
    static DeliveryLimits limits() {
        DeliveryLimits limits;
        limits.allow_private_addresses = true;
        return limits;
    }

    static LanesOpened answer(std::uint32_t first, std::uint32_t lanes, std::uint32_t rows) {
        LanesOpened opened;
        auto page = std::make_shared<Page>();
        for (std::uint32_t lane = first; lane < first + lanes; ++lane) {
            LaneHead head;
            head.domain = "d" + std::to_string(lane) + ".test";
            head.recipients = head.count = rows;
            head.first = static_cast<std::uint32_t>(page->items.size());
            head.complete = true;
            for (std::uint32_t i = 0; i < rows; ++i) {
                const std::string local = local_key("user" + std::to_string(i));
                Page::Item item;
                item.local_at = static_cast<std::uint32_t>(page->bytes.size());
                item.local_bytes = static_cast<std::uint16_t>(local.size());
                page->bytes += local;
                page->items.push_back(item);
            }
            opened.lanes.push_back(std::move(head));
        }
        opened.page = std::move(page);
        opened.next_after = lane_order_key(kCampaign, 0, "d" + std::to_string(first) + ".test");
        return opened;
    }

    void read(const OpenLanes& asked) {
        LanesOpened opened;
        if (next_answer_ < answers_.size()) opened = answers_[next_answer_++];
        opened.ticket = asked.ticket;
        opened.complete = next_answer_ == answers_.size();
        scheduler_.reader_answered(std::move(opened), now_);
    }
    void read(const ReadFresh& asked) { nothing_more(asked.ticket); }
    void read(const ReadDue& asked) { nothing_more(asked.ticket); }
    void read(const ListDeferredLanes& asked) {
        DeferredLanes none;
        none.ticket = asked.ticket;
        none.complete = true;
        scheduler_.reader_answered(std::move(none), now_);
    }
    void nothing_more(std::uint64_t ticket) {
        RowsRead rows;
        rows.ticket = ticket;
        rows.page = empty_;
        rows.complete = true;
        scheduler_.reader_answered(std::move(rows), now_);
    }

    void resolve(const std::string& domain) {
        DomainResolved found{domain, {}};
        found.hosts.verdict = DnsVerdict::kFound;
        found.hosts.ttl = std::chrono::minutes(10);
        MailHost host;
        host.name = "mx." + domain;
        host.addresses.push_back(*IpAddress::parse("127.0.0.2"));
        found.hosts.hosts.push_back(std::move(host));
        scheduler_.domain_resolved(std::move(found), now_);
    }

    void obey(const SenderOrder& order) {
        if (const auto* opening = std::get_if<OpenSession>(&order))
            scheduler_.sender_reported(SessionReady{opening->slot}, now_);
        else if (const auto* closing = std::get_if<CloseSession>(&order))
            scheduler_.sender_reported(
                SessionClosed{closing->slot, Stage::kNone, {}, Category::kNone, Action::kNone, 0},
                now_);
    }

    void commit() {
        if (orders_.journal.empty()) return;
        JournalCommitted committed;
        committed.entries = orders_.journal.size();
        for (const JournalEntry& entry : orders_.journal) {
            if (const auto* outcome = std::get_if<RecordOutcome>(&entry)) {
                committed.outcomes.push_back({outcome->lane, outcome->lease, outcome->state, {}});
                ++figures_.by_state[static_cast<std::size_t>(outcome->state)];
            } else if (const auto* put = std::get_if<PutCampaign>(&entry)) {
                finished_ = put->campaign.state == CampaignState::kFinished;
            }
        }
        committed.figures.push_back({kCampaign, figures_});
        scheduler_.journal_reported(std::move(committed), now_);
        for (const JournalEntry& entry : orders_.journal)
            if (const auto* grant = std::get_if<GrantLease>(&entry)) deliver(*grant->lease);
    }

    void deliver(const Lease& lease) {
        for (std::uint32_t i = 0; i < lease.recipients.size(); ++i) {
            AttemptDone done;
            done.lease = lease.sequence;
            done.recipient = i;
            done.end = AttemptEnd::kAccepted;
            done.attempt.time = now_.wall;
            done.attempt.stage = Stage::kDot;
            done.attempt.reply = {250, EnhancedCode{2, 0, 0}, "Ok: queued"};
            scheduler_.sender_reported(std::move(done), now_);
        }
    }

    Now now_{Instant(std::chrono::hours(1'000)), WallTime(std::chrono::hours(490'000))};
    Scheduler scheduler_;
    std::vector<LanesOpened> answers_;
    std::size_t next_answer_ = 0;
    SchedulerOutput orders_;
    Figures figures_;
    std::shared_ptr<const Page> empty_ = std::make_shared<Page>();
    bool finished_ = false;
};

// Four limits, as a campaign, a domain and a provider by hour and day have them.
class Limits final : public Work {
  public:
    void run() override {
        for (std::uint64_t i = 0; i < kRecipients; ++i) {
            now_ += std::chrono::microseconds(50);
            for (RateWindow& window : windows_) {
                CHECK(window.available(now_) > 0);
                window.take(1, now_);
            }
        }
    }

  private:
    Instant now_{std::chrono::hours(1)};
    std::array<RateWindow, 4> windows_{RateWindow({1'000'000, std::chrono::seconds(1)}),
                                       RateWindow({9'000'000, std::chrono::minutes(1)}),
                                       RateWindow({90'000'000, std::chrono::hours(1)}),
                                       RateWindow({900'000'000, std::chrono::hours(24)})};
};

}  // namespace

std::vector<HotPath> scheduler_hot_paths() {
    return {{"scheduler", kRecipients, [] { return std::make_unique<Decisions>(80); }},
            {"scheduler_small_lanes", kRecipients, [] { return std::make_unique<Decisions>(16); }},
            {"limits", kRecipients, [] { return std::make_unique<Limits>(); }}};
}

}  // namespace posthorn
