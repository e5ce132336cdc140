// What must hold when a world has come to its end: everybody has one outcome, and all records of it
// agree with each other and with what the receivers have.
#include "engine/base/bytes.h"
#include "engine/base/check.h"
#include "engine/queue/keys.h"
#include "engine/queue/records.h"
#include "tests/sim/books.h"

namespace posthorn::sim {

namespace {

std::size_t index(OutcomeState state) { return static_cast<std::size_t>(state); }

}  // namespace

void Books::check_end(const Store& store) {
    std::map<CampaignNumber, Figures> recounted;
    for (const Truth& truth : truths_) {
        if (truth.campaign == 0) continue;
        check_recipient(truth);
        Figures& figures = recounted[truth.campaign];
        ++figures.by_state[index(truth.state)];
        figures.attempts += truth.attempts;
        figures.possible_duplicates += truth.possible_duplicates;
    }
    for (const auto& [campaign, figures] : recounted) {
        const Figures& tallied = tallied_[campaign];
        for (std::size_t i = index(OutcomeState::kDeferred); i < kOutcomeStateCount; ++i)
            if (figures.by_state[i] != tallied.by_state[i])
                fail('i', "events and outcomes of campaign " + std::to_string(campaign) +
                              " disagree on " +
                              std::string(posthorn::name_of(static_cast<OutcomeState>(i))));
        if (figures.attempts != tallied.attempts ||
            figures.possible_duplicates != tallied.possible_duplicates)
            fail('i', "events and outcomes disagree on attempts or possible duplicates");
    }
    check_figures(store);
    check_retries(store);
    if (!leases_.empty()) fail('a', "a lease is open at the end");
}

void Books::check_recipient(const Truth& truth) {
    if (!is_final(truth.state))
        return fail('a', name_of(truth) + " is " + std::string(posthorn::name_of(truth.state)) +
                             " at the end");
    if (truth.terminal_events != 1)
        fail('a',
             name_of(truth) + " has " + std::to_string(truth.terminal_events) + " terminal events");
    const std::string copies =
        name_of(truth) + " was taken " + std::to_string(truth.accepted) + " times";
    // What a session says that lies about its replies, nobody can know.
    const std::uint32_t accepted = truth.accepted - truth.misled;
    if (accepted > 1 + truth.unheard + truth.touched)
        fail('b', copies + ", with " + std::to_string(truth.unheard) + " replies unheard and " +
                      std::to_string(truth.touched) + " crashes");
    if (accepted > 1 && accepted - 1 > truth.possible_duplicates)
        fail('b', copies + ", and " + std::to_string(truth.possible_duplicates) +
                      " are known as possible duplicates");
    if (accepted > 1 && knobs_of(truth.campaign).retry.hold_uncertain)
        fail('b', copies + ", and it was to be held");
}

// The journal's figures, from its last checkpoint and the events since.
void Books::check_figures(const Store& store) {
    const auto stored = store.get(Family::kState, state_key("checkpoint", {}));
    CHECK(stored);
    const std::uint64_t covered = *stored ? ByteReader(**stored).u64() : 0;
    std::map<CampaignNumber, Figures> figures;
    const std::string prefix = state_prefix("figures");
    auto cursor = store.cursor(Family::kState, prefix, prefix_end(prefix));
    for (cursor->seek(prefix); cursor->valid(); cursor->next()) {
        const CampaignNumber campaign = ByteReader(cursor->key().substr(prefix.size())).u32();
        figures[campaign] = *decode_figures(cursor->value());
    }
    auto events = store.cursor(Family::kEvent, {}, {});
    for (events->seek(sequence_key(covered + 1)); events->valid(); events->next()) {
        const auto event = decode_event(events->value(), *parse_sequence_key(events->key()));
        Figures& of = figures[event->lane.campaign];
        if (event->before != OutcomeState::kPending) --of.by_state[index(event->before)];
        ++of.by_state[index(event->after)];
        of.attempts += event->type == EventType::kAttempt;
        of.possible_duplicates += event->possible_duplicate;
    }
    for (const auto& [campaign, tallied] : tallied_) {
        const Figures& of = figures[campaign];
        if (of.by_state != tallied.by_state || of.attempts != tallied.attempts ||
            of.possible_duplicates != tallied.possible_duplicates)
            fail('i', "the stored figures of campaign " + std::to_string(campaign) +
                          " are not those of its events");
    }
}

// Every deferred outcome has its retry, and no other retry is left.
void Books::check_retries(const Store& store) {
    auto cursor = store.cursor(Family::kRetry, {}, {});
    for (cursor->seek({}); cursor->valid(); cursor->next()) {
        const auto key = parse_retry_key(cursor->key());
        CHECK(key);
        const Truth* truth = find({key->campaign, std::string(key->domain)}, key->local);
        if (truth == nullptr || truth->state != OutcomeState::kDeferred ||
            truth->next_due != key->due)
            fail('a', "a retry is left of somebody who is not deferred to it");
    }
}

}  // namespace posthorn::sim
