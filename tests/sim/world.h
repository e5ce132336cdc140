// One invented world: a seed makes its receivers, campaigns and troubles; a chaos phase in which
// processes crash and start again, then a phase without faults in which everything must come to its
// end within bounded virtual time.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/internet.h"
#include "tests/sim/process.h"
#include "tests/sim/scene.h"

namespace posthorn::sim {

struct WorldReport {
    std::vector<std::string> failures;
    std::uint64_t hash = 0;
    std::uint64_t attempts = 0;  // seen by receivers
    std::uint32_t crashes = 0;
    std::uint32_t recipients = 0;
    Duration took{0};  // of virtual time
    Coverage coverage;
};

class World {
  public:
    World(std::uint64_t seed, bool traced, std::shared_ptr<const Classifier> rules);

    WorldReport run();

  private:
    // The world before its first process.
    void write_campaign(const CampaignKnobs& campaign);
    void plan_troubles();
    void at_random_times(std::uint32_t times, void (World::*what)());

    // Processes.
    void start_process();
    void crash(bool batch_survives);
    bool crash_at(CrashPoint point);
    void step(Instant end);
    void end_stopped_process();

    // Troubles.
    void act_as_operator();
    void jump_clock();
    void fill_disk();
    void stop_orderly();
    void begin_campaign(CampaignNumber campaign);
    void suppress_somebody();
    void pause_or_resume(CampaignNumber campaign);
    void change_throttle(CampaignNumber campaign);
    void hold_or_release(const std::string& domain);
    void look_at_brakes();

    void calm_down();
    void let_everything_go();

    // Checker l: nothing idles while due mail waits.
    void audit();
    void audit_walks();
    std::set<LaneId> lanes_with_due_mail() const;
    bool has_room() const;
    Duration longest_rest() const;
    Duration patience() const;
    bool finished() const;
    std::string standing() const;

    Scene scene_;
    Internet internet_;
    std::unique_ptr<Process> process_;
    std::vector<CampaignNumber> begun_;
    std::size_t next_crash_ = 0;
    std::uint32_t passes_ = 0;                     // of the point of the next crash
    std::map<LaneId, std::uint32_t> idle_audits_;  // in a row
    Instant audited_;
    bool crashing_ = false;
    bool stopping_ = false;
    std::uint32_t crashes_ = 0;
};

}  // namespace posthorn::sim
