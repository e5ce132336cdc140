#include "engine/net/resolver.h"

#include <algorithm>
#include <deque>
#include <unordered_map>
#include <utility>

#include "engine/base/ascii.h"
#include "engine/base/check.h"
#include "engine/net/dns_cache.h"

namespace posthorn {
namespace {

std::string canonical(std::string name) {
    ascii_lower(name);
    if (name.ends_with('.')) name.pop_back();
    return name;
}

}  // namespace

struct Resolver::State {
    using SharedAnswer = std::shared_ptr<const DnsAnswer>;

    struct Ready {
        Answered answered;
        SharedAnswer answer;
    };
    struct Lookup {
        MailHostLookup steps;
        MailHostsFound found;
    };

    State(Loop& on, ResolverOptions chosen, Random chance)
        : loop(on),
          options(std::move(chosen)),
          random(chance),
          cache(options.cache_entries_max),
          delivery(on, [this] { deliver(); }) {}

    void ask(const DnsQuestion& question, Answered answered) {
        if (SharedAnswer known = cache.find(question, loop.now().instant)) {
            ++figures.cache_hits;
            make_ready({std::move(answered), std::move(known)});
            return;
        }
        std::vector<Answered>& waiters = flights[question];
        waiters.push_back(std::move(answered));
        if (waiters.size() > 1) return;
        waiting.push_back(question);
        send_more();
    }

    void send_more() {
        while (figures.outstanding < options.outstanding_max && !waiting.empty()) {
            const DnsQuestion question = std::move(waiting.front());
            waiting.pop_front();
            ++figures.outstanding;
            ++figures.questions;
            channel->send(question, [this, question](const DnsAnswer& answer) {
                question_answered(question, answer);
            });
        }
    }

    // Called by the channel, in the midst of its work: nothing may be asked or delivered here.
    void question_answered(const DnsQuestion& question, DnsAnswer answer) {
        --figures.outstanding;
        if (answer.kind == DnsAnswer::Kind::kTemporary) ++figures.failures;
        answer.ttl = clamped_ttl(answer);
        cache.put(question, answer, loop.now().instant);
        const auto shared = std::make_shared<const DnsAnswer>(std::move(answer));
        const auto flight = flights.extract(question);
        CHECK(!flight.empty());
        for (Answered& waiter : flight.mapped()) make_ready({std::move(waiter), shared});
    }

    Duration clamped_ttl(const DnsAnswer& answer) const {
        switch (answer.kind) {
            case DnsAnswer::Kind::kTemporary:
            case DnsAnswer::Kind::kLoop:
                return options.failure_ttl;
            case DnsAnswer::Kind::kNoDomain:
            case DnsAnswer::Kind::kNoRecords:
                return std::clamp(answer.ttl, options.ttl_min, options.negative_ttl_max);
            default:
                return std::clamp(answer.ttl, options.ttl_min, options.ttl_max);
        }
    }

    void make_ready(Ready item) {
        ready.push_back(std::move(item));
        delivery.arm(loop.now().instant);
    }

    void deliver() {
        while (!ready.empty()) {
            const Ready item = std::move(ready.front());
            ready.pop_front();
            item.answered(*item.answer);
        }
        send_more();
    }

    bool begin(MailHostLookup steps, MailHostsFound found) {
        if (lookups.size() >= options.lookups_max) return false;
        const std::uint64_t number = next_lookup++;
        const auto entry =
            lookups.emplace(number, Lookup{std::move(steps), std::move(found)}).first;
        ask_next(number, entry->second);
        return true;
    }

    void ask_next(std::uint64_t number, Lookup& lookup) {
        for (const DnsQuestion& question : lookup.steps.take_questions()) {
            ask(question, [this, number, question](const DnsAnswer& answer) {
                lookup_answered(number, question, answer);
            });
        }
    }

    void lookup_answered(std::uint64_t number, const DnsQuestion& question,
                         const DnsAnswer& answer) {
        const auto entry = lookups.find(number);
        CHECK(entry != lookups.end());
        entry->second.steps.answered(question, answer);
        ask_next(number, entry->second);
        if (!entry->second.steps.done()) return;
        const Lookup lookup = std::move(entry->second);
        lookups.erase(entry);
        lookup.found(lookup.steps.verdict(random));
    }

    Loop& loop;
    ResolverOptions options;
    Random random;
    DnsCache cache;
    std::unordered_map<DnsQuestion, std::vector<Answered>, DnsQuestionHash> flights;
    std::deque<DnsQuestion> waiting;  // of flights, those not sent yet
    std::deque<Ready> ready;
    std::unordered_map<std::uint64_t, Lookup> lookups;
    std::uint64_t next_lookup = 0;
    ResolverFigures figures;
    Timer delivery;
    std::unique_ptr<DnsChannel> channel;  // destroyed first: it calls into the rest
};

Result<std::unique_ptr<Resolver>> Resolver::create(Loop& loop, ResolverOptions options,
                                                   Random random) {
    auto channel =
        DnsChannel::create(loop, options.servers, options.timeout, options.tries, options.trust);
    if (!channel) return channel.error();
    auto state = std::make_unique<State>(loop, std::move(options), random);
    state->channel = std::move(*channel);
    return std::unique_ptr<Resolver>(new Resolver(std::move(state)));
}

Resolver::Resolver(std::unique_ptr<State> state) : state_(std::move(state)) {}
Resolver::~Resolver() = default;

bool Resolver::lookup_mail_hosts(const std::string& domain, MailHostsFound found) {
    const ResolverOptions& options = state_->options;
    const bool trusted = state_->channel->trusted();
    return state_->begin({canonical(domain), options.ipv6, options.limits, trusted},
                         std::move(found));
}

bool Resolver::lookup_host(const std::string& host, MailHostsFound found) {
    const ResolverOptions& options = state_->options;
    return state_->begin(MailHostLookup::of_host(canonical(host), options.ipv6, options.limits),
                         std::move(found));
}

bool Resolver::ask(DnsQuestion question, Answered answered) {
    if (state_->flights.size() >= state_->options.questions_max) return false;
    question.name = canonical(std::move(question.name));
    state_->ask(question, std::move(answered));
    return true;
}

void Resolver::forget_all() { state_->cache.clear(); }

ResolverFigures Resolver::figures() const {
    ResolverFigures figures = state_->figures;
    figures.waiting = state_->waiting.size();
    figures.cached = state_->cache.size();
    return figures;
}

}  // namespace posthorn
