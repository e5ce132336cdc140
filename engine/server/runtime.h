// The roles at work: one scheduler loop, senders, journal and reader on threads of their own,
// joined by bounded mailboxes. The only place where threads are born. Owns no files: the store is
// the caller's.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/delivery/campaign_plan.h"
#include "engine/delivery/journal.h"
#include "engine/delivery/limits.h"
#include "engine/delivery/scheduler.h"
#include "engine/delivery/sender.h"
#include "engine/net/dns_channel.h"
#include "engine/net/loop.h"
#include "engine/queue/store.h"

namespace posthorn {

struct RuntimeOptions {
    DeliveryLimits limits;
    SenderOptions sender;
    std::vector<Source> sources;  // at least one
    std::shared_ptr<const Shaping> shaping = std::make_shared<const Shaping>();
    std::uint32_t senders = 1;
    std::vector<std::string> dns_servers;  // "127.0.0.1:5300"; empty: the system's
    DnsTrust dns_trust = DnsTrust::kNever;
    bool mta_sts = true;               // RFC 8461
    std::uint16_t mta_sts_port = 443;  // of the policies' servers
    std::string trust_pem;   // authorities that prove mail hosts and policies; empty: the system's
    std::uint64_t seed = 0;  // of the scheduler's chance (jitter, choice of hosts)
    std::string directory;   // whose free space is watched; empty: none
    double free_disk_percent_min = 5;  // below: nothing is granted until there is room again
};

// Makes the plan of a stored campaign: implemented above the engine, where campaign files are
// understood.
using PlanBuilder = std::function<Result<CampaignPlan>(const CampaignRecord&)>;

struct CampaignView {
    CampaignRecord record;
    Figures figures;  // as recorded
    std::uint64_t in_flight = 0;
    std::optional<WallTime> waits_until;  // outside its schedule until then
};

// A picture of the whole, some ten times a second.
struct RuntimeView {
    Now now;
    StatusView status;
    std::vector<CampaignView> campaigns;  // unfinished, and those finished during this run
    std::vector<Notice> notices;          // since the last picture
    std::string trouble;  // why nothing is granted: no room on disk, a failed journal
};

class Runtime {
  public:
    Runtime(RuntimeOptions options, Store& store, std::shared_ptr<const Classifier> classifier,
            PlanBuilder plan_builder);
    ~Runtime();

    // Recovers what an earlier process had in flight and loads every unfinished campaign.
    Status prepare();

    // Runs on the calling thread until stopped. An error: the journal or the reader failed; nothing
    // was recorded after it.
    Status run();

    // ---- From any thread, and from the callbacks.
    void stop();   // grants no more, waits for what is in flight
    void abort();  // does not wait: what is in flight becomes uncertain
    void post(std::function<void(Scheduler&, Now)> action);  // carried out on the scheduler's loop
    // One that is known already is read again where something kept it from being sent.
    void add_campaign(const CampaignRecord& record, std::function<void(Status)> done);

    // The scheduler's loop, for what lives beside it: signals, the control socket. Alive until the
    // runtime ends.
    Loop& loop();

    // What prepare() found left over from an earlier process.
    JournalRecovery recovery() const;

    // Called on the scheduler's loop, about ten times a second and after every change of a
    // campaign's state.
    void on_view(std::function<void(const RuntimeView&)> callback);

  private:
    class Threads;
    std::unique_ptr<Threads> threads_;
};

}  // namespace posthorn
