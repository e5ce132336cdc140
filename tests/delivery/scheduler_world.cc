// Long because a world is one thing: splitting it would only hide how its parts meet.
#include "tests/delivery/scheduler_world.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/base/bytes.h"
#include "engine/base/check.h"
#include "engine/base/hash.h"

namespace posthorn {

namespace {

std::string local_key_of(std::uint32_t number) {
    const std::string local = "u" + std::to_string(number);
    std::string key;
    put_u32(key, hash32(local));
    return key + local;
}

std::string lane_order_key(std::size_t size, const std::string& domain) {
    std::string key;
    std::uint8_t log = 0;
    while (size >>= 1) ++log;
    put_u8(key, static_cast<std::uint8_t>(255 - log));
    return key + domain;
}

}  // namespace

SchedulerWorld::SchedulerWorld(DeliveryLimits limits, std::uint64_t seed)
    : limits_(limits), random_(seed) {
    limits_.allow_private_addresses = true;
}

CampaignPlan& SchedulerWorld::add_campaign(CampaignNumber number) {
    CampaignPlan& plan = plans_[number];
    plan.record.number = number;
    plan.record.id = "c" + std::to_string(number);
    plan.record.state = CampaignState::kRunning;
    return plan;
}

void SchedulerWorld::add_lane(CampaignNumber campaign, const std::string& domain,
                              std::uint32_t recipients) {
    auto& locals = audience_[campaign][domain];
    for (std::uint32_t i = 0; i < recipients; ++i) locals.push_back(local_key_of(i));
    std::sort(locals.begin(), locals.end());
    plans_.at(campaign).record.audience.recipients += recipients;
}

void SchedulerWorld::suppress_in_store(const std::string& domain, std::uint32_t recipient) {
    for (const auto& [campaign, lanes] : audience_)
        if (lanes.contains(domain)) suppressed_.emplace(campaign, domain, local_key_of(recipient));
}

void SchedulerWorld::begin() {
    ++epoch_;
    begun_ = now_.instant;
    first_attempt_.reset();
    scheduler_ =
        std::make_unique<Scheduler>(limits_, std::vector<Source>{{"default", {}, "me.test"}}, 2,
                                    next_lease_, Random(random_.next()));
    for (const auto& [number, plan] : plans_) {
        if (plan.record.finished != WallTime()) continue;
        scheduler_->campaign_added(plan, figures_[number], now_);
        if (cursors_.contains(number)) scheduler_->cursor_known(number, cursors_[number]);
    }
    settle();
}

// What is in an open lease without an outcome may have been delivered: resend, and say so.
void SchedulerWorld::crash() {
    scheduler_.reset();
    events_.clear();
    slots_.clear();
    leased_.clear();
    uncommitted_.clear();
    committing_ = false;
    for (auto& [domain, receiver] : receivers_) receiver.sessions = 0;
    for (const auto& [sequence, lease] : open_leases_) {
        for (const std::string& local : lease_locals_[sequence]) {
            const Key key{lease->lane.campaign, lease->lane.domain, local};
            const auto known = outcomes_.find(key);
            OutcomeRecord record = known != outcomes_.end() ? known->second : OutcomeRecord{};
            const OutcomeRecord before = record;
            if (record.attempts == 0) record.first_lease = lease->time;
            retries_.erase({key_campaign(key), lease->lane.domain, record.next_due, local});
            ++record.attempts;
            record.latest.assign(1, AttemptRecord{});
            record.latest[0].uncertain = true;
            const bool hold = plans_.at(lease->lane.campaign).retry.hold_uncertain;
            record.state = hold ? OutcomeState::kUncertain : OutcomeState::kDeferred;
            record.next_due = now_.wall;
            if (!hold)
                retries_.insert({lease->lane.campaign, lease->lane.domain, now_.wall, local});
            settle_figures(lease->lane.campaign, known != outcomes_.end() ? &before : nullptr,
                           record, false);
            outcomes_[key] = record;
        }
    }
    open_leases_.clear();
    lease_locals_.clear();
}

CampaignNumber SchedulerWorld::key_campaign(const Key& key) { return std::get<0>(key); }

bool SchedulerWorld::finished() const {
    return std::all_of(plans_.begin(), plans_.end(), [](const auto& entry) {
        return entry.second.record.finished != WallTime();
    });
}

void SchedulerWorld::run_for(Duration span) {
    const Instant end = now_.instant + span;
    settle();
    while (now_.instant < end) {
        const auto deadline = scheduler_->deadline(now_);
        const Instant next = std::min(
            {end, events_.empty() ? end : events_.begin()->first, deadline ? *deadline : end});
        now_.wall += std::max(Duration(0), next - now_.instant);
        now_.instant = std::max(now_.instant, next);
        step();
    }
}

void SchedulerWorld::run_until_finished(Duration at_most) {
    const Instant end = now_.instant + at_most;
    settle();
    while (!finished() && now_.instant < end) {
        const auto deadline = scheduler_->deadline(now_);
        if (events_.empty() && !deadline) break;  // stuck: nothing will ever happen
        const Instant next = std::min(events_.empty() ? Instant::max() : events_.begin()->first,
                                      deadline ? *deadline : Instant::max());
        now_.wall += std::max(Duration(0), next - now_.instant);
        now_.instant = std::max(now_.instant, next);
        step();
    }
    const StatusView view = scheduler_->status(now_);
    EXPECT_TRUE(finished()) << "not finished: " << view.lanes_open << " lanes open, "
                            << view.lanes_parked << " parked, " << view.rows_ahead
                            << " rows ahead, " << view.in_flight << " in flight, " << view.sessions
                            << " sessions, " << view.sites << " sites";
}

void SchedulerWorld::run_until_stopped(Duration at_most) {
    scheduler_->stop(now_);
    settle();
    const Instant end = now_.instant + at_most;
    while (!scheduler_->stopped() && now_.instant < end && !events_.empty()) {
        const Instant next = std::max(now_.instant, events_.begin()->first);
        now_.wall += next - now_.instant;
        now_.instant = next;
        step();
    }
    EXPECT_TRUE(scheduler_->stopped());
}

void SchedulerWorld::step() {
    if (const auto deadline = scheduler_->deadline(now_); deadline && *deadline <= now_.instant)
        scheduler_->deadline_passed(now_);
    while (!events_.empty() && events_.begin()->first <= now_.instant) {
        const auto action = std::move(events_.begin()->second);
        events_.erase(events_.begin());
        action();
    }
    settle();
}

void SchedulerWorld::after(Duration delay, std::function<void()> action) {
    events_.emplace(now_.instant + delay, [this, epoch = epoch_, action = std::move(action)] {
        if (epoch == epoch_) action();
    });
}

Duration SchedulerWorld::short_delay() {
    return Duration(static_cast<std::int64_t>(random_.below(5000)));
}

void SchedulerWorld::settle() {
    SchedulerOutput& output = scheduler_->settle(now_);
    const SchedulerOutput orders = std::move(output);
    output = {};
    for (const ReaderRequest& request : orders.reader)
        after(short_delay(), [this, request] { answer(request); });
    for (const JournalEntry& entry : orders.journal) uncommitted_.push_back(entry);
    if (!uncommitted_.empty() && !committing_) {
        committing_ = true;
        after(short_delay(), [this] { commit(); });
    }
    for (const ResolveDomain& question : orders.resolver)
        after(short_delay(), [this, question] { resolve(question.domain); });
    for (const auto& [sender, order] : orders.senders)
        after(Duration(100), [this, sender = sender, order = order] { ordered(sender, order); });
    for (const Notice& notice : orders.notices) notices_.push_back(notice.text);
}

void SchedulerWorld::answer(const ReaderRequest& request) {
    std::visit([this](const auto& asked) { read(asked); }, request);
}

void SchedulerWorld::append_row(Page& page, const Key& key, WallTime due) {
    const auto& [campaign, domain, local] = key;
    Page::Item item;
    item.local_at = static_cast<std::uint32_t>(page.bytes.size());
    item.local_bytes = static_cast<std::uint16_t>(local.size());
    item.due = due;
    item.suppressed = suppressed_.contains(key);
    page.bytes += local;
    if (const auto known = outcomes_.find(key); known != outcomes_.end()) {
        item.previous = static_cast<std::int32_t>(page.previous.size());
        page.previous.push_back(known->second);
    }
    page.items.push_back(item);
}

void SchedulerWorld::read(const OpenLanes& request) {
    std::map<std::string, std::string> order;
    for (const auto& [domain, locals] : audience_[request.campaign])
        order.emplace(lane_order_key(locals.size(), domain), domain);
    LanesOpened answer;
    answer.ticket = request.ticket;
    auto page = std::make_shared<Page>();
    auto at = request.after.empty() ? order.begin() : order.upper_bound(request.after);
    answer.next_after = request.after;
    while (at != order.end() && answer.lanes.size() < request.lanes_max &&
           page->items.size() < request.rows_max) {
        const auto& locals = audience_[request.campaign][at->second];
        LaneHead head{at->second, locals.size(), static_cast<std::uint32_t>(page->items.size()), 0,
                      true};
        for (const std::string& local : locals) {
            const Key key{request.campaign, at->second, local};
            if (outcomes_.contains(key)) continue;
            if (head.count == request.rows_per_lane_max) {
                head.complete = false;
                break;
            }
            append_row(*page, key, {});
            ++head.count;
        }
        if (head.count > 0) answer.lanes.push_back(head);
        answer.next_after = at->first;
        ++at;
    }
    answer.complete = at == order.end();
    answer.page = std::move(page);
    scheduler_->reader_answered(std::move(answer), now_);
}

void SchedulerWorld::read(const ReadFresh& request) {
    const auto& locals = audience_[request.lane.campaign][request.lane.domain];
    const std::string after = request.after.empty() ? marks_[request.lane] : request.after;
    RowsRead answer;
    answer.ticket = request.ticket;
    auto page = std::make_shared<Page>();
    auto at = std::upper_bound(locals.begin(), locals.end(), after);
    for (; at != locals.end() && page->items.size() < request.rows_max; ++at) {
        const Key key{request.lane.campaign, request.lane.domain, *at};
        if (!outcomes_.contains(key)) append_row(*page, key, {});
    }
    answer.complete = at == locals.end();
    answer.page = std::move(page);
    scheduler_->reader_answered(std::move(answer), now_);
}

void SchedulerWorld::read(const ReadDue& request) {
    RowsRead answer;
    answer.ticket = request.ticket;
    auto page = std::make_shared<Page>();
    auto at = retries_.upper_bound(
        {request.lane.campaign, request.lane.domain, request.after_due, request.after_local});
    answer.complete = true;
    for (; at != retries_.end() && std::get<0>(*at) == request.lane.campaign &&
           std::get<1>(*at) == request.lane.domain;
         ++at) {
        const WallTime due = std::get<2>(*at);
        if (due > request.until) {
            answer.next_due = due;
            break;
        }
        if (page->items.size() == request.rows_max) {
            answer.complete = false;
            break;
        }
        append_row(*page, {request.lane.campaign, request.lane.domain, std::get<3>(*at)}, due);
    }
    answer.page = std::move(page);
    scheduler_->reader_answered(std::move(answer), now_);
}

void SchedulerWorld::read(const ListDeferredLanes& request) {
    DeferredLanes answer;
    answer.ticket = request.ticket;
    answer.complete = true;
    answer.next_after = request.after_domain;
    for (const auto& [campaign, domain, due, local] : retries_) {
        if (campaign != request.campaign || domain <= request.after_domain) continue;
        if (!answer.lanes.empty() && answer.lanes.back().first == domain) continue;
        if (answer.lanes.size() == request.lanes_max) {
            answer.complete = false;
            break;
        }
        answer.lanes.emplace_back(domain, due);
        answer.next_after = domain;
    }
    scheduler_->reader_answered(std::move(answer), now_);
}

void SchedulerWorld::commit() {
    committing_ = false;
    JournalCommitted report;
    const std::vector<JournalEntry> entries = std::exchange(uncommitted_, {});
    report.entries = entries.size();
    for (const JournalEntry& entry : entries) {
        if (const auto* grant = std::get_if<GrantLease>(&entry)) apply(*grant);
        if (const auto* outcome = std::get_if<RecordOutcome>(&entry)) apply(*outcome, report);
        if (const auto* returned = std::get_if<RecordReturned>(&entry)) apply(*returned);
        if (const auto* mark = std::get_if<RecordMark>(&entry)) {
            for (const std::string& local : audience_[mark->lane.campaign][mark->lane.domain])
                if (local <= mark->local) {
                    EXPECT_TRUE(outcomes_.contains({mark->lane.campaign, mark->lane.domain, local}))
                        << "the mark leads";
                }
            marks_[mark->lane] = mark->local;
        }
        if (const auto* put = std::get_if<PutCampaign>(&entry)) {
            plans_.at(put->campaign.number).record = put->campaign;
        }
        if (const auto* state = std::get_if<PutState>(&entry); state && state->kind == "cursor")
            cursors_[ByteReader(state->key).u32()] = *state->value;
    }
    for (const auto& [number, figures] : figures_) report.figures.push_back({number, figures});
    scheduler_->journal_reported(std::move(report), now_);
}

void SchedulerWorld::apply(const GrantLease& entry) {
    const Lease& lease = *entry.lease;
    next_lease_ = std::max(next_lease_, lease.sequence + 1);
    for (const Recipient& recipient : lease.recipients) {
        const Key key{lease.lane.campaign, lease.lane.domain, std::string(recipient.local())};
        EXPECT_TRUE(leased_.insert(key).second) << "leased twice at once";
        EXPECT_FALSE(suppressed_.contains(key)) << "a suppressed recipient is leased";
        if (const auto known = outcomes_.find(key); known != outcomes_.end()) {
            EXPECT_FALSE(is_final(known->second.state)) << "leased after its outcome";
            EXPECT_TRUE(flushed_ || known->second.next_due <= now_.wall) << "retried early";
        }
        lease_locals_[lease.sequence].insert(std::string(recipient.local()));
    }
    open_leases_[lease.sequence] = entry.lease;
    after(Duration(200), [this, shared = entry.lease] { lease_arrived(shared); });
}

void SchedulerWorld::settle_figures(CampaignNumber campaign, const OutcomeRecord* before,
                                    const OutcomeRecord& after, bool counts_twice) {
    Figures& figures = figures_[campaign];
    if (before != nullptr) --figures.by_state[static_cast<std::size_t>(before->state)];
    ++figures.by_state[static_cast<std::size_t>(after.state)];
    if (counts_twice) ++figures.possible_duplicates;
}

void SchedulerWorld::apply(const RecordOutcome& entry, JournalCommitted& report) {
    const Key key{entry.lane.campaign, entry.lane.domain, std::string(entry.recipient.local())};
    const auto known = outcomes_.find(key);
    OutcomeRecord record = known != outcomes_.end() ? known->second : OutcomeRecord{};
    const OutcomeRecord before = record;
    EXPECT_FALSE(known != outcomes_.end() && is_final(record.state))
        << "a final outcome is replaced";
    retries_.erase({entry.lane.campaign, entry.lane.domain, record.next_due, std::get<2>(key)});
    const bool counts_twice =
        entry.lease != 0 && !before.latest.empty() && before.latest.back().uncertain;
    record.state = entry.state;
    record.category = entry.category;
    record.first_lease = entry.first_lease;
    record.next_due = entry.next_due;
    if (entry.lease != 0) {
        ++record.attempts;
        record.latest.assign(1, *entry.attempt);
        leased_.erase(key);
        lease_locals_[entry.lease].erase(std::get<2>(key));
        if (lease_locals_[entry.lease].empty()) open_leases_.erase(entry.lease);
    }
    if (entry.state == OutcomeState::kDelivered) {
        EXPECT_GT(delivered_[key], 0u) << "believed delivered, but no receiver has it";
    }
    if (entry.suppress)
        for (const auto& [campaign, lanes] : audience_)
            suppressed_.emplace(campaign, entry.lane.domain, std::get<2>(key));
    if (entry.state == OutcomeState::kDeferred)
        retries_.insert({entry.lane.campaign, entry.lane.domain, entry.next_due, std::get<2>(key)});
    settle_figures(entry.lane.campaign, known != outcomes_.end() ? &before : nullptr, record,
                   counts_twice);
    outcomes_[key] = record;
    report.outcomes.push_back({entry.lane, entry.lease, entry.state, entry.next_due});
}

void SchedulerWorld::apply(const RecordReturned& entry) {
    const auto lease = open_leases_.find(entry.lease);
    ASSERT_NE(lease, open_leases_.end());
    const std::string local(entry.recipient.local());
    leased_.erase({lease->second->lane.campaign, lease->second->lane.domain, local});
    lease_locals_[entry.lease].erase(local);
    if (lease_locals_[entry.lease].empty()) open_leases_.erase(entry.lease);
}

void SchedulerWorld::resolve(const std::string& domain) {
    const Mood& mood = moods_[domain];
    DomainResolved answer{domain, {}};
    answer.hosts.verdict = mood.verdict;
    answer.hosts.ttl = std::chrono::minutes(10);
    answer.hosts.detail = "as the world wants it";
    if (mood.verdict == DnsVerdict::kFound) {
        MailHost host;
        host.name = mood.host.empty() ? "mx." + domain : mood.host;
        host.preference = 10;
        host.addresses.push_back(*IpAddress::parse("127.0.0.2"));
        answer.hosts.hosts.push_back(host);
    }
    scheduler_->domain_resolved(std::move(answer), now_);
}

void SchedulerWorld::ordered(std::uint32_t sender, const SenderOrder& order) {
    EXPECT_LT(sender, 2u);
    if (const auto* opening = std::get_if<OpenSession>(&order)) {
        open(*opening);
    } else if (const auto* closing = std::get_if<CloseSession>(&order)) {
        const auto slot = slots_.find(closing->slot);
        if (slot == slots_.end()) return;
        slot->second.closing = true;
        if (slot->second.pending == 0) end_session(closing->slot, {});
    }
}

void SchedulerWorld::open(const OpenSession& order) {
    const std::string domain = order.host.substr(order.host.find('.') + 1);
    Mood& mood = moods_[domain];
    after(Duration(1000 + static_cast<std::int64_t>(random_.below(20'000))),
          [this, order, domain, &mood] {
              Receiver& receiver = receivers_[domain];
              if (random_.chance(mood.connect_fails)) {
                  scheduler_->sender_reported(
                      SessionFailed{order.slot, Stage::kConnect, Reply{0, {}, "connection refused"},
                                    Category::kNetwork, Action::kRetry},
                      now_);
                  return;
              }
              if (mood.sessions_max > 0 && receiver.sessions >= mood.sessions_max) {
                  scheduler_->sender_reported(SessionFailed{order.slot, Stage::kConnect,
                                                            Reply{421, {}, "too many connections"},
                                                            Category::kRateLimited, Action::kSlow},
                                              now_);
                  return;
              }
              ++receiver.opened;
              receiver.most_sessions = std::max(receiver.most_sessions, ++receiver.sessions);
              slots_[order.slot] = SlotState{order, domain, true, false, 0, 0};
              scheduler_->sender_reported(SessionReady{order.slot}, now_);
          });
}

void SchedulerWorld::lease_arrived(const std::shared_ptr<const Lease>& lease) {
    const auto slot = slots_.find(lease->slot);
    if (slot == slots_.end() || slot->second.closing) {
        for (std::uint32_t i = 0; i < lease->recipients.size(); ++i)
            scheduler_->sender_reported(
                AttemptDone{lease->sequence, i, AttemptEnd::kReturned, false, {}, {}}, now_);
        return;
    }
    slot->second.pending += static_cast<std::uint32_t>(lease->recipients.size());
    Duration at(0);
    for (std::uint32_t i = 0; i < lease->recipients.size(); ++i) {
        const Duration most = moods_[slot->second.domain].latency_max;
        at += Duration(
            static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(most.count()) + 1)));
        after(at, [this, lease, i] { attempt(lease, i); });
    }
}

void SchedulerWorld::attempt(const std::shared_ptr<const Lease>& lease, std::uint32_t index) {
    AttemptDone done{lease->sequence, index, AttemptEnd::kReturned, false, {}, {}};
    const auto found = slots_.find(lease->slot);
    const bool expired = now_.instant > lease->valid_until;
    if (found == slots_.end() || found->second.closing || expired) {
        if (found != slots_.end()) --found->second.pending;
        const SlotId slot = lease->slot;
        scheduler_->sender_reported(std::move(done), now_);
        if (found != slots_.end() && found->second.closing && found->second.pending == 0)
            end_session(slot, {});
        return;
    }
    SlotState& slot = found->second;
    const Mood& mood = moods_[slot.domain];
    Receiver& receiver = receivers_[slot.domain];
    const Key key{lease->lane.campaign, lease->lane.domain,
                  std::string(lease->recipients[index].local())};
    if (!first_attempt_) first_attempt_ = now_.instant;
    --slot.pending;
    done.attempt.time = now_.wall;
    done.attempt.stage = Stage::kDot;
    if (random_.chance(mood.cut_off)) {
        done.begun = true;
        scheduler_->sender_reported(std::move(done), now_);
        end_session(lease->slot, Reply{0, {}, "connection reset"});
        return;
    }
    ++receiver.attempts;
    receiver.times.push_back(now_.instant);
    ++slot.messages;
    if (random_.chance(mood.uncertain)) {
        if (random_.chance(0.5)) ++delivered_[key];
        done.end = AttemptEnd::kUncertain;
        done.attempt.uncertain = true;
        done.attempt.action = Action::kRetry;
        scheduler_->sender_reported(std::move(done), now_);
        end_session(lease->slot, Reply{0, {}, "connection reset"});
        return;
    }
    done.end = AttemptEnd::kRefused;
    if (random_.chance(mood.defer)) {
        done.attempt.reply = Reply{451, {}, "later"};
        done.attempt.category = Category::kTemporary;
        done.attempt.action = Action::kRetry;
    } else if (random_.chance(mood.bounce)) {
        done.attempt.stage = Stage::kRcpt;
        done.attempt.reply = Reply{550, {}, "no such user"};
        done.attempt.category = Category::kInvalidMailbox;
        done.attempt.action = Action::kSuppress;
    } else {
        done.end = AttemptEnd::kAccepted;
        done.attempt.reply = Reply{250, {}, "ok"};
        ++delivered_[key];
    }
    scheduler_->sender_reported(std::move(done), now_);
    if (mood.messages_max > 0 && slot.messages >= mood.messages_max) {
        end_session(lease->slot, Reply{421, {}, "enough for one session"});
    } else if (slot.closing && slot.pending == 0) {
        end_session(lease->slot, {});
    }
}

// Pending attempts of the session find it gone and come back.
void SchedulerWorld::end_session(SlotId id, const Reply& reply) {
    const auto found = slots_.find(id);
    if (found == slots_.end()) return;
    SessionClosed closed{id,
                         reply.text.empty() ? Stage::kNone : Stage::kMail,
                         reply,
                         Category::kNone,
                         Action::kNone,
                         found->second.messages};
    --receivers_[found->second.domain].sessions;
    slots_.erase(found);
    scheduler_->sender_reported(std::move(closed), now_);
}

std::uint64_t SchedulerWorld::count(CampaignNumber campaign, OutcomeState state) const {
    std::uint64_t sum = 0;
    for (const auto& [key, record] : outcomes_)
        sum += std::get<0>(key) == campaign && record.state == state;
    return sum;
}

std::uint64_t SchedulerWorld::deliveries(CampaignNumber campaign) const {
    std::uint64_t sum = 0;
    for (const auto& [key, times] : delivered_) sum += std::get<0>(key) == campaign ? times : 0;
    return sum;
}

std::uint64_t SchedulerWorld::extra_deliveries(CampaignNumber campaign) const {
    std::uint64_t sum = 0;
    for (const auto& [key, times] : delivered_)
        if (std::get<0>(key) == campaign && times > 1) sum += times - 1;
    return sum;
}

std::uint64_t SchedulerWorld::possible_duplicates(CampaignNumber campaign) const {
    const auto found = figures_.find(campaign);
    return found == figures_.end() ? 0 : found->second.possible_duplicates;
}

std::uint64_t SchedulerWorld::attempts(const std::string& domain) const {
    const auto found = receivers_.find(domain);
    return found == receivers_.end() ? 0 : found->second.attempts;
}

std::uint32_t SchedulerWorld::most_sessions(const std::string& domain) const {
    return receivers_.at(domain).most_sessions;
}

std::uint64_t SchedulerWorld::sessions_opened(const std::string& domain) const {
    return receivers_.at(domain).opened;
}

const std::vector<Instant>& SchedulerWorld::attempt_times(const std::string& domain) const {
    return receivers_.at(domain).times;
}

}  // namespace posthorn
