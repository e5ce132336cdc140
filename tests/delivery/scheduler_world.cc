// Long because a world is one thing: splitting it would only hide how its parts meet.
#include "tests/delivery/scheduler_world.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/base/bytes.h"
#include "engine/base/check.h"
#include "engine/delivery/reader.h"
#include "engine/queue/audience_row.h"
#include "engine/queue/keys.h"
#include "engine/queue/memory_store.h"
#include "engine/queue/records.h"

namespace posthorn {

namespace {

std::string local_key_of(std::uint32_t number) { return local_key("u" + std::to_string(number)); }

}  // namespace

SchedulerWorld::SchedulerWorld(DeliveryLimits limits, std::uint64_t seed)
    : limits_(limits), random_(seed), store_(make_memory_store()) {
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
    const LaneId lane{campaign, domain};
    WriteBatch batch;
    for (const std::string& local : locals) {
        std::string row;
        AudienceRowWriter(row, local.substr(4) + "@" + domain, {});
        batch.put(Family::kAudience, audience_key(lane, local), row);
    }
    batch.put(Family::kLane, lane_key(lane), encode(LaneRecord{recipients, {}, {}}));
    batch.put(Family::kLaneOrder, lane_order_key(campaign, lane_band(recipients), domain), {});
    ASSERT_TRUE(store_->write(batch));
}

void SchedulerWorld::suppress_in_store(const std::string& domain, std::uint32_t recipient) {
    const std::string address = "u" + std::to_string(recipient) + "@" + domain;
    WriteBatch batch;
    batch.put(Family::kSuppression, suppression_key({}, address),
              encode(SuppressionRecord{address, "manual", "operator", now_.wall, false}));
    ASSERT_TRUE(store_->write(batch));
    suppressed_.emplace(domain, local_key_of(recipient));
}

void SchedulerWorld::begin() {
    ++epoch_;
    begun_ = now_.instant;
    first_attempt_.reset();
    auto journal = Journal::open(*store_, now_.wall, [this](CampaignNumber campaign) {
        return plans_.at(campaign).retry.hold_uncertain;
    });
    ASSERT_TRUE(journal) << journal.error().message;
    journal_ = std::move(*journal);
    scheduler_ = std::make_unique<Scheduler>(limits_, sources_, 2, journal_->recovery().next_lease,
                                             Random(random_.next()));
    scheduler_->set_shaping(std::make_shared<const Shaping>(shaping_));
    const std::string prefix = state_prefix(kShapingKind);
    const auto used = store_->cursor(Family::kState, prefix, prefix_end(prefix));
    for (used->seek(prefix); used->valid(); used->next())
        scheduler_->shaping_restored(used->key().substr(prefix.size()), used->value(), now_);
    const std::string paces = state_prefix(kPaceKind);
    const auto pace = store_->cursor(Family::kState, paces, prefix_end(paces));
    for (pace->seek(paces); pace->valid(); pace->next())
        scheduler_->pace_restored(pace->key().substr(paces.size()), pace->value(), now_);
    const std::string holds = state_prefix(kSiteHoldKind);
    const auto held = store_->cursor(Family::kState, holds, prefix_end(holds));
    for (held->seek(holds); held->valid(); held->next())
        scheduler_->site_hold_restored(held->key().substr(holds.size()), held->value(), now_);
    for (const auto& [number, plan] : plans_) {
        if (plan.record.finished != WallTime()) continue;
        scheduler_->campaign_added(plan, journal_->figures(number), now_);
        std::string key;
        put_u32(key, number);
        const auto cursor = store_->get(Family::kState, state_key("cursor", key));
        ASSERT_TRUE(cursor);
        if (*cursor) scheduler_->cursor_known(number, **cursor);
    }
    settle();
}

void SchedulerWorld::crash() {
    scheduler_.reset();
    journal_.reset();
    events_.clear();
    slots_.clear();
    opening_.clear();
    leased_.clear();
    leases_.clear();
    uncommitted_.clear();
    committing_ = false;
    for (auto& [domain, receiver] : receivers_) receiver.sessions = 0;
}

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
    for (const CampaignNumber number : scheduler_->campaigns())
        EXPECT_EQ(scheduler_->campaign(number)->rewalks, 0u) << "the walk passed somebody over";
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
        after(short_delay() + moods_[question.domain].resolves_after,
              [this, question] { resolve(question.domain); });
    for (const auto& [sender, order] : orders.senders)
        after(Duration(100), [this, sender = sender, order = order] { ordered(sender, order); });
    for (const Notice& notice : orders.notices) notices_.push_back(notice.text);
}

