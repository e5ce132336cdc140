#include "tests/sim/process.h"

#include <algorithm>

#include "engine/base/bytes.h"
#include "engine/base/check.h"
#include "engine/queue/keys.h"
#include "engine/queue/records.h"
#include "tests/sim/internet.h"

namespace posthorn::sim {

Process::Process(Scene& scene, Internet& internet)
    : scene_(scene), internet_(internet), life_(++scene.life) {
    for (std::uint32_t i = 0; i < scene.knobs.senders; ++i)
        senders_.emplace_back().sender =
            std::make_unique<Sender>(scene.knobs.sender, scene.classifier);
}

// The system closes what a process leaves behind.
Process::~Process() {
    *alive_ = false;
    ++scene_.life;
    for (auto& [slot, line] : lines_) line.connection->close();
}

// A step of this process, if it still lives by then.
void Process::after(Duration wait, void (Process::*step)(std::size_t), std::size_t argument) {
    scene_.agenda.after(wait, [this, alive = alive_, step, argument] {
        if (*alive) (this->*step)(argument);
    });
}

Status Process::start() {
    const Now& now = scene_.agenda.now();
    auto journal = Journal::open(scene_.store, now.wall, [this](CampaignNumber campaign) {
        return scene_.knobs.campaigns[campaign - 1].retry.hold_uncertain;
    });
    if (!journal) return journal.error();
    if (scene_.passed(CrashPoint::kInRecovery)) return Error{ErrorKind::kBusy, "it crashed"};
    RETURN_IF_ERROR(scene_.store.sync());
    journal_ = std::move(*journal);
    scene_.note("start", life_, journal_->recovery().uncertain);
    scheduler_ =
        std::make_unique<Scheduler>(scene_.knobs.limits, scene_.knobs.sources, scene_.knobs.senders,
                                    journal_->recovery().next_lease, Random(scene_.random.next()));
    RETURN_IF_ERROR(load_states());
    return load_campaigns();
}

Status Process::load_states() {
    const std::string prefix = state_prefix("hold");
    auto cursor = scene_.store.cursor(Family::kState, prefix, prefix_end(prefix));
    for (cursor->seek(prefix); cursor->valid(); cursor->next())
        scheduler_->hold_restored(std::string(cursor->key().substr(prefix.size())),
                                  std::string(cursor->value()));
    RETURN_IF_ERROR(cursor->status());
    const std::string peers = state_prefix(kPeerKind);
    auto peer = scene_.store.cursor(Family::kState, peers, prefix_end(peers));
    for (peer->seek(peers); peer->valid(); peer->next())
        (void)scheduler_->peer_restored(std::string(peer->key().substr(peers.size())),
                                        peer->value(), scene_.agenda.now().wall);
    RETURN_IF_ERROR(peer->status());
    const std::string sources = state_prefix(kSiteHoldKind);
    auto source = scene_.store.cursor(Family::kState, sources, prefix_end(sources));
    for (source->seek(sources); source->valid(); source->next())
        (void)scheduler_->site_hold_restored(source->key().substr(sources.size()), source->value(),
                                             scene_.agenda.now());
    RETURN_IF_ERROR(source->status());
    const std::string paces = state_prefix(kPaceKind);
    auto pace = scene_.store.cursor(Family::kState, paces, prefix_end(paces));
    for (pace->seek(paces); pace->valid(); pace->next())
        (void)scheduler_->pace_restored(pace->key().substr(paces.size()), pace->value(),
                                        scene_.agenda.now());
    return pace->status();
}

Status Process::load_campaigns() {
    auto cursor = scene_.store.cursor(Family::kCampaign, kCampaignNumberPrefix,
                                      prefix_end(kCampaignNumberPrefix));
    std::vector<CampaignNumber> unfinished;
    for (cursor->seek(kCampaignNumberPrefix); cursor->valid(); cursor->next()) {
        const auto record = decode_campaign(cursor->value());
        if (!record) return record.error();
        if (record->finished == WallTime() && record->state != CampaignState::kImporting)
            unfinished.push_back(record->number);
    }
    for (const CampaignNumber number : unfinished) load(number);
    return cursor->status();
}

void Process::load(CampaignNumber campaign) {
    const auto stored = scene_.store.get(Family::kCampaign, campaign_number_key(campaign));
    CHECK(stored && *stored);
    const auto record = decode_campaign(**stored);
    CHECK(record);
    const CampaignKnobs& knobs = scene_.knobs.campaigns[campaign - 1];
    const Throttle& throttle = scene_.throttles[std::stoul(record->definition)];
    std::string key;
    put_u32(key, campaign);
    const auto cursor = scene_.store.get(Family::kState, state_key("cursor", key));
    CHECK(cursor);
    scene_.limits.throttle_is(campaign, throttle);
    scheduler_->campaign_added(
        CampaignPlan{*record, scene_.mails[campaign - 1], knobs.retry, throttle},
        journal_->figures(campaign), scene_.agenda.now());
    if (*cursor) scheduler_->cursor_known(campaign, **cursor);
    unsettled_ = true;
}

std::optional<Instant> Process::deadline() const {
    if (unsettled_) return scene_.agenda.now().instant;
    auto earliest = scheduler_->deadline(scene_.agenda.now());
    for (const SenderBox& box : senders_)
        if (const auto at = box.sender->deadline(); at && (!earliest || *at < *earliest))
            earliest = at;
    return earliest;
}

void Process::turn() {
    const Now& now = scene_.agenda.now();
    if (const auto at = scheduler_->deadline(now); at && *at <= now.instant) {
        scheduler_->deadline_passed(now);
        unsettled_ = true;
    }
    for (std::size_t i = 0; i < senders_.size(); ++i)
        if (const auto at = senders_[i].sender->deadline(); at && *at <= now.instant) {
            senders_[i].sender->deadline_passed(now);
            sender_turn(i);
        }
    if (std::exchange(unsettled_, false)) settle();
}

void Process::settle() {
    SchedulerOutput& output = scheduler_->settle(scene_.agenda.now());
    const SchedulerOutput orders = std::exchange(output, {});
    watch(orders.journal);
    for (const ReaderRequest& request : orders.reader) requests_.push_back(request);
    if (!requests_.empty() && !std::exchange(reading_, true))
        after(scene_.drawn(scene_.knobs.read_max), &Process::answer, 0);
    entries_.insert(entries_.end(), orders.journal.begin(), orders.journal.end());
    if (!entries_.empty() && !failed_ && !std::exchange(commit_planned_, true))
        after(scene_.drawn(scene_.knobs.mailbox_max) + scene_.knobs.linger, &Process::commit, 0);
    for (const auto& [sender, order] : orders.senders) post_order(sender, order);
    for (const ResolveDomain& question : orders.resolver)
        scene_.agenda.after(scene_.drawn(scene_.knobs.dns_max),
                            [this, alive = alive_, domain = question.domain] {
                                if (*alive) resolve(domain);
                            });
    if (++settles_ % 32 == 0) check_bounds();
}

// What the scheduler lets go, for the books.
void Process::watch(const std::vector<JournalEntry>& entries) {
    for (const JournalEntry& entry : entries) {
        if (const auto* grant = std::get_if<GrantLease>(&entry)) {
            const Lease& lease = *grant->lease;
            scene_.note("grant", lease.sequence, lease.recipients.size(), lease.lane.domain);
            lanes_of_leases_[lease.sequence] = lease.lane;
            scene_.books.granted(lease);
            scene_.limits.granted(lease);
        } else if (const auto* back = std::get_if<RecordReturned>(&entry)) {
            scene_.note("returned", back->lease, 0, back->recipient.local().substr(4));
            scene_.books.came_back(lanes_of_leases_.at(back->lease), back->recipient);
            scene_.limits.ended(back->lease, false);
        } else if (const auto* outcome = std::get_if<RecordOutcome>(&entry)) {
            scene_.note("outcome", outcome->lease, static_cast<std::uint64_t>(outcome->state),
                        outcome->recipient.local().substr(4));
            if (outcome->lease != 0) scene_.limits.ended(outcome->lease, true);
        }
    }
}

void Process::post_order(std::size_t sender, SenderOrder order) {
    if (const auto* opening = std::get_if<OpenSession>(&order)) {
        scene_.note("open", opening->slot, sender, opening->host);
        scene_.limits.opening(*opening);
        for (const DomainKnobs& domain : scene_.knobs.domains)
            if (opening->site.find(scene_.knobs.hosts[domain.hosts.front()].name) !=
                std::string::npos)
                scene_.books.active(domain.name);
    }
    SenderBox& box = senders_[sender];
    box.orders.push_back(std::move(order));
    if (!std::exchange(box.delivering, true))
        after(scene_.drawn(scene_.knobs.mailbox_max), &Process::deliver_orders, sender);
}

void Process::deliver_orders(std::size_t sender) {
    SenderBox& box = senders_[sender];
    box.delivering = false;
    for (SenderOrder& order : std::exchange(box.orders, {})) {
        if (std::holds_alternative<std::shared_ptr<const Lease>>(order) &&
            scene_.passed(CrashPoint::kLeaseHandedOut))
            return;
        box.sender->ordered(std::move(order), scene_.agenda.now());
    }
    sender_turn(sender);
}

// As the sender's thread does at the end of its turn.
void Process::sender_turn(std::size_t sender) {
    SenderBox& box = senders_[sender];
    SenderOutput& output = box.sender->output();
    while (!output.connects.empty() || !output.writes.empty() || !output.closes.empty() ||
           !output.handshakes.empty()) {
        const auto connects = std::exchange(output.connects, {});
        const auto writes = std::exchange(output.writes, {});
        const auto handshakes = std::exchange(output.handshakes, {});
        const auto closes = std::exchange(output.closes, {});
        for (const ConnectOrder& order : connects) connect(sender, order);
        for (const SlotId slot : writes) flush(slot);
        for (const TlsOrder& order : handshakes)
            lines_.at(order.slot).connection->start_tls(*order.policy);
        for (const SlotId slot : closes) {
            scene_.limits.closed(slot);
            if (const auto line = lines_.find(slot); line != lines_.end())
                line->second.connection->close();
            lines_.erase(slot);
        }
    }
    if (output.reports.empty()) return;
    for (SenderReport& report : std::exchange(output.reports, {}))
        box.reports.push_back(std::move(report));
    if (!std::exchange(box.reporting, true))
        after(scene_.drawn(scene_.knobs.mailbox_max), &Process::deliver_reports, sender);
}

void Process::deliver_reports(std::size_t sender) {
    SenderBox& box = senders_[sender];
    box.reporting = false;
    for (SenderReport& report : std::exchange(box.reports, {}))
        scheduler_->sender_reported(std::move(report), scene_.agenda.now());
    unsettled_ = true;
}

void Process::connect(std::size_t sender, const ConnectOrder& order) {
    lines_.emplace(order.slot, Line{internet_.connect(*this, order), sender, false});
}

void Process::flush(SlotId slot) {
    const auto found = lines_.find(slot);
    if (found == lines_.end() || found->second.blocked) return;
    Line& line = found->second;
    Sender& sender = *senders_[line.sender].sender;
    const std::string_view bytes = sender.bytes_to_write(slot);
    if (bytes.empty()) return;
    const std::size_t all = bytes.size();
    const std::size_t count = line.connection->write(bytes);
    line.blocked = count < all;
    sender.bytes_written(slot, count, scene_.agenda.now());
}

void Process::connected(SlotId slot) {
    const std::size_t sender = lines_.at(slot).sender;
    senders_[sender].sender->connected(slot, scene_.agenda.now());
    sender_turn(sender);
}

void Process::bytes_received(SlotId slot, std::string_view bytes) {
    const std::size_t sender = lines_.at(slot).sender;
    senders_[sender].sender->bytes_received(slot, bytes, scene_.agenda.now());
    sender_turn(sender);
}

void Process::writable(SlotId slot) {
    Line& line = lines_.at(slot);
    line.blocked = false;
    flush(slot);
    sender_turn(line.sender);
}

void Process::connection_lost(SlotId slot, std::string_view why) {
    const std::size_t sender = lines_.at(slot).sender;
    scene_.note("lost", slot, 0, why);
    senders_[sender].sender->connection_lost(slot, why, scene_.agenda.now());
    sender_turn(sender);
}

void Process::tls_started(SlotId slot, bool proved) {
    const std::size_t sender = lines_.at(slot).sender;
    const TlsResult proof = proved ? TlsResult::kSuccess : TlsResult::kCertificateNotTrusted;
    senders_[sender].sender->tls_started(slot, TlsFacts{"TLSv1.3", "simulated", proof, false},
                                         scene_.agenda.now());
    sender_turn(sender);
}

void Process::tls_failed(SlotId slot, TlsResult result) {
    const std::size_t sender = lines_.at(slot).sender;
    scene_.note("handshake failed", slot, static_cast<std::uint64_t>(result));
    senders_[sender].sender->tls_failed(slot, result, "as the world wants it", scene_.agenda.now());
    sender_turn(sender);
}

}  // namespace posthorn::sim
