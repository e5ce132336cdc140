// Checker l, now and then: while nothing is at its bound, no lane with due mail rests for longer
// than a site or a name that failed may.
#include <algorithm>

#include "tests/sim/world.h"

namespace posthorn::sim {

namespace {

constexpr std::uint32_t kAudits = 4;  // in a row, before it counts

}  // namespace

// A failing host or name is left alone for so long at most, and then tried for so long.
Duration World::longest_rest() const {
    const Knobs& knobs = scene_.knobs;
    const ClientTimeouts& timeouts = knobs.sender.timeouts;
    return 2 * knobs.limits.site_retry_max + 2 * knobs.limits.hold_max +
           2 * knobs.limits.dns_retry_max + 2 * knobs.limits.dns_confirm_after +
           2 * knobs.sender.connect_timeout + 2 * timeouts.data_end + 2 * knobs.dns_max +
           std::chrono::minutes(12);  // an operator, and a pause where less was asked for
}

std::set<LaneId> World::lanes_with_due_mail() const {
    std::set<LaneId> lanes;
    const WallTime due = scene_.agenda.now().wall - std::chrono::seconds(5);
    for (const Truth& truth : scene_.books.all()) {
        const CampaignNumber campaign = truth.campaign;
        if (campaign == 0 || is_final(truth.state) || truth.granted != 0) continue;
        if (truth.state == OutcomeState::kDeferred && truth.next_due > due) continue;
        const std::string& domain = scene_.knobs.domains[truth.domain].name;
        const bool begun = std::find(begun_.begin(), begun_.end(), campaign) != begun_.end();
        if (!begun || scene_.books.is_paused(campaign) || scene_.books.is_cancelled(campaign) ||
            scene_.books.is_held(domain))
            continue;
        lanes.insert({campaign, domain});
    }
    return lanes;
}

bool World::has_room() const {
    if (process_ == nullptr || stopping_ || process_->failed()) return false;
    if (!process_->scheduler().suspended().empty()) return false;
    const DeliveryLimits& limits = scene_.knobs.limits;
    const StatusView view = process_->scheduler().status(scene_.agenda.now());
    return view.sessions < limits.connections_max && view.in_flight < limits.in_flight_max &&
           view.lanes_open < limits.lanes_open_max && view.rows_ahead < limits.rows_ahead_max;
}

// A walk that passed somebody over is made again, but only once everybody else has been served.
void World::audit_walks() {
    if (process_ == nullptr) return;
    for (const CampaignNumber campaign : begun_) {
        const CampaignRun* run = process_->scheduler().campaign(campaign);
        if (run != nullptr && run->rewalks > 0)
            scene_.books.fail('l', "the walk over campaign " + std::to_string(campaign) +
                                       " passed somebody over");
    }
}

void World::audit() {
    const Instant before = std::exchange(audited_, scene_.agenda.now().instant);
    scene_.agenda.after(longest_rest() / kAudits, [this] { audit(); });
    audit_walks();
    if (!has_room() || scene_.knobs.clock_jumps > 0) {
        idle_audits_.clear();
        return;
    }
    std::map<LaneId, std::uint32_t> idle;
    for (const LaneId& lane : lanes_with_due_mail()) {
        if (scene_.books.last_activity(lane.domain) >= before) continue;
        if (!scene_.limits.leaves_room(lane)) continue;
        const std::uint32_t audits = idle_audits_[lane] + 1;
        idle[lane] = audits;
        if (audits > kAudits)
            scene_.books.fail('l', "due mail of campaign " + std::to_string(lane.campaign) +
                                       " to " + lane.domain +
                                       " waits while nothing is at its bound: " + standing());
    }
    idle_audits_ = std::move(idle);
}

}  // namespace posthorn::sim