void SchedulerWorld::answer(const ReaderRequest& request) {
    scheduler_->reader_answered(Reader(*store_).answer(request), now_);
}

void SchedulerWorld::commit() {
    committing_ = false;
    const std::vector<JournalEntry> entries = std::exchange(uncommitted_, {});
    for (const JournalEntry& entry : entries) {
        if (const auto* grant = std::get_if<GrantLease>(&entry)) check(*grant);
        if (const auto* outcome = std::get_if<RecordOutcome>(&entry)) check(*outcome);
        if (const auto* returned = std::get_if<RecordReturned>(&entry))
            leased_.erase(leases_.at({returned->lease, std::string(returned->recipient.local())}));
        if (const auto* put = std::get_if<PutCampaign>(&entry))
            plans_.at(put->campaign.number).record = put->campaign;
    }
    auto report = journal_->commit(entries, now_.wall);
    ASSERT_TRUE(report) << report.error().message;
    for (const JournalEntry& entry : entries) {
        if (const auto* grant = std::get_if<GrantLease>(&entry))
            after(Duration(200), [this, lease = grant->lease] { lease_arrived(lease); });
        if (const auto* mark = std::get_if<RecordMark>(&entry)) check(*mark);
        if (const auto* put = std::get_if<PutState>(&entry); put && put->kind == "cursor")
            check_cursor(*put);
    }
    scheduler_->journal_reported(std::move(*report), now_);
}

std::optional<OutcomeRecord> SchedulerWorld::outcome_of(const Key& key) const {
    const auto& [campaign, domain, local] = key;
    const auto stored = store_->get(Family::kOutcome, audience_key({campaign, domain}, local));
    if (!stored || !*stored) return std::nullopt;
    auto outcome = decode_outcome(**stored);
    EXPECT_TRUE(outcome);
    return std::move(*outcome);
}

void SchedulerWorld::check(const GrantLease& entry) {
    const Lease& lease = *entry.lease;
    for (const Recipient& recipient : lease.recipients) {
        const Key key{lease.lane.campaign, lease.lane.domain, std::string(recipient.local())};
        EXPECT_TRUE(leased_.insert(key).second) << "leased twice at once";
        leases_[{lease.sequence, std::get<2>(key)}] = key;
        EXPECT_FALSE(suppressed_.contains({lease.lane.domain, std::get<2>(key)}))
            << "a suppressed recipient is leased";
        if (const auto known = outcome_of(key)) {
            EXPECT_FALSE(is_final(known->state)) << "leased after its outcome";
            EXPECT_TRUE(flushed_ || known->next_due <= now_.wall) << "retried early";
        }
    }
}

void SchedulerWorld::check(const RecordOutcome& entry) {
    const Key key{entry.lane.campaign, entry.lane.domain, std::string(entry.recipient.local())};
    const auto known = outcome_of(key);
    EXPECT_FALSE(known && is_final(known->state)) << "a final outcome is replaced";
    if (entry.lease != 0) leased_.erase(key);
    if (entry.suppress) suppressed_.emplace(entry.lane.domain, std::get<2>(key));
    if (entry.state == OutcomeState::kDelivered) {
        EXPECT_GT(delivered_[key], 0u) << "believed delivered, but no receiver has it";
    }
}

void SchedulerWorld::check(const RecordMark& entry) {
    for (const std::string& local : audience_[entry.lane.campaign][entry.lane.domain]) {
        if (local > entry.local) break;
        EXPECT_TRUE(outcome_of({entry.lane.campaign, entry.lane.domain, local}))
            << "the mark leads";
    }
}

