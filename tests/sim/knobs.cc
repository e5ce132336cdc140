#include "tests/sim/knobs.h"

#include <algorithm>
#include <array>

namespace posthorn::sim {

namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// Draws in the manner of a world: small numbers as often as large ones.
class Draw {
  public:
    explicit Draw(Random& random) : random_(random) {}

    std::uint32_t number(std::uint32_t low, std::uint32_t high) {
        return static_cast<std::uint32_t>(random_.between(low, high));
    }
    // Each order of magnitude as likely as another.
    std::uint32_t spread(std::uint32_t low, std::uint32_t high) {
        std::uint32_t top = low;
        while (top < high && random_.chance(0.8)) top = std::min(high, top * 3 + 1);
        return number(low, top);
    }
    Duration time(Duration low, Duration high) {
        return Duration(random_.between(low.count(), high.count()));
    }
    bool chance(double probability) { return random_.chance(probability); }
    template <class T>
    T one_of(std::initializer_list<T> choices) {
        return *(choices.begin() + random_.below(choices.size()));
    }

  private:
    Random& random_;
};

void draw_limits(Draw& draw, DeliveryLimits& limits) {
    limits.allow_private_addresses = true;
    limits.connections_max = draw.one_of<std::uint32_t>({1, 2, 5, 20, 200});
    limits.site_connections_max = draw.spread(1, 20);
    limits.site_connections_start = draw.number(1, std::min(5u, limits.site_connections_max));
    limits.messages_per_session_max = draw.spread(1, 100);
    limits.idle_session = draw.time(milliseconds(50), seconds(5));
    limits.lease_recipients_max = draw.spread(1, 48);
    limits.lease_recipients_start = draw.number(1, std::min(4u, limits.lease_recipients_max));
    limits.hold_lease_recipients_max = draw.number(1, 4);
    limits.lease_validity = draw.time(milliseconds(100), seconds(2));
    limits.limited_lease_validity = draw.time(milliseconds(20), milliseconds(200));
    limits.in_flight_max = draw.spread(1, 2000);
    limits.rows_ahead_max = draw.spread(1, 4000);
    limits.rows_per_read = draw.spread(1, 512);
    limits.rows_per_small_lane = draw.spread(1, 64);
    limits.lanes_open_max = draw.spread(1, 200);
    limits.lanes_per_read = draw.spread(1, 64);
    limits.rows_per_sweep = draw.spread(1, 2000);
    limits.stragglers_max = draw.spread(1, 100);
    limits.cursor_every = draw.spread(1, 50);
    limits.recently_suppressed_max = draw.spread(1, 2000);
    limits.mark_every = draw.spread(1, 500);
    limits.sweep_in_flight_max = draw.spread(1, 1000);
    limits.site_retry_first = draw.time(milliseconds(500), seconds(15));
    limits.site_retry_max = limits.site_retry_first * draw.number(1, 20);
    limits.hold_first = limits.site_retry_first * 4;
    limits.hold_max = limits.hold_first * 8;
    limits.dns_retry_first = draw.time(milliseconds(500), seconds(10));
    limits.dns_retry_max = limits.dns_retry_first * draw.number(1, 20);
    limits.dns_confirm_after = draw.time(seconds(5), minutes(5));
    limits.dns_ttl_min = draw.time(seconds(1), seconds(60));
    limits.dns_ttl_max = limits.dns_ttl_min + draw.time(seconds(1), minutes(10));
}

void draw_process(Draw& draw, Knobs& knobs) {
    draw_limits(draw, knobs.limits);
    ClientTimeouts& timeouts = knobs.sender.timeouts;
    const Duration most = draw.time(seconds(3), minutes(2));
    timeouts.greeting = timeouts.ehlo = timeouts.mail = timeouts.rcpt = most;
    timeouts.data_start = timeouts.data_block = draw.time(seconds(3), most);
    timeouts.data_end = most * 2;
    timeouts.quit = draw.time(milliseconds(100), seconds(10));
    timeouts.idle = draw.time(seconds(1), seconds(60));
    knobs.sender.connect_timeout = draw.time(seconds(2), seconds(30));
    knobs.sender.max_rung = static_cast<Rung>(draw.number(0, 4));
    if (draw.chance(0.5)) knobs.sender.max_rung = Rung::kChunkingAhead;
    knobs.senders = draw.number(1, 3);
    knobs.sources.push_back({"a", {}, "a.news.test"});
    if (draw.chance(0.3))
        knobs.sources.push_back({"b", IpAddress::parse("10.255.0.2"), "b.news.test"});
    const bool slow = draw.chance(0.2);
    knobs.mailbox_max = draw.time(Duration(0), slow ? milliseconds(300) : milliseconds(2));
    knobs.read_max = draw.time(Duration(0), slow ? seconds(1) : milliseconds(10));
    knobs.sync_max = draw.time(Duration(0), slow ? seconds(1) : milliseconds(10));
    knobs.dns_max = draw.time(Duration(0), slow ? seconds(10) : milliseconds(100));
    knobs.linger = draw.time(Duration(0), milliseconds(5));
}

void draw_host(Draw& draw, HostKnobs& host, std::size_t number, bool calm) {
    host.name = "mx" + std::to_string(number) + ".hosts.test";
    host.address = *IpAddress::parse("10.1." + std::to_string(number / 200) + "." +
                                     std::to_string(number % 200 + 1));
    const std::uint32_t moods = calm ? draw.number(0, 1) : draw.number(0, 3);
    for (std::uint32_t i = 0; i < moods; ++i)
        host.moods.push_back(static_cast<Mood>(draw.number(0, kMoodCount - 1)));
    host.share = draw.one_of({0.01, 0.05, 0.2, 0.6});
    host.few = draw.spread(1, 50);
    host.patience = draw.time(seconds(1), minutes(3));
    host.latency_max = draw.chance(0.5) ? Duration(0) : draw.time(Duration(0), milliseconds(500));
    if (host.has(Mood::kPlain)) return;
    const bool lies = host.has(Mood::kLiesAboutPipelining);
    if (lies || draw.chance(0.8)) host.offers.emplace_back("PIPELINING");
    if (!lies && draw.chance(0.5)) host.offers.emplace_back("CHUNKING");
    if (draw.chance(0.9)) host.offers.emplace_back("8BITMIME");
    if (draw.chance(0.7)) host.offers.emplace_back("ENHANCEDSTATUSCODES");
    if (host.has(Mood::kSmallSize))
        host.offers.emplace_back("SIZE " + std::to_string(draw.number(300, 3000)));
}

void draw_domains(Draw& draw, Knobs& knobs) {
    const bool calm = draw.chance(0.2);
    const std::uint32_t hosts = draw.spread(2, 16);
    for (std::uint32_t i = 0; i < hosts; ++i) draw_host(draw, knobs.hosts.emplace_back(), i, calm);
    const std::uint32_t domains = draw.one_of<std::uint32_t>({3, 8, 20, 60});
    const auto hosts_of = [&] {
        std::vector<std::size_t> chosen;
        const std::uint32_t count = draw.chance(0.7) ? 1 : draw.number(1, 3);
        for (std::uint32_t k = 0; k < count; ++k) {
            const std::size_t host = draw.number(0, hosts - 1);
            if (std::find(chosen.begin(), chosen.end(), host) == chosen.end())
                chosen.push_back(host);
        }
        return chosen;
    };
    for (std::uint32_t i = 0; i < domains; ++i) {
        DomainKnobs& domain = knobs.domains.emplace_back();
        domain.name = "d" + std::to_string(i) + ".test";
        domain.hosts = hosts_of();
        domain.later = hosts_of();
        if (draw.chance(0.2)) domain.dns = static_cast<DnsMood>(draw.number(1, 5));
    }
}

void draw_campaign(Draw& draw, CampaignKnobs& campaign, const Knobs& knobs,
                   std::uint32_t recipients) {
    RetryPolicy& retry = campaign.retry;
    retry.schedule.clear();
    Duration step = draw.time(seconds(1), seconds(60));
    for (std::uint32_t i = draw.number(1, 5); i > 0; --i) {
        retry.schedule.push_back(step);
        step = std::min<Duration>(step * draw.number(1, 4), minutes(20));
    }
    retry.attempts_max = draw.one_of<std::uint32_t>({1, 3, 8, 30});
    if (draw.chance(0.7)) retry.attempts_max = 30;
    retry.age_max = draw.chance(0.3) ? draw.time(minutes(1), minutes(20)) : minutes(90);
    retry.hold_uncertain = draw.chance(0.3);
    Throttle& throttle = campaign.throttle;
    if (draw.chance(0.25)) throttle.all.rate = Rate{draw.spread(5, 500), seconds(1)};
    if (draw.chance(0.2)) throttle.all.connections_max = draw.spread(1, 20);
    for (const DomainKnobs& domain : knobs.domains) {
        if (!draw.chance(0.15)) continue;
        ThrottleLimit& limit = throttle.per_domain[domain.name];
        if (draw.chance(0.7))
            limit.rate = Rate{draw.spread(2, 60), draw.chance(0.5) ? seconds(1) : seconds(10)};
        if (draw.chance(0.5)) limit.connections_max = draw.number(1, 4);
    }
    campaign.sizes.lines_max = draw.one_of<std::uint32_t>({0, 5, 20});
    campaign.sizes.long_share = draw.chance(0.2) ? 0.02 : 0;
    campaign.sizes.eight_bit_share = draw.chance(0.3) ? 0.2 : 0;
    campaign.sizes.unrenderable_share = draw.chance(0.2) ? 0.01 : 0;
    // Sizes of domains fall off as in the world: a few are most of it.
    campaign.recipients.assign(knobs.domains.size(), 0);
    for (std::uint32_t left = recipients; left > 0;) {
        const std::uint32_t part = draw.number(1, std::max(1u, left / 3));
        campaign.recipients[draw.number(0, static_cast<std::uint32_t>(knobs.domains.size()) - 1)] +=
            part;
        left -= part;
    }
}

void draw_trouble(Draw& draw, Knobs& knobs) {
    knobs.chaos = draw.time(minutes(1), minutes(20));
    if (draw.chance(0.6)) {
        for (std::uint32_t i = draw.spread(1, 6); i > 0; --i)
            knobs.crashes.push_back({static_cast<CrashPoint>(draw.number(0, kCrashPointCount - 1)),
                                     draw.spread(1, 200), draw.time(Duration(0), knobs.chaos / 2),
                                     draw.chance(0.5)});
        std::sort(
            knobs.crashes.begin(), knobs.crashes.end(),
            [](const CrashKnobs& a, const CrashKnobs& b) { return a.not_before < b.not_before; });
    }
    if (draw.chance(0.5)) knobs.operator_acts = draw.spread(1, 20);
    if (draw.chance(0.15)) knobs.sync_failures = 1;
    if (draw.chance(0.15)) knobs.clock_jumps = draw.number(1, 3);
    if (draw.chance(0.2)) knobs.stops = draw.number(1, 2);
    if (draw.chance(0.15)) knobs.disk_fulls = 1;
    WireKnobs& wire = knobs.wire;
    wire.latency_max = draw.chance(0.3) ? Duration(0) : draw.time(Duration(0), milliseconds(150));
    wire.latency_min = wire.latency_max / 2;
    wire.buffer_bytes = draw.one_of<std::size_t>({512, 4096, 65536, 65536});
    wire.split = draw.chance(0.4) ? 0.3 : 0;
    wire.reset = draw.chance(0.3) ? 0.002 : 0;
}

// Some worlds know TLS, with one policy for all mail in each.
void draw_tls(Draw& draw, Knobs& knobs) {
    if (draw.chance(0.5)) return;
    knobs.limits.tls = draw.one_of(
        {TlsMode::kOpportunistic, TlsMode::kOpportunistic, TlsMode::kRequired, TlsMode::kVerify});
    knobs.sender.timeouts.starttls = draw.time(seconds(3), seconds(30));
    for (HostKnobs& host : knobs.hosts) {
        if (host.has(Mood::kPlain)) continue;
        host.tls = draw.chance(0.5) ? TlsMood::kFine
                                    : static_cast<TlsMood>(draw.number(0, kTlsMoodCount - 1));
        if (host.tls != TlsMood::kNotOffered) host.offers.emplace_back("STARTTLS");
    }
}

}  // namespace

