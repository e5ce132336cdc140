#include "tests/sim/world.h"

#include <algorithm>

#include "engine/base/bytes.h"
#include "engine/base/check.h"
#include "engine/queue/audience_row.h"
#include "engine/queue/keys.h"
#include "engine/queue/records.h"

namespace posthorn::sim {

namespace {

constexpr std::uint32_t kStepsAtOnceMax = 200'000;  // of one instant: more is a loop without end
constexpr Duration kStopMax = std::chrono::minutes(30);

}  // namespace

Scene::Scene(std::uint64_t seed, bool traced, std::shared_ptr<const Classifier> rules)
    : random(seed),
      knobs(Knobs::draw(random)),
      classifier(std::move(rules)),
      tape(traced),
      books(knobs, agenda, coverage),
      limits(knobs, agenda, books) {}

World::World(std::uint64_t seed, bool traced, std::shared_ptr<const Classifier> rules)
    : scene_(seed, traced, std::move(rules)), internet_(scene_) {
    scene_.store.on_durable(
        [this](const WriteBatch& batch) { scene_.books.becoming_durable(batch); });
    scene_.passed = [this](CrashPoint point) { return crash_at(point); };
    for (const CampaignKnobs& campaign : scene_.knobs.campaigns) {
        scene_.mails.push_back(
            std::make_shared<const InventedMail>(campaign.number, campaign.sizes));
        scene_.books.add_campaign(campaign.number, *scene_.mails.back());
        scene_.throttles.push_back(campaign.throttle);
        write_campaign(campaign);
    }
    CHECK(scene_.store.sync());
    plan_troubles();
}

void World::write_campaign(const CampaignKnobs& campaign) {
    CampaignRecord record;
    record.number = campaign.number;
    record.id = "c" + std::to_string(campaign.number);
    record.state =
        campaign.begins_after == Duration(0) ? CampaignState::kRunning : CampaignState::kImporting;
    record.definition = std::to_string(campaign.number - 1);
    WriteBatch batch;
    for (std::uint32_t d = 0; d < scene_.knobs.domains.size(); ++d) {
        const DomainKnobs& domain = scene_.knobs.domains[d];
        const std::uint32_t count = campaign.recipients[d];
        if (count == 0) continue;
        const LaneId lane{campaign.number, domain.name};
        for (std::uint32_t i = 0; i < count; ++i) {
            const std::uint32_t address = domain.first_address + i;
            scene_.books.add_recipient(campaign.number, address, d);
            std::string row;
            AudienceRowWriter(row, Books::written_local_of(address) + "@" + domain.name, {});
            batch.put(Family::kAudience, audience_key(lane, local_key(Books::local_of(address))),
                      row);
        }
        std::string size;
        put_varint(size, count);
        batch.put(Family::kLane, lane_key(lane), encode(LaneRecord{count, {}, {}}));
        batch.put(Family::kLaneOrder, lane_order_key(lane.campaign, lane_band(count), lane.domain),
                  size);
        record.audience.recipients += count;
        ++record.lanes;
    }
    record.audience.rows = record.audience.recipients;
    batch.put(Family::kCampaign, campaign_number_key(campaign.number), encode(record));
    CHECK(scene_.store.write(batch, Store::Sync::kDurable));
    if (campaign.begins_after == Duration(0)) begun_.push_back(campaign.number);
}

WorldReport World::run() {
    const Instant began = scene_.agenda.now().instant;
    const Instant calm = began + scene_.knobs.chaos;
    start_process();
    audit();
    while (!scene_.books.failed() && scene_.agenda.now().instant < calm && !finished()) step(calm);
    calm_down();
    const Instant end = scene_.agenda.now().instant + patience();
    while (!scene_.books.failed() && scene_.agenda.now().instant < end && !finished()) step(end);
    if (!scene_.books.failed() && !finished())
        scene_.books.fail('k', "not finished: " + standing());
    const Instant stopped = scene_.agenda.now().instant + kStopMax;
    if (!scene_.books.failed() && process_ != nullptr) {
        stop_orderly();
        while (process_ != nullptr && scene_.agenda.now().instant < stopped) step(stopped);
        if (process_ != nullptr) scene_.books.fail('k', "does not stop: " + standing());
    }
    internet_.settle_accounts();
    if (!scene_.books.failed()) scene_.books.check_end(scene_.store);

    WorldReport report;
    report.failures = scene_.books.failures();
    report.hash = scene_.tape.hash();
    report.attempts = scene_.books.attempts();
    report.crashes = crashes_;
    for (const Truth& truth : scene_.books.all()) report.recipients += truth.campaign != 0;
    report.took = scene_.agenda.now().instant - began;
    report.coverage = scene_.coverage;
    return report;
}

// The next thing that happens, and all that happens at the same instant.
void World::step(Instant end) {
    Instant next = std::min(end, scene_.agenda.next().value_or(end));
    if (process_ != nullptr) next = std::min(next, process_->deadline().value_or(end));
    scene_.agenda.advance_to(next);
    std::uint32_t steps = 0;
    do {
        if (++steps > kStepsAtOnceMax) {
            scene_.books.fail('k', "time stands still: " + standing());
            return;
        }
        (void)scene_.agenda.run_one_due();
        if (crashing_) crash(scene_.random.chance(0.5));
        if (process_ == nullptr) continue;
        process_->turn();
        if (process_->stopped()) end_stopped_process();
    } while (!scene_.books.failed() && scene_.agenda.next() &&
             *scene_.agenda.next() <= scene_.agenda.now().instant);
}

void World::start_process() {
    if (process_ != nullptr) return;
    crashing_ = stopping_ = false;
    process_ = std::make_unique<Process>(scene_, internet_);
    for (const CampaignNumber number : begun_) {
        const auto stored = scene_.store.get(Family::kCampaign, campaign_number_key(number));
        const auto record = decode_campaign(**stored);
        scene_.books.paused(number, record->state == CampaignState::kPaused);
        scene_.books.cancelled(number, record->state == CampaignState::kCancelled);
    }
    for (const DomainKnobs& domain : scene_.knobs.domains) {
        const auto held = scene_.store.get(Family::kState, state_key("hold", domain.name));
        scene_.books.held(domain.name, held->has_value());
    }
    const Status started = process_->start();
    if (crashing_) return crash(scene_.random.chance(0.5));
    if (!started) return scene_.books.fail('k', "it does not start: " + started.error().message);
    if (!scene_.chaos) let_everything_go();
}

// The process is gone; of what it had not synced the disk may have all, or not.
void World::crash(bool batch_survives) {
    crashing_ = false;
    stopping_ = false;
    ++crashes_;
    scene_.note("crash", crashes_, batch_survives);
    process_.reset();
    const std::size_t staged = scene_.store.staged();
    if (staged > 0 && batch_survives) scene_.coverage.met("crash batch survived");
    scene_.store.crash(batch_survives ? staged : 0);
    scene_.books.process_ended();
    scene_.limits.process_ended();
    scene_.agenda.after(scene_.drawn(std::chrono::seconds(20)), [this] { start_process(); });
}

// Whether the process ends at this point of its work; the step that asks goes no further.
bool World::crash_at(CrashPoint point) {
    if (process_ == nullptr || crashing_ || !scene_.chaos) return false;
    const std::vector<CrashKnobs>& crashes = scene_.knobs.crashes;
    while (next_crash_ < crashes.size() && crashes[next_crash_].point == CrashPoint::kAnyTime)
        ++next_crash_;
    if (next_crash_ == crashes.size()) return false;
    const CrashKnobs& next = crashes[next_crash_];
    const auto age = scene_.agenda.now().instant.time_since_epoch() - std::chrono::hours(1000);
    if (age < next.not_before) return false;
    const bool meant = next.point == CrashPoint::kWhileStopping ? stopping_ : point == next.point;
    if (!meant) return false;
    const bool rare = point == CrashPoint::kInRecovery || next.point == CrashPoint::kWhileStopping;
    if (++passes_ < (rare ? next.after % 3 : next.after)) return false;
    passes_ = 0;
    ++next_crash_;
    crashing_ = true;
    scene_.coverage.met(name_of(next.point));
    return true;
}

// Stopped by an operator, or by a failed sync: then what was not synced is as after a crash.
void World::end_stopped_process() {
    const bool failed = process_->failed();
    if (!failed && (!process_->journal().checkpoint() || !scene_.store.sync()))
        scene_.store.repair();  // the last write of all can fail as well
    process_.reset();
    scene_.store.crash(scene_.store.staged() > 0 && scene_.random.chance(0.5) ? 1 : 0);
    scene_.note("stopped", failed);
    scene_.books.process_ended();
    scene_.limits.process_ended();
    stopping_ = false;
    if (!finished())
        scene_.agenda.after(scene_.drawn(std::chrono::seconds(20)), [this] { start_process(); });
}

bool World::finished() const {
    return std::all_of(
        scene_.knobs.campaigns.begin(), scene_.knobs.campaigns.end(),
        [&](const CampaignKnobs& campaign) { return scene_.books.is_finished(campaign.number); });
}

// How long the calm may take: every retry and confirmation in turn, and each recipient by itself.
Duration World::patience() const {
    const DeliveryLimits& limits = scene_.knobs.limits;
    Duration sum = std::chrono::minutes(30) + 4 * limits.site_retry_max + 4 * limits.dns_retry_max +
                   4 * limits.dns_confirm_after + 4 * limits.hold_max;
    for (const CampaignKnobs& campaign : scene_.knobs.campaigns) {
        sum += 2 * campaign.retry.age_max;
        for (const std::uint32_t count : campaign.recipients)
            sum += count * Duration(std::chrono::seconds(6));
    }
    return sum;
}

std::string World::standing() const {
    if (process_ == nullptr) return "no process runs";
    const Now& now = scene_.agenda.now();
    const StatusView view = process_->scheduler().status(now);
    std::uint64_t pending = 0, deferred = 0;
    std::string someone;
    for (const Truth& truth : scene_.books.all()) {
        if (truth.campaign == 0 || is_final(truth.state)) continue;
        ++(truth.state == OutcomeState::kPending ? pending : deferred);
        someone = scene_.books.name_of(truth);
    }
    return std::to_string(pending) + " pending, " + std::to_string(deferred) + " deferred (" +
           someone + "); " + std::to_string(view.lanes_open) + " lanes open, " +
           std::to_string(view.lanes_parked) + " parked, " + std::to_string(view.rows_ahead) +
           " rows ahead, " + std::to_string(view.in_flight) + " in flight, " +
           std::to_string(view.sessions) + " sessions, " + std::to_string(view.sites) + " sites, " +
           std::to_string(process_->journal_backlog()) + " entries at the journal";
}

}  // namespace posthorn::sim