// Lanes up to it have an outcome for everybody, except those that it names.
void SchedulerWorld::check_cursor(const PutState& entry) {
    const CampaignNumber campaign = ByteReader(entry.key).u32();
    ByteReader in(*entry.value);
    const std::string after(in.string());
    std::set<std::string> named;
    while (in.ok() && !in.at_end()) named.emplace(in.string());
    ASSERT_TRUE(in.ok());
    for (const auto& [domain, locals] : audience_[campaign]) {
        const std::string place = lane_order_key(campaign, lane_band(locals.size()), domain);
        if (place > after || named.contains(domain)) continue;
        for (const std::string& local : locals)
            EXPECT_TRUE(outcome_of({campaign, domain, local})) << "the cursor leads at " << domain;
    }
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
        host.tlsa = mood.tlsa;
        host.tlsa_base = host.name;
        answer.hosts.hosts.push_back(host);
        answer.sts = mood.sts;
    }
    scheduler_->domain_resolved(std::move(answer), now_);
}

void SchedulerWorld::ordered(std::uint32_t sender, const SenderOrder& order) {
    EXPECT_LT(sender, 2u);
    if (const auto* opening = std::get_if<OpenSession>(&order)) {
        open(*opening);
    } else if (const auto* closing = std::get_if<CloseSession>(&order)) {
        const auto slot = slots_.find(closing->slot);
        if (slot == slots_.end()) {
            if (opening_.erase(closing->slot) > 0)
                scheduler_->sender_reported(
                    SessionClosed{
                        closing->slot, Stage::kNone, {}, Category::kNone, Action::kNone, 0},
                    now_);
            return;
        }
        slot->second.closing = true;
        if (slot->second.pending == 0) end_session(closing->slot, {});
    }
}

