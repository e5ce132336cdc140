#include "tests/sim/books.h"

#include <charconv>

#include "engine/base/check.h"
#include "engine/base/hash.h"
#include "engine/queue/audience_row.h"
#include "engine/queue/keys.h"
#include "engine/queue/records.h"

namespace posthorn::sim {

namespace {

constexpr std::size_t kFailuresKept = 10;

std::optional<std::uint32_t> number_in(std::string_view text, char before) {
    if (text.empty() || (text.front() | 0x20) != before) return std::nullopt;
    std::uint32_t number = 0;
    const auto [end, fault] = std::from_chars(text.data() + 1, text.data() + text.size(), number);
    if (fault != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

}  // namespace

Books::Books(const Knobs& knobs, const Agenda& agenda, Coverage& coverage)
    : knobs_(knobs), agenda_(agenda), coverage_(coverage) {
    truths_.resize(knobs.campaigns.size() * knobs.addresses);
    mails_.resize(knobs.campaigns.size());
}

void Books::fail(char checker, std::string what) {
    if (failures_.size() >= kFailuresKept) return;
    const auto since = agenda_.now().instant.time_since_epoch() - std::chrono::hours(1000);
    failures_.push_back("(" + std::string(1, checker) + ") after " +
                        std::to_string(std::chrono::duration<double>(since).count()) +
                        " s: " + std::move(what));
}

std::string Books::name_of(const Truth& truth) const {
    return "campaign " + std::to_string(truth.campaign) + " " + local_of(truth.address) + "@" +
           knobs_.domains[truth.domain].name;
}

Truth& Books::add_recipient(CampaignNumber campaign, std::uint32_t address, std::uint32_t domain) {
    Truth& truth = truths_[(campaign - 1) * knobs_.addresses + address];
    CHECK(truth.campaign == 0);
    truth.campaign = campaign;
    truth.address = address;
    truth.domain = domain;
    return truth;
}

void Books::add_campaign(CampaignNumber campaign, const InventedMail& mail) {
    mails_[campaign - 1] = &mail;
}

Truth* Books::find(const LaneId& lane, std::string_view local) {
    const auto address = number_in(local.size() > 4 ? local.substr(4) : local, 'r');
    if (!address || *address >= knobs_.addresses) return nullptr;
    Truth& truth = truths_[(lane.campaign - 1) * knobs_.addresses + *address];
    const bool known = truth.campaign != 0 && knobs_.domains[truth.domain].name == lane.domain;
    return known ? &truth : nullptr;
}

Truth* Books::find(std::string_view sender, std::string_view recipient) {
    const auto campaign = number_in(sender.substr(0, sender.find('@')), 'c');
    const std::size_t at = recipient.find('@');
    if (!campaign || *campaign > mails_.size() || at == std::string_view::npos) return nullptr;
    return find(LaneId{*campaign, std::string(recipient.substr(at + 1))},
                "----" + std::string(recipient.substr(0, at)));
}

void Books::granted(const Lease& lease) {
    const LaneId& lane = lease.lane;
    const Now& now = agenda_.now();
    active(lane.domain);
    if (suspended_) fail('d', "a lease while nothing is to be granted");
    if (paused_.contains(lane.campaign)) fail('d', "a lease of a paused campaign");
    if (cancelled_.contains(lane.campaign)) fail('d', "a lease of a cancelled campaign");
    if (held_.contains(lane.domain)) fail('d', "a lease of a held domain");
    if (lease.recipients.empty()) fail('a', "a lease of nobody");
    for (const Recipient& recipient : lease.recipients) {
        Truth* truth = find(lane, recipient.local());
        if (truth == nullptr) {
            fail('a', "a lease of somebody outside the audience");
            continue;
        }
        if (truth->granted != 0) fail('a', name_of(*truth) + " is in two leases");
        truth->granted = lease.sequence;
        if (is_final(truth->state)) fail('d', name_of(*truth) + " is leased after its outcome");
        if (suppressed_.contains(truth->address))
            fail('d', name_of(*truth) + " is suppressed and leased");
        if (truth->state != OutcomeState::kDeferred) continue;
        if (truth->next_due > agenda_.latest() && !flushed_.contains(lane.domain))
            fail('f', name_of(*truth) + " is retried early");
        if (truth->first_lease + knobs_of(lane.campaign).retry.age_max <= now.wall)
            fail('f', name_of(*truth) + " is attempted after its expiry");
    }
}

void Books::came_back(const LaneId& lane, const Recipient& recipient) {
    if (Truth* truth = find(lane, recipient.local())) truth->granted = 0;
}

Instant Books::last_activity(const std::string& domain) const {
    const auto found = activity_.find(domain);
    return found == activity_.end() ? Instant() : found->second;
}

void Books::resolved(const std::string& domain, DnsVerdict verdict) {
    active(domain);
    if (verdict == DnsVerdict::kFound) {
        negatives_.erase(domain);
        return;
    }
    if (verdict == DnsVerdict::kTemporary) return;
    Negative& negative = negatives_[domain];
    if (negative.count++ == 0) negative.first = agenda_.now().wall;
    negative.last = agenda_.now().wall;
}

void Books::process_ended() {
    for (auto& [sequence, members] : leases_)
        for (Truth* truth : members) ++truth->touched;
    for (Truth& truth : truths_) truth.granted = 0;
    negatives_.clear();
    flushed_.clear();
    suspended_ = false;
}

void Books::recipient_named(Truth& truth, bool watched) {
    ++attempts_seen_;
    if (!watched) return;
    if (is_final(truth.state)) fail('d', name_of(truth) + " is attempted after its outcome");
    if (truth.granted == 0) fail('d', name_of(truth) + " is attempted without a lease");
}

void Books::message_complete(Truth& truth, std::string_view bytes, bool watched) {
    if (watched && truth.open_lease == 0)
        fail('b', name_of(truth) + ": the end of its data came before its lease was durable");
    const std::uint64_t hash = hash64(bytes);
    if (truth.message == hash) return;
    if (truth.message != 0) fail('g', name_of(truth) + " got another message at its retry");
    truth.message = hash;
    const std::string& domain = knobs_.domains[truth.domain].name;
    const std::string local = local_of(truth.address);
    std::string row;
    AudienceRowWriter(row, written_local_of(truth.address) + "@" + domain, {});
    const std::string key = audience_key({truth.campaign, domain}, local_key(local));
    const WallTime date = wall_from_micros(date_of(bytes));
    const Status rendered =
        mails_[truth.campaign - 1]->render({key, row, date, agenda_.now().wall}, expected_);
    if (!rendered || expected_.bytes != bytes)
        fail('g', name_of(truth) + " got " + std::to_string(bytes.size()) +
                      " bytes that are not its message of " +
                      std::to_string(expected_.bytes.size()));
    if (watched && truth.first_lease != WallTime() && truth.first_lease != date)
        fail('g', name_of(truth) + ": its date is not that of its first lease");
}

bool Books::permanently_refused(const Truth& truth) const {
    for (const Said& said : truth.said)
        if (said.code >= 500) return true;
    return false;
}

}  // namespace posthorn::sim
