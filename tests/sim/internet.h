// What lies beyond the engine's sockets: names and their answers, mail hosts behind their
// addresses. Outlives every process.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "tests/sim/connection.h"
#include "tests/sim/receiver.h"
#include "tests/sim/scene.h"

namespace posthorn::sim {

class Internet {
  public:
    explicit Internet(Scene& scene);

    MailHosts resolve(const std::string& domain);
    std::shared_ptr<Connection> connect(Client& client, const ConnectOrder& order);
    void calm_down();
    void settle_accounts();  // at the end: what was never heard

  private:
    Scene& scene_;
    std::vector<std::unique_ptr<Receiver>> receivers_;
    std::map<IpAddress, Receiver*> by_address_;
    std::map<std::string, const DomainKnobs*> domains_;
    std::vector<std::weak_ptr<Connection>> connections_;
};

}  // namespace posthorn::sim