void SchedulerWorld::open(const OpenSession& order) {
    const std::string domain = order.host.substr(order.host.find('.') + 1);
    Mood& mood = moods_[domain];
    opening_.insert(order.slot);
    receivers_[domain].tls.push_back(order.tls);
    after(Duration(1000 + static_cast<std::int64_t>(random_.below(20'000))),
          [this, order, domain, &mood] {
              if (opening_.erase(order.slot) == 0) return;  // closed meanwhile
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
              const bool hated = mood.only_source.empty() || mood.only_source == order.source;
              if (mood.refuses_greeting && hated) {
                  scheduler_->sender_reported(
                      SessionFailed{order.slot, Stage::kConnect, Reply{554, {}, "you are listed"},
                                    Category::kReputation, Action::kStop},
                      now_);
                  return;
              }
              if (now_.instant < receiver.penalty_end) {
                  scheduler_->sender_reported(
                      SessionFailed{order.slot, Stage::kConnect, Reply{421, {}, "unusual rate"},
                                    Category::kRateLimited, Action::kSlow},
                      now_);
                  return;
              }
              ++receiver.opened;
              receiver.most_sessions = std::max(receiver.most_sessions, ++receiver.sessions);
              slots_[order.slot] = SlotState{order, domain, true, false, 0, 0, {}};
              SessionReady ready{order.slot};
              ready.domain_max = mood.domains_told;
              scheduler_->sender_reported(ready, now_);
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
    slot->second.domains.insert(lease->lane.domain);
    Receiver& receiver = receivers_[slot->second.domain];
    receiver.most_domains = std::max(receiver.most_domains, slot->second.domains.size());
    slot->second.pending += static_cast<std::uint32_t>(lease->recipients.size());
    Duration at(0);
    for (std::uint32_t i = 0; i < lease->recipients.size(); ++i) {
        const Duration most = moods_[slot->second.domain].latency_max;
        const Instant begins = now_.instant + at;
        at += Duration(
            static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(most.count()) + 1)));
        after(at, [this, lease, i, begins] { attempt(lease, i, begins); });
    }
}

void SchedulerWorld::attempt(const std::shared_ptr<const Lease>& lease, std::uint32_t index,
                             Instant begins) {
    AttemptDone done{lease->sequence, index, AttemptEnd::kReturned, false, {}, {}};
    const auto found = slots_.find(lease->slot);
    const bool expired = begins > lease->valid_until;
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
    receiver.times.push_back(begins);
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
    ++receiver.by_source[slot.order.source];
    done.end = AttemptEnd::kRefused;
    if (over_hidden_limit(mood, receiver)) {
        ++receiver.slowed;
        done.attempt.stage = Stage::kRcpt;
        done.attempt.reply = Reply{421, {}, "unusual rate"};
        done.attempt.category = Category::kRateLimited;
        done.attempt.action = Action::kSlow;
        scheduler_->sender_reported(std::move(done), now_);
        end_session(lease->slot, Reply{421, {}, "unusual rate"}, Action::kSlow);
        return;
    }
    if (speaks_of_the_source(slot, mood, done.attempt)) {
        // as it says
    } else if (random_.chance(mood.defer)) {
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

bool SchedulerWorld::over_hidden_limit(const Mood& mood, Receiver& receiver) {
    if (mood.hidden_rate <= 0) return false;
    if (now_.instant < receiver.penalty_end) return true;
    const std::chrono::duration<double> since = now_.instant - receiver.filled;
    receiver.tokens =
        receiver.tokens < 0
            ? mood.hidden_burst
            : std::min(mood.hidden_burst, receiver.tokens + mood.hidden_rate * since.count());
    receiver.filled = now_.instant;
    if (receiver.tokens < 1) {
        receiver.penalty_end = now_.instant + mood.penalty;
        return true;
    }
    receiver.tokens -= 1;
    return false;
}

bool SchedulerWorld::speaks_of_the_source(const SlotState& slot, const Mood& mood,
                                          AttemptRecord& attempt) {
    if (!mood.only_source.empty() && mood.only_source != slot.order.source) return false;
    if (random_.chance(mood.stop)) {
        attempt.reply = Reply{554, {}, "you are listed"};
        attempt.category = Category::kReputation;
        attempt.action = Action::kStop;
    } else if (random_.chance(mood.spam)) {
        attempt.reply = Reply{554, {}, "looks like spam"};
        attempt.category = Category::kSpamContent;
        attempt.action = Action::kDrop;
    } else if (random_.chance(mood.slow)) {
        attempt.reply = Reply{451, {}, "unusual rate"};
        attempt.category = Category::kRateLimited;
        attempt.action = Action::kSlow;
    } else {
        return false;
    }
    return true;
}

// Pending attempts of the session find it gone and come back.
void SchedulerWorld::end_session(SlotId id, const Reply& reply, Action action) {
    const auto found = slots_.find(id);
    if (found == slots_.end()) return;
    SessionClosed closed{id,     reply.text.empty() ? Stage::kNone : Stage::kMail,
                         reply,  Category::kNone,
                         action, found->second.messages};
    --receivers_[found->second.domain].sessions;
    slots_.erase(found);
    scheduler_->sender_reported(std::move(closed), now_);
}

std::uint64_t SchedulerWorld::count(CampaignNumber campaign, OutcomeState state) const {
    const std::string prefix = campaign_prefix(campaign);
    auto cursor = store_->cursor(Family::kOutcome, prefix, prefix_end(prefix));
    std::uint64_t sum = 0;
    for (cursor->seek(prefix); cursor->valid(); cursor->next())
        sum += decode_outcome_head(cursor->value())->state == state;
    // What the journal counted is what is there.
    EXPECT_EQ(journal_->figures(campaign).by_state[static_cast<std::size_t>(state)], sum);
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
    return journal_->figures(campaign).possible_duplicates;
}

std::uint64_t SchedulerWorld::attempts(const std::string& domain) const {
    const auto found = receivers_.find(domain);
    return found == receivers_.end() ? 0 : found->second.attempts;
}

std::uint64_t SchedulerWorld::told_to_slow_down(const std::string& domain) const {
    const auto found = receivers_.find(domain);
    return found == receivers_.end() ? 0 : found->second.slowed;
}

std::uint64_t SchedulerWorld::attempts_from(const std::string& domain,
                                            const std::string& source) const {
    const auto found = receivers_.find(domain);
    if (found == receivers_.end()) return 0;
    const auto from = found->second.by_source.find(source);
    return from == found->second.by_source.end() ? 0 : from->second;
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

std::size_t most_in_window(std::vector<Instant> times, Duration window) {
    std::sort(times.begin(), times.end());
    std::size_t most = 0;
    for (std::size_t first = 0, last = 0; last < times.size(); ++last) {
        while (times[last] - times[first] >= window) ++first;
        most = std::max(most, last - first + 1);
    }
    return most;
}

}  // namespace posthorn
