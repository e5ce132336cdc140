#include "tests/sim/scale_world.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/base/check.h"

namespace posthorn::sim {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint32_t kAhead = 4;  // transactions in flight on a session
constexpr Duration kHandshake = milliseconds(150);
constexpr Duration kTransaction = milliseconds(200);  // from MAIL to the last reply, pipelined
constexpr Duration kCommit = milliseconds(5);
constexpr Duration kRead = milliseconds(2);
constexpr double kDeferredShare = 0.03, kUnknownShare = 0.02, kGreylistingShare = 0.05;

// The large mailbox providers of a consumer list: share of it, and the rate that each will take.
struct Provider {
    const char* domain;
    double share;
    std::uint64_t rate;
};
constexpr std::array<Provider, 10> kProviders = {{{"gmail.test", 0.34, 100},
                                                  {"hotmail.test", 0.09, 40},
                                                  {"yahoo.test", 0.08, 40},
                                                  {"outlook.test", 0.06, 30},
                                                  {"icloud.test", 0.05, 30},
                                                  {"aol.test", 0.03, 20},
                                                  {"web.test", 0.02, 20},
                                                  {"gmx.test", 0.02, 20},
                                                  {"orange.test", 0.015, 15},
                                                  {"comcast.test", 0.015, 15}}};

}  // namespace

ScaleWorld::ScaleWorld(ScaleOptions options) : options_(options), random_(options.seed) {
    make_lanes();
    make_limits();
    report_.first_attempts = lower_bound();
}

void ScaleWorld::make_lanes() {
    std::uint64_t left = options_.recipients;
    const auto add = [&](std::string domain, std::string host, std::uint64_t recipients) {
        recipients = std::min(std::max<std::uint64_t>(1, recipients), left);
        if (recipients == 0) return;
        Lane& lane = lanes_.emplace_back();
        lane.domain = std::move(domain);
        lane.host = std::move(host);
        lane.recipients = static_cast<std::uint32_t>(recipients);
        lane.greylists = lanes_.size() > kProviders.size() && random_.chance(kGreylistingShare);
        lane.known.resize(recipients);
        left -= recipients;
    };
    const auto all = static_cast<double>(options_.recipients);
    for (const Provider& provider : kProviders)
        add(provider.domain, std::string("mx.") + provider.domain,
            static_cast<std::uint64_t>(all * provider.share));
    // The rest falls off as 1/rank; half of these domains are hosted by a few firms.
    const std::uint32_t others = options_.domains - static_cast<std::uint32_t>(kProviders.size());
    const double scale = static_cast<double>(left) / (std::log(others) + 0.577);
    for (std::uint32_t rank = 1; rank <= others; ++rank) {
        const std::string domain = "d" + std::to_string(rank) + ".test";
        const bool hosted = random_.chance(0.5);
        const std::string host =
            hosted ? "mx.host" + std::to_string(random_.below(50)) + ".test" : "mx." + domain;
        const bool last = rank == others;
        add(domain, host, last ? left : static_cast<std::uint64_t>(scale / rank));
    }
    std::stable_sort(lanes_.begin(), lanes_.end(),
                     [](const Lane& a, const Lane& b) { return a.recipients > b.recipients; });
    for (std::uint32_t i = 0; i < lanes_.size(); ++i) by_domain_[lanes_[i].domain] = i;
}

void ScaleWorld::make_limits() {
    limits_.allow_private_addresses = true;
    plan_.record.number = 1;
    plan_.record.id = "scale";
    plan_.record.state = CampaignState::kRunning;
    plan_.record.audience.recipients = options_.recipients;
    for (const Provider& provider : kProviders)
        plan_.throttle.per_domain[provider.domain].rate = Rate{provider.rate, seconds(1)};
}

