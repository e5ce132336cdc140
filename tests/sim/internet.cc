#include "tests/sim/internet.h"

#include "engine/base/check.h"

namespace posthorn::sim {

Internet::Internet(Scene& scene) : scene_(scene) {
    for (const HostKnobs& host : scene.knobs.hosts) {
        receivers_.push_back(
            std::make_unique<Receiver>(host, scene.agenda, scene.random, scene.coverage));
        by_address_.emplace(host.address, receivers_.back().get());
    }
    for (const DomainKnobs& domain : scene.knobs.domains) domains_.emplace(domain.name, &domain);
}

MailHosts Internet::resolve(const std::string& name) {
    const DomainKnobs& domain = *domains_.at(name);
    const bool late = !scene_.chaos || scene_.random.chance(0.5);
    MailHosts answer;
    answer.detail = "so the world is";
    scene_.coverage.met(name_of(domain.dns));
    if (domain.dns == DnsMood::kNoDomain) {
        answer.verdict = DnsVerdict::kNoDomain;
    } else if (domain.dns == DnsMood::kNullMx) {
        answer.verdict = DnsVerdict::kNullMx;
    } else if (domain.dns == DnsMood::kFlaps && !late) {
        answer.verdict = DnsVerdict::kNoAddress;
    } else if (domain.dns == DnsMood::kFailsAtTimes && !late) {
        answer.verdict = DnsVerdict::kTemporary;
    } else {
        answer.verdict = DnsVerdict::kFound;
        answer.ttl = std::chrono::seconds(scene_.random.between(1, 600));
        const auto& hosts = domain.dns == DnsMood::kMoves && late ? domain.later : domain.hosts;
        std::uint16_t preference = 10;
        for (const std::size_t index : hosts) {
            const HostKnobs& host = scene_.knobs.hosts[index];
            answer.hosts.push_back({host.name, preference, {host.address}, answer.ttl});
            preference = static_cast<std::uint16_t>(preference + 10);
        }
    }
    scene_.books.resolved(name, answer.verdict);
    return answer;
}

std::shared_ptr<Connection> Internet::connect(Client& client, const ConnectOrder& order) {
    const auto receiver = by_address_.find(order.address);
    CHECK(receiver != by_address_.end());
    auto connection = std::make_shared<Connection>(scene_, *receiver->second, client, order.slot);
    connection->open();
    connections_.push_back(connection);
    return connection;
}

void Internet::settle_accounts() {
    for (const auto& connection : connections_)
        if (const auto alive = connection.lock()) alive->settle_accounts();
}

void Internet::calm_down() {
    for (auto& receiver : receivers_) receiver->calm_down();
}

}  // namespace posthorn::sim