Knobs Knobs::draw(Random& random) {
    Draw draw(random);
    Knobs knobs;
    draw_process(draw, knobs);
    draw_domains(draw, knobs);
    draw_trouble(draw, knobs);
    const std::uint32_t campaigns = draw.chance(0.6) ? 1 : draw.number(2, 3);
    const std::uint32_t recipients = draw.one_of<std::uint32_t>({1000, 2200, 2700, 3200, 3600});
    for (std::uint32_t i = 1; i <= campaigns; ++i) {
        CampaignKnobs& campaign = knobs.campaigns.emplace_back();
        campaign.number = i;
        draw_campaign(draw, campaign, knobs, recipients / campaigns);
        if (i > 1 && draw.chance(0.5)) campaign.begins_after = draw.time(seconds(1), knobs.chaos);
    }
    for (std::size_t i = 0; i < knobs.domains.size(); ++i) {
        DomainKnobs& domain = knobs.domains[i];
        domain.first_address = knobs.addresses;
        std::uint32_t most = 0;
        for (const CampaignKnobs& campaign : knobs.campaigns)
            most = std::max(most, campaign.recipients[i]);
        knobs.addresses += most;
    }
    Random aside = random;  // what it draws leaves everything else of the world as it is
    Random of_tls(aside.next());
    Draw tls(of_tls);
    draw_tls(tls, knobs);
    return knobs;
}

}  // namespace posthorn::sim