// A domain takes its rate, a host its sessions, all sessions together what they can: of one attempt
// for each recipient, and of one more for each that was deferred so far.
Bound ScaleWorld::lower_bound() const {
    const double per_session =
        kAhead / std::chrono::duration<double>(kTransaction).count();  // messages a second
    std::map<std::string, double> by_host;
    double total = 0;
    Bound largest;
    const auto bound = [&](double seconds_needed, const std::string& by) {
        const auto needed =
            std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds_needed));
        if (needed > largest.needed) largest = {needed, by};
    };
    for (const Lane& lane : lanes_) {
        const double attempts = static_cast<double>(lane.recipients) + lane.deferrals;
        by_host[lane.host] += attempts;
        total += attempts;
        const auto limit = plan_.throttle.per_domain.find(lane.domain);
        if (limit != plan_.throttle.per_domain.end())
            bound(attempts / static_cast<double>(limit->second.rate->count), lane.domain);
    }
    for (const auto& [host, attempts] : by_host)
        bound(attempts / (limits_.site_connections_max * per_session), host);
    bound(total / (limits_.connections_max * per_session), "all connections");
    return largest;
}

void ScaleWorld::post(Duration wait, Kind kind, SlotId slot, std::uint32_t index,
                      std::shared_ptr<const void> what) {
    events_.push({now_.instant + wait, made_++, kind, slot, index, std::move(what)});
}

ScaleReport ScaleWorld::run() {
    own_allocations(true);
    scheduler_ = std::make_unique<Scheduler>(
        limits_, std::vector<Source>{{"default", {}, "me.news.test"}}, 1, 1, Random(7));
    own_allocations(false);
    const Instant began = now_.instant;
    tell([&](Scheduler& scheduler) { scheduler.campaign_added(plan_, {}, now_); });
    while (plan_.record.finished == WallTime()) {
        if (std::exchange(heard_, false)) settle();
        const auto deadline = scheduler_->deadline(now_);
        if (events_.empty() && !deadline) break;
        Instant next = deadline.value_or(Instant::max());
        if (!events_.empty()) next = std::min(next, events_.top().at);
        if (next > now_.instant) {
            now_.wall += next - now_.instant;
            now_.instant = next;
        }
        if (deadline && *deadline <= now_.instant)
            tell([&](Scheduler& scheduler) { scheduler.deadline_passed(now_); });
        while (!events_.empty() && events_.top().at <= now_.instant) {
            const Event event = events_.top();
            events_.pop();
            happen(event);
        }
    }
    report_.makespan = now_.instant - began;
    report_.all_attempts = lower_bound();
    report_.peak_bytes = peak_owned_bytes();
    for (const Lane& lane : lanes_)
        report_.unsettled +=
            static_cast<std::uint64_t>(std::count(lane.known.begin(), lane.known.end(), false)) +
            lane.deferred.size();
    return report_;
}

void ScaleWorld::happen(const Event& event) {
    const auto session = sessions_.find(event.slot);
    switch (event.kind) {
        case Kind::kReady:
            if (session == sessions_.end()) return;
            session->second.ready = true;
            tell([&](Scheduler& scheduler) {
                scheduler.sender_reported(SessionReady{event.slot}, now_);
            });
            return;
        case Kind::kLease: {
            const auto lease = std::static_pointer_cast<const Lease>(event.what);
            CHECK(session != sessions_.end());
            session->second.queue.emplace_back(lease, 0);
            start_more(event.slot, session->second);
            return;
        }
        case Kind::kDone:
            attempt_done(event.slot, *std::static_pointer_cast<const Lease>(event.what),
                         event.index);
            return;
        case Kind::kClose:
            if (session == sessions_.end()) return;
            session->second.closing = true;
            start_more(event.slot, session->second);
            return;
        case Kind::kCommit:
            return commit();
        case Kind::kAnswer:
            return answer(*std::static_pointer_cast<const ReaderRequest>(event.what));
        case Kind::kResolve:
            return resolve(*std::static_pointer_cast<const std::string>(event.what));
    }
}

