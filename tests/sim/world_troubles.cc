// What befalls a world: operators, clocks, disks, orderly stops; and the end of it all.
#include <algorithm>

#include "engine/base/check.h"
#include "engine/queue/keys.h"
#include "engine/queue/records.h"
#include "engine/queue/suppressions.h"
#include "tests/sim/world.h"

namespace posthorn::sim {

namespace {

constexpr Duration kBrakesSeenEvery = std::chrono::minutes(1);

}  // namespace

void World::at_random_times(std::uint32_t times, void (World::*what)()) {
    for (std::uint32_t i = 0; i < times; ++i)
        scene_.agenda.after(scene_.drawn(scene_.knobs.chaos), [this, what] {
            if (scene_.chaos) (this->*what)();
        });
}

void World::plan_troubles() {
    look_at_brakes();
    const Knobs& knobs = scene_.knobs;
    for (const CampaignKnobs& campaign : knobs.campaigns)
        if (campaign.begins_after > Duration(0))
            scene_.agenda.after(campaign.begins_after,
                                [this, number = campaign.number] { begin_campaign(number); });
    for (const CrashKnobs& crash : knobs.crashes) {
        if (crash.point == CrashPoint::kAnyTime || crash.point == CrashPoint::kInRecovery)
            scene_.agenda.after(crash.not_before, [this] {
                if (process_ == nullptr || !scene_.chaos) return;
                scene_.coverage.met(name_of(CrashPoint::kAnyTime));
                crashing_ = true;
            });
        if (crash.point == CrashPoint::kWhileStopping)
            scene_.agenda.after(crash.not_before, [this] {
                if (scene_.chaos) stop_orderly();
            });
    }
    at_random_times(knobs.operator_acts, &World::act_as_operator);
    at_random_times(knobs.clock_jumps, &World::jump_clock);
    at_random_times(knobs.stops, &World::stop_orderly);
    at_random_times(knobs.disk_fulls, &World::fill_disk);
    for (std::uint32_t i = 0; i < knobs.sync_failures; ++i)
        scene_.agenda.after(scene_.drawn(knobs.chaos), [this] {
            if (scene_.chaos && process_ != nullptr) scene_.store.fail_next_sync();
        });
}

void World::begin_campaign(CampaignNumber campaign) {
    if (std::find(begun_.begin(), begun_.end(), campaign) != begun_.end()) return;
    const std::string key = campaign_number_key(campaign);
    auto record = *decode_campaign(**scene_.store.get(Family::kCampaign, key));
    record.state = CampaignState::kRunning;
    WriteBatch batch;
    batch.put(Family::kCampaign, key, encode(record));
    if (!scene_.store.write(batch, Store::Sync::kDurable) || !scene_.store.sync()) {
        // A failed sync ends the process, even one that has nothing left to write itself.
        crashing_ = process_ != nullptr;
        if (process_ == nullptr) scene_.store.repair();
        scene_.agenda.after(std::chrono::seconds(30),
                            [this, campaign] { begin_campaign(campaign); });
        return;
    }
    scene_.coverage.met("operator late campaign");
    begun_.push_back(campaign);
    // A process that began meanwhile found it in the store: the write that failed had survived.
    if (process_ != nullptr && !stopping_ && !process_->failed() &&
        process_->scheduler().campaign(campaign) == nullptr)
        process_->load(campaign);
}

void World::act_as_operator() {
    if (process_ == nullptr || stopping_ || process_->failed() || begun_.empty()) return;
    const CampaignNumber campaign = begun_[scene_.random.below(begun_.size())];
    const DomainKnobs& domain =
        scene_.knobs.domains[scene_.random.below(scene_.knobs.domains.size())];
    switch (scene_.random.below(8)) {
        case 0:
        case 1:
            pause_or_resume(campaign);
            break;
        case 2:
            hold_or_release(domain.name);
            break;
        case 3:
            scene_.coverage.met("operator flush");
            scene_.books.flushed(domain.name);
            process_->scheduler().flush_domain(domain.name, scene_.agenda.now());
            break;
        case 4:
        case 5:
            suppress_somebody();
            break;
        case 6:
            change_throttle(campaign);
            break;
        default:
            if (!scene_.random.chance(0.2)) break;
            if (!process_->scheduler().cancel(campaign)) break;
            scene_.coverage.met("operator cancel");
            scene_.note("cancel", campaign);
            scene_.books.cancelled(campaign, true);
            scene_.books.paused(campaign, false);
    }
    process_->touched();
}

void World::pause_or_resume(CampaignNumber campaign) {
    Scheduler& scheduler = process_->scheduler();
    if (scheduler.resume(campaign, scene_.agenda.now())) {
        scene_.coverage.met("operator resume");
        scene_.note("resume", campaign);
        scene_.books.paused(campaign, false);
    } else if (scheduler.pause(campaign, "operator", scene_.agenda.now())) {
        scene_.coverage.met("operator pause");
        scene_.note("pause", campaign);
        scene_.books.paused(campaign, true);
    }
}

void World::hold_or_release(const std::string& domain) {
    const bool hold = !scene_.books.is_held(domain);
    scene_.coverage.met(hold ? "operator hold" : "operator release");
    scene_.note(hold ? "hold" : "release", 0, 0, domain);
    scene_.books.held(domain, hold);
    if (hold) {
        process_->scheduler().hold_domain(domain, "operator");
    } else {
        process_->scheduler().release_domain(domain, scene_.agenda.now());
    }
}

// An operator who comes by every minute lets sites go on that the brake has stopped.
void World::look_at_brakes() {
    scene_.agenda.after(kBrakesSeenEvery, [this] { look_at_brakes(); });
    if (process_ == nullptr || stopping_ || process_->failed()) return;
    std::vector<std::string> braked;
    for (const auto& [key, hold] : process_->scheduler().site_holds().all())
        if (hold.braked) braked.push_back(hold.domain);
    for (const std::string& domain : braked) {
        scene_.coverage.met("operator release of a brake");
        scene_.note("brake", 0, 0, domain);
        scene_.books.held(domain, false);
        process_->scheduler().release_domain(domain, scene_.agenda.now());
    }
    if (!braked.empty()) process_->touched();
}

// As the command does: stored first, then told.
void World::suppress_somebody() {
    const auto address = static_cast<std::uint32_t>(scene_.random.below(scene_.knobs.addresses));
    std::string domain;
    for (const DomainKnobs& known : scene_.knobs.domains)
        if (known.first_address <= address) domain = known.name;
    WriteBatch batch;
    Suppressions::append_add(
        batch, SuppressionRecord{Books::local_of(address) + "@" + domain, "manual", "operator",
                                 scene_.agenda.now().wall, false});
    if (!scene_.store.write(batch, Store::Sync::kDurable) || !scene_.store.sync()) return;
    scene_.coverage.met("operator suppress");
    scene_.note("suppress", address);
    process_->scheduler().address_suppressed(domain, Books::local_of(address));
}

void World::change_throttle(CampaignNumber campaign) {
    const CampaignRun* run = process_->scheduler().campaign(campaign);
    if (run == nullptr || run->plan.record.finished != WallTime()) return;
    Throttle throttle = run->plan.throttle;
    if (scene_.random.chance(0.3)) {
        throttle.all.rate.reset();
    } else {
        throttle.all.rate = Rate{static_cast<std::uint64_t>(scene_.random.between(5, 300)),
                                 std::chrono::seconds(1)};
    }
    for (auto& [domain, limit] : throttle.per_domain)
        if (limit.rate)
            limit.rate->count = static_cast<std::uint64_t>(scene_.random.between(2, 60));
    scene_.coverage.met("operator set plan");
    scene_.note("set plan", campaign);
    scene_.throttles.push_back(throttle);
    scene_.limits.throttle_is(campaign, throttle);
    CHECK(process_->scheduler().set_plan(campaign, run->plan.retry, throttle,
                                         std::to_string(scene_.throttles.size() - 1)));
}

void World::jump_clock() {
    const auto by = std::chrono::minutes(scene_.random.chance(0.3) ? scene_.random.between(1, 60)
                                                                   : scene_.random.between(1, 5));
    const bool back = scene_.random.chance(0.5);
    scene_.coverage.met(back ? "fault clock back" : "fault clock ahead");
    scene_.note("clock", back, static_cast<std::uint64_t>(by.count()));
    scene_.agenda.jump_wall(back ? -by : by);
}

void World::fill_disk() {
    if (process_ == nullptr) return;
    scene_.coverage.met("fault disk full");
    scene_.books.suspended(true);
    process_->scheduler().suspend("no room");
    scene_.agenda.after(scene_.drawn(std::chrono::minutes(3)), [this, life = scene_.life] {
        if (process_ == nullptr || life != scene_.life) return;
        scene_.books.suspended(false);
        process_->scheduler().go_on();
        process_->touched();
    });
}

void World::stop_orderly() {
    if (process_ == nullptr || stopping_) return;
    stopping_ = true;
    scene_.coverage.met("operator stop");
    scene_.note("stop", scene_.life);
    process_->scheduler().stop(scene_.agenda.now());
    process_->touched();
}

// From here on nothing goes wrong any more, and nobody holds anything back.
void World::calm_down() {
    scene_.note("calm", 0);
    scene_.chaos = false;
    internet_.calm_down();
    for (const CampaignKnobs& campaign : scene_.knobs.campaigns) begin_campaign(campaign.number);
    let_everything_go();
}

void World::let_everything_go() {
    if (process_ == nullptr || stopping_ || process_->failed()) return;
    process_->scheduler().go_on();
    scene_.books.suspended(false);
    for (const CampaignNumber campaign : begun_)
        if (scene_.books.is_paused(campaign)) pause_or_resume(campaign);
    for (const DomainKnobs& domain : scene_.knobs.domains)
        if (scene_.books.is_held(domain.name)) hold_or_release(domain.name);
    process_->touched();
}

}  // namespace posthorn::sim
