#include "tests/sim/receiver.h"

#include <array>

namespace posthorn::sim {

namespace {

Reply reply(std::uint16_t code, EnhancedCode enhanced, std::string_view text) {
    return {code, enhanced, std::string(text)};
}

// To one recipient, always the same.
const std::array<Reply, 9> kRefusals = {
    reply(550, {5, 1, 1}, "The email account that you tried to reach does not exist"),
    reply(550, {5, 2, 1}, "The mailbox is disabled and takes no messages"),
    reply(551, {5, 1, 6}, "User not local; please try elsewhere"),
    reply(552, {5, 2, 2}, "Mailbox full"),
    reply(550, {5, 7, 1}, "Refused by local policy"),
    reply(553, {5, 1, 3}, "The recipient address is not a valid one"),
    reply(554, {5, 7, 1}, "Relay access denied"),
    reply(550, {5, 1, 1}, "No such user here"),
    reply(552, {4, 5, 3}, "Too many recipients in this transaction")};

const std::array<Reply, 5> kDeferrals = {
    reply(451, {4, 3, 0}, "Local error in processing, try again later"),
    reply(450, {4, 2, 0}, "Mailbox busy"), reply(452, {4, 2, 2}, "Over quota"),
    reply(451, {4, 7, 0}, "Temporarily rejected, try again later"),
    reply(450, {4, 7, 28}, "Our system has detected an unusual rate of mail")};

const std::array<Reply, 4> kContentReplies = {
    reply(554, {5, 7, 1}, "This message looks like spam"),
    reply(552, {5, 3, 4}, "Message is too large"),
    reply(451, {4, 7, 1}, "Content is being looked at, try again later"),
    reply(554, {5, 6, 0}, "Message refused for its content")};

constexpr std::array<std::string_view, 4> kGarbage = {
    "\x16\x03 this is no reply\r\n", "250 2.0.0 One reply more\r\n", "299\r\n", "HELLO\r\n"};

template <class Table>
const Reply& one_of(const Table& table, std::uint64_t draw) {
    return table[draw % table.size()];
}

}  // namespace

Receiver::Receiver(const HostKnobs& knobs, const Agenda& agenda, Random& random, Coverage& coverage)
    : knobs_(knobs), agenda_(agenda), random_(random), coverage_(coverage) {
    ServerOptions options;
    options.host_name = knobs.name;
    options.offers = knobs.offers;
    options_ = std::make_shared<const ServerOptions>(std::move(options));
}

bool Receiver::strikes(Mood mood) {
    if (!acts(mood) || !random_.chance(knobs_.share)) return false;
    coverage_.met(name_of(mood));
    return true;
}

Receiver::Door Receiver::door() {
    if (!strikes(Mood::kShutsDoor)) return Door::kOpen;
    return random_.chance(0.7) ? Door::kRefused : Door::kHangs;
}

Decision Receiver::decide(Stage stage, const Visit& visit) {
    Decision decision;
    decision.wait = Duration(random_.between(0, knobs_.latency_max.count()));
    if (stage == Stage::kDot && !calm_) {
        if (strikes(Mood::kDropsAfterDot)) decision.then = Decision::Then::kDrop;
        if (strikes(Mood::kRefusesContent))
            decision.reply = one_of(kContentReplies, random_.next());
    }
    if (!decision.reply && !refused_by_nature(stage, visit, decision) && !calm_)
        (void)refused_by_mood(stage, visit, decision);
    if (!calm_) disturb(stage, decision);
    return decision;
}

// What is true of an address or a host, chaos or not.
bool Receiver::refused_by_nature(Stage stage, const Visit& visit, Decision& decision) const {
    if (stage == Stage::kEhlo && knobs_.has(Mood::kPlain) && visit.greetings == 1) {
        coverage_.met(name_of(Mood::kPlain));
        decision.reply = Reply{502, {}, "Command not implemented"};
        return true;
    }
    if (knobs_.has(Mood::kSmallSize)) coverage_.met(name_of(Mood::kSmallSize));
    if (stage != Stage::kRcpt || !knobs_.has(Mood::kRefusesSome) || visit.truth == nullptr)
        return false;
    const std::uint64_t fate = visit.truth->address * 2654435761u % 1000;
    if (static_cast<double>(fate) >= knobs_.share * 500) return false;
    coverage_.met(name_of(Mood::kRefusesSome));
    decision.reply = one_of(kRefusals, fate);
    return true;
}

bool Receiver::refused_at_greeting(Stage stage, const Visit& visit, Decision& decision) {
    if (stage == Stage::kConnect && acts(Mood::kFewSessions) && sessions_ > knobs_.few) {
        coverage_.met(name_of(Mood::kFewSessions));
        decision.reply = reply(421, {4, 7, 0}, "Too many connections from your host");
        decision.then = Decision::Then::kClose;
        return true;
    }
    if (visit.greetings > 1 || !strikes(Mood::kRefusesGreeting)) return false;
    const std::uint64_t draw = random_.below(3);
    decision.reply = draw == 0   ? reply(554, {5, 7, 1}, "No mail from you")
                     : draw == 1 ? reply(421, {4, 3, 2}, "Not now")
                                 : reply(451, {4, 3, 0}, "Not yet");
    if (draw == 1) decision.then = Decision::Then::kClose;
    return true;
}

bool Receiver::refused_by_mood(Stage stage, const Visit& visit, Decision& decision) {
    switch (stage) {
        case Stage::kConnect:
        case Stage::kEhlo:
            return refused_at_greeting(stage, visit, decision);
        case Stage::kMail:
            if (acts(Mood::kClosesAfterSome) && visit.messages >= knobs_.few) {
                coverage_.met(name_of(Mood::kClosesAfterSome));
                decision.reply = reply(421, {4, 7, 0}, "Enough for one session");
                decision.then = Decision::Then::kClose;
                return true;
            }
            if (pushed()) {
                decision.reply = reply(421, {4, 7, 28}, "Unusual rate, slow down");
                decision.then = Decision::Then::kClose;
                return true;
            }
            if (!strikes(Mood::kRefusesSender)) return false;
            decision.reply = random_.chance(0.5)
                                 ? reply(451, {4, 1, 8}, "Sender domain unknown yet")
                                 : reply(550, {5, 7, 1}, "Sender refused");
            return true;
        case Stage::kStartTls:
            if (knobs_.tls != TlsMood::kRefuses || !random_.chance(knobs_.share)) return false;
            coverage_.met(name_of(TlsMood::kRefuses));
            decision.reply = reply(454, {4, 7, 0}, "TLS not available now");
            return true;
        case Stage::kRcpt:
            if (acts(Mood::kGreylists) && visit.truth != nullptr) {
                const auto [seen, first] =
                    greylist_.emplace(visit.truth, agenda_.now().instant + knobs_.patience);
                if (first || agenda_.now().instant < seen->second) {
                    coverage_.met(name_of(Mood::kGreylists));
                    decision.reply = reply(451, {4, 7, 1}, "Greylisted, please come back later");
                    return true;
                }
            }
            [[fallthrough]];
        case Stage::kData:
            if (!strikes(Mood::kDefersSome)) return false;
            decision.reply = one_of(kDeferrals, random_.next());
            return true;
        default:
            return false;
    }
}

// More recipients in a second than it likes: refused for a while.
bool Receiver::pushed() {
    if (!acts(Mood::kSlowsWhenPushed)) return false;
    const Instant now = agenda_.now().instant;
    recent_.push_back(now);
    while (recent_.front() + std::chrono::seconds(1) < now) recent_.pop_front();
    if (recent_.size() > knobs_.few) penalty_until_ = now + knobs_.patience / 10;
    if (now >= penalty_until_) return false;
    coverage_.met(name_of(Mood::kSlowsWhenPushed));
    return true;
}

// Lateness, silence and noise, at any stage.
void Receiver::disturb(Stage stage, Decision& decision) {
    if (strikes(Mood::kTarpits))
        decision.wait += Duration(random_.between(0, knobs_.patience.count()));
    if (acts(Mood::kFallsSilent) && random_.chance(knobs_.share / 20)) {
        coverage_.met(name_of(Mood::kFallsSilent));
        decision.then = Decision::Then::kSilence;
    }
    if (acts(Mood::kTalksGarbage) && random_.chance(knobs_.share / 10)) {
        coverage_.met(name_of(Mood::kTalksGarbage));
        decision.before = kGarbage[random_.below(kGarbage.size())];
    }
    if (stage == Stage::kMail && acts(Mood::kClosesAfterSome) && random_.chance(knobs_.share / 10))
        decision.then = Decision::Then::kDrop;
}

// A certificate is what it is; the rest happens at times.
TlsMood Receiver::handshake() {
    const bool now = !calm_ && (knobs_.tls == TlsMood::kUntrusted || random_.chance(knobs_.share));
    const TlsMood mood = now && knobs_.tls != TlsMood::kRefuses ? knobs_.tls : TlsMood::kFine;
    coverage_.met(name_of(mood));
    return mood;
}

bool Receiver::resets_now() { return strikes(Mood::kResetsInData); }

}  // namespace posthorn::sim
