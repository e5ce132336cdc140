// What the books make of batches as they become durable.
#include "engine/base/check.h"
#include "engine/delivery/retry_hint.h"
#include "engine/queue/keys.h"
#include "engine/queue/records.h"
#include "tests/sim/books.h"

namespace posthorn::sim {

namespace {

std::size_t index(OutcomeState state) { return static_cast<std::size_t>(state); }

struct DueWithin {
    Duration earliest, latest;  // of the wait behind the last attempt
};

// The wait that the reply named, greylisting's step, or the schedule's with its jitter.
DueWithin due_within(const AttemptRecord& last, Duration step) {
    const auto named = last.reply.transient() ? wait_named_in(last.reply.text) : std::nullopt;
    if (named) return {*named, *named + *named / 10 + std::chrono::seconds(5)};
    if (last.category == Category::kGreylisted) return {step, step * 7 / 5};
    return {step * 4 / 5, step * 6 / 5};
}

}  // namespace

void Books::becoming_durable(const WriteBatch& batch) {
    std::map<std::uint64_t, WriteBatch::Operation> leases;  // as they are behind the batch
    for (std::size_t i = 0; i < batch.size(); ++i) {
        const WriteBatch::Operation operation = batch[i];
        const bool put = operation.kind == WriteBatch::Kind::kPut;
        if (operation.family == Family::kOutcome) {
            if (put) {
                outcome_durable(operation);
            } else {
                fail('a', "an outcome is erased");
            }
        } else if (operation.family == Family::kLease) {
            leases.insert_or_assign(*parse_sequence_key(operation.key), operation);
        } else if (operation.family == Family::kEvent && put) {
            event_durable(operation);
        } else if (operation.family == Family::kSuppression && put) {
            const auto record = decode_suppression(operation.value);
            CHECK(record);
            const auto address = static_cast<std::uint32_t>(std::stoul(record->address.substr(1)));
            suppressed_.insert(address);
            once_suppressed_.insert(address);
            if (record->quarantined) suppressed_.erase(address);
        }
    }
    for (const auto& [sequence, operation] : leases) lease_erased(sequence);
    for (const auto& [sequence, operation] : leases)
        if (operation.kind == WriteBatch::Kind::kPut) lease_durable(sequence, operation.value);
    for (std::size_t i = 0; i < batch.size(); ++i)
        if (batch[i].family == Family::kCampaign) campaign_durable(batch[i]);
}

void Books::campaign_durable(const WriteBatch::Operation& operation) {
    const auto record = decode_campaign(operation.value);
    CHECK(record);
    if (record->finished == WallTime()) return;
    finished_.insert(record->number);
    for (const Truth& truth : truths_)
        if (truth.campaign == record->number && !is_final(truth.state))
            fail('a', name_of(truth) + " is " + std::string(posthorn::name_of(truth.state)) +
                          " in a finished campaign");
}

void Books::outcome_durable(const WriteBatch::Operation& operation) {
    const auto key = parse_audience_key(operation.key);
    CHECK(key);
    Truth* truth = find({key->campaign, std::string(key->domain)}, key->local);
    auto decoded = decode_outcome(operation.value);
    CHECK(decoded);
    const OutcomeRecord& outcome = *decoded;
    if (truth == nullptr) return fail('a', "an outcome of somebody outside the audience");
    if (is_final(truth->state)) fail('a', name_of(*truth) + ": a final outcome is replaced");
    if (outcome.attempts != truth->attempts) check_attempt(*truth, outcome);
    if (is_final(outcome.state)) {
        check_final(*truth, outcome);
    } else {
        check_due(*truth, outcome);
    }
    truth->state = outcome.state;
    truth->next_due = outcome.next_due;
    truth->first_lease = outcome.first_lease;
    truth->attempts = outcome.attempts;
    truth->possible_duplicates = outcome.possible_duplicates;
    truth->granted = 0;
    if (outcome.lease != truth->open_lease || truth->open_lease == 0) return;
    std::erase(leases_[truth->open_lease], truth);
    truth->open_lease = 0;
}

// What the record says was answered, a receiver has answered.
void Books::check_attempt(const Truth& truth, const OutcomeRecord& outcome) {
    if (outcome.attempts != truth.attempts + 1)
        fail('i', name_of(truth) + ": attempts were counted twice, or not at all");
    if (outcome.latest.empty()) return fail('i', name_of(truth) + ": an attempt without a record");
    const AttemptRecord& attempt = outcome.latest.back();
    if (attempt.uncertain)
        coverage_.met(outcome.state == OutcomeState::kUncertain ? "uncertain held"
                                                                : "uncertain resent");
    if (attempt.reply.code == 0) {
        if (outcome.state == OutcomeState::kBounced) coverage_.met("unrendered");
        return;
    }
    // A peer that forgot who was named, or took a message for commands, speaks of nobody.
    const bool out_of_order = attempt.reply.code >= 500 && attempt.reply.code <= 503;
    if (liars_.contains(attempt.host) || out_of_order) return;
    // MAIL is answered before anybody is named, by the session itself if need be.
    if (attempt.stage == Stage::kMail) {
        if (attempt.reply.enhanced == EnhancedCode{5, 6, 3} ||
            attempt.reply.enhanced == EnhancedCode{5, 3, 4})
            coverage_.met("local refusal");
        return;
    }
    for (const Said& said : truth.said)
        if (said.code == attempt.reply.code &&
            (said.stage == attempt.stage || said.stage == Stage::kNone))
            return;
    fail('i', name_of(truth) + ": recorded as answered " + to_string(attempt.reply) +
                  ", which no receiver said");
}

void Books::check_final(const Truth& truth, const OutcomeRecord& outcome) {
    const RetryPolicy& retry = knobs_of(truth.campaign).retry;
    const WallTime now = agenda_.now().wall;
    const bool lied_to = !outcome.latest.empty() && liars_.contains(outcome.latest.back().host);
    switch (outcome.state) {
        case OutcomeState::kDelivered:
            if (truth.accepted == 0 && !lied_to)
                fail('c', name_of(truth) + " is delivered, and no receiver has it");
            return;
        case OutcomeState::kBounced: {
            const AttemptRecord* last = outcome.latest.empty() ? nullptr : &outcome.latest.back();
            if (last != nullptr && last->stage == Stage::kDns) {
                coverage_.met("invalid domain");
                const auto negative = negatives_.find(knobs_.domains[truth.domain].name);
                if (negative == negatives_.end() || negative->second.last - negative->second.first <
                                                        knobs_.limits.dns_confirm_after)
                    fail('d', name_of(truth) + " is bounced for a name that was not confirmed");
                return;
            }
            const bool unrendered = last != nullptr && last->reply.code == 0;
            const bool at_mail =
                last != nullptr && (last->stage == Stage::kMail ||
                                    (last->reply.code >= 500 && last->reply.code <= 503));
            if (!unrendered && !at_mail && !lied_to && !permanently_refused(truth))
                fail('i', name_of(truth) + " is bounced, and nobody refused it for good");
            return;
        }
        case OutcomeState::kExpired: {
            coverage_.met("expired");
            const bool tried_enough = outcome.attempts >= retry.attempts_max;
            const bool old = outcome.first_lease + retry.age_max <= now;
            const bool blocked = outcome.latest.empty() || outcome.attempts == truth.attempts;
            if (!tried_enough && !old && !blocked && knobs_.clock_jumps == 0)
                fail('f', name_of(truth) + " expires before its time");
            return;
        }
        case OutcomeState::kUncertain:
            if (!retry.hold_uncertain) fail('a', name_of(truth) + " is held, and was to be resent");
            return;
        case OutcomeState::kSuppressed:
            coverage_.met("suppressed");
            if (!once_suppressed_.contains(truth.address))
                fail('i', name_of(truth) + " counts as suppressed, and is not");
            return;
        case OutcomeState::kCancelled:
            if (!cancelled_.contains(truth.campaign))
                fail('i', name_of(truth) + " counts as cancelled, and is not");
            return;
        default:
            return;
    }
}

void Books::check_due(const Truth& truth, const OutcomeRecord& outcome) {
    if (outcome.latest.empty() || knobs_.clock_jumps > 0) return;
    const AttemptRecord& last = outcome.latest.back();
    if (last.uncertain && last.host.empty()) return;  // found at a start: due at once
    const RetryPolicy& retry = knobs_of(truth.campaign).retry;
    const std::size_t step = std::min<std::size_t>(outcome.attempts, retry.schedule.size()) - 1;
    const WallTime expiry = outcome.first_lease + retry.age_max;
    const DueWithin within = due_within(last, retry.schedule[step]);
    if (outcome.next_due < std::min(last.time + within.earliest, expiry))
        fail('f', name_of(truth) + " is due before its step of the schedule");
    if (outcome.next_due > agenda_.now().wall + within.latest || outcome.next_due > expiry)
        fail('f', name_of(truth) + " is due after its step of the schedule");
}

void Books::lease_durable(std::uint64_t sequence, std::string_view value) {
    const auto record = decode_lease(value);
    CHECK(record);
    std::vector<Truth*>& members = leases_[sequence];
    for (const std::string& local : record->locals) {
        Truth* truth = find(record->lane, local);
        if (truth == nullptr) {
            fail('a', "a stored lease of somebody outside the audience");
            continue;
        }
        if (truth->open_lease != 0) fail('a', name_of(*truth) + " is in two stored leases");
        truth->open_lease = sequence;
        members.push_back(truth);
    }
}

void Books::lease_erased(std::uint64_t sequence) {
    const auto found = leases_.find(sequence);
    if (found == leases_.end()) return;
    for (Truth* truth : found->second) truth->open_lease = 0;
    leases_.erase(found);
}

void Books::event_durable(const WriteBatch::Operation& operation) {
    const auto sequence = parse_sequence_key(operation.key);
    CHECK(sequence);
    const auto event = decode_event(operation.value, *sequence);
    CHECK(event);
    Figures& figures = tallied_[event->lane.campaign];
    if (event->before != OutcomeState::kPending) --figures.by_state[index(event->before)];
    ++figures.by_state[index(event->after)];
    figures.attempts += event->type == EventType::kAttempt;
    figures.possible_duplicates += event->possible_duplicate;
    Truth* truth = find(event->lane, event->local);
    if (truth == nullptr) return fail('i', "an event of somebody outside the audience");
    if (is_final(event->after)) ++truth->terminal_events;
}

}  // namespace posthorn::sim