void ScaleWorld::settle() {
    own_allocations(true);
    SchedulerOutput& output = scheduler_->settle(now_);
    const SchedulerOutput orders = std::exchange(output, {});
    own_allocations(false);
    for (const ReaderRequest& request : orders.reader)
        post(kRead, Kind::kAnswer, 0, 0, std::make_shared<const ReaderRequest>(request));
    entries_.insert(entries_.end(), orders.journal.begin(), orders.journal.end());
    if (!entries_.empty() && !std::exchange(committing_, true))
        post(kCommit, Kind::kCommit, 0, 0, nullptr);
    for (const ResolveDomain& question : orders.resolver)
        post(milliseconds(20), Kind::kResolve, 0, 0,
             std::make_shared<const std::string>(question.domain));
    for (const auto& [sender, order] : orders.senders) ordered(order);
}

void ScaleWorld::ordered(const SenderOrder& order) {
    if (const auto* opening = std::get_if<OpenSession>(&order)) {
        sessions_.emplace(opening->slot, Session{});
        report_.peak_sessions =
            std::max(report_.peak_sessions, static_cast<std::uint32_t>(sessions_.size()));
        post(kHandshake, Kind::kReady, opening->slot, 0, nullptr);
    } else if (const auto* closing = std::get_if<CloseSession>(&order)) {
        post(Duration(0), Kind::kClose, closing->slot, 0, nullptr);
    }
}

// As a sender does: so many in flight, and what was not started in time comes back.
void ScaleWorld::start_more(SlotId id, Session& session) {
    while (!session.queue.empty()) {
        auto& [lease, next] = session.queue.front();
        const bool late = session.closing || lease->valid_until <= now_.instant;
        if (!late && session.in_flight >= kAhead) break;
        if (late) {
            ++report_.returned;
            tell([&](Scheduler& scheduler) {
                scheduler.sender_reported(
                    AttemptDone{lease->sequence, next, AttemptEnd::kReturned, false, {}, {}}, now_);
            });
        } else {
            ++session.in_flight;
            post(kTransaction, Kind::kDone, id, next, lease);
        }
        if (++next == lease->recipients.size()) session.queue.pop_front();
    }
    end_if_idle(id, session);
}

void ScaleWorld::end_if_idle(SlotId id, Session& session) {
    if (!session.closing || session.in_flight > 0) return;
    const SessionClosed closed{
        id, Stage::kNone, {}, Category::kNone, Action::kNone, session.messages};
    sessions_.erase(id);
    tell([&](Scheduler& scheduler) { scheduler.sender_reported(closed, now_); });
}

void ScaleWorld::attempt_done(SlotId id, const Lease& lease, std::uint32_t index) {
    Lane& lane = lanes_[by_domain_.at(lease.lane.domain)];
    const bool first = lease.recipients[index].previous() == nullptr;
    AttemptDone done{lease.sequence, index, AttemptEnd::kRefused, false, {}, kTransaction};
    done.attempt.time = now_.wall;
    if (first && (lane.greylists || random_.chance(kDeferredShare))) {
        done.attempt.stage = Stage::kRcpt;
        done.attempt.reply.code = 451;
        ++lane.deferrals;
        done.attempt.category = lane.greylists ? Category::kGreylisted : Category::kTemporary;
        done.attempt.action = Action::kRetry;
    } else if (first && random_.chance(kUnknownShare)) {
        done.attempt.stage = Stage::kRcpt;
        done.attempt.reply.code = 550;
        done.attempt.category = Category::kInvalidMailbox;
        done.attempt.action = Action::kSuppress;
    } else {
        done.end = AttemptEnd::kAccepted;
        done.attempt.stage = Stage::kDot;
        done.attempt.reply.code = 250;
    }
    Session& session = sessions_.at(id);
    --session.in_flight;
    ++session.messages;
    tell([&](Scheduler& scheduler) { scheduler.sender_reported(std::move(done), now_); });
    start_more(id, session);
}

}  // namespace posthorn::sim
