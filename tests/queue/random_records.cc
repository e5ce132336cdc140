#include "tests/queue/random_records.h"

namespace posthorn {

namespace {

// Small numbers, large numbers and the extremes, each often.
std::uint64_t random_number(Random& random) {
    switch (random.below(4)) {
        case 0:
            return random.below(3);
        case 1:
            return random.below(1000);
        case 2:
            return random.next();
        default:
            return ~std::uint64_t{0} - random.below(2);
    }
}

WallTime random_time(Random& random) {
    if (random.chance(0.1)) return WallTime();
    if (random.chance(0.1)) return wall_from_micros(static_cast<std::int64_t>(random.next()));
    return wall_from_micros(random.between(1'700'000'000'000'000, 1'800'000'000'000'000));
}

template <class Enum>
Enum random_enum(Random& random, std::uint64_t count) {
    return static_cast<Enum>(random.below(count));
}

template <class Integer>
Integer random_integer(Random& random) {
    return static_cast<Integer>(random_number(random));
}

AttemptRecord random_attempt(Random& random) {
    AttemptRecord attempt;
    attempt.time = random_time(random);
    attempt.stage = random_enum<Stage>(random, 11);
    attempt.category = random_enum<Category>(random, kCategoryCount);
    attempt.action = random_enum<Action>(random, 6);
    attempt.reply.code = random_integer<std::uint16_t>(random);
    if (random.chance(0.5))
        attempt.reply.enhanced = EnhancedCode{random_integer<std::uint16_t>(random),
                                              random_integer<std::uint16_t>(random),
                                              random_integer<std::uint16_t>(random)};
    attempt.reply.text = random_text(random, 300);
    attempt.host = random_text(random, 30);
    attempt.source = random_text(random, 5);
    attempt.uncertain = random.chance(0.3);
    return attempt;
}

Figures random_figures(Random& random) {
    Figures figures;
    for (auto& count : figures.by_state) count = random_number(random);
    for (auto& count : figures.by_category) count = random_number(random);
    figures.attempts = random_number(random);
    figures.possible_duplicates = random_number(random);
    return figures;
}

}  // namespace

std::string random_text(Random& random, std::size_t bytes_max) {
    std::string text(random.below(bytes_max + 1), '\0');
    for (char& c : text) c = static_cast<char>(random.below(256));
    return text;
}

OutcomeRecord random_outcome(Random& random) {
    OutcomeRecord outcome;
    outcome.state = random_enum<OutcomeState>(random, kOutcomeStateCount);
    outcome.category = random_enum<Category>(random, kCategoryCount);
    outcome.attempts = random_integer<std::uint32_t>(random);
    outcome.possible_duplicates = random_integer<std::uint32_t>(random);
    outcome.lease = random_number(random);
    outcome.first_lease = random_time(random);
    outcome.next_due = random_time(random);
    for (std::uint64_t left = random.below(kAttemptsKept + 1); left > 0; --left)
        outcome.latest.push_back(random_attempt(random));
    return outcome;
}

LeaseRecord random_lease(Random& random) {
    LeaseRecord lease{{random_integer<std::uint32_t>(random), random_text(random, 20)},
                      random_time(random),
                      random_text(random, 5),
                      {}};
    for (std::uint64_t left = random.below(20); left > 0; --left)
        lease.locals.push_back(random_text(random, 20));
    return lease;
}

LaneRecord random_lane(Random& random) {
    return {random_number(random), random.chance(0.5) ? random_figures(random) : Figures{},
            random_text(random, 20)};
}

CampaignRecord random_campaign(Random& random) {
    CampaignRecord campaign;
    campaign.number = random_integer<std::uint32_t>(random);
    campaign.id = random_text(random, 64);
    campaign.state = random_enum<CampaignState>(random, kCampaignStateCount);
    campaign.pause_reason = random_text(random, 20);
    campaign.created = random_time(random);
    campaign.started = random_time(random);
    campaign.finished = random_time(random);
    campaign.active = Duration(static_cast<std::int64_t>(random_number(random)));
    campaign.lanes = random_number(random);
    campaign.audience = {random_number(random), random_number(random), random_number(random),
                         random_number(random), random_number(random), random_number(random)};
    for (std::uint64_t left = random.below(5); left > 0; --left)
        campaign.columns.push_back(random_text(random, 10));
    campaign.definition = random_text(random, 400);
    for (std::uint64_t left = random.below(5); left > 0; --left)
        campaign.digests.emplace_back(random_text(random, 10), random_text(random, 64));
    return campaign;
}

EventRecord random_event(Random& random) {
    EventRecord event;
    event.time = random_time(random);
    event.type = random_enum<EventType>(random, 2);
    event.lane = {random_integer<std::uint32_t>(random), random_text(random, 20)};
    event.local = random_text(random, 20);
    event.before = random_enum<OutcomeState>(random, kOutcomeStateCount);
    event.after = random_enum<OutcomeState>(random, kOutcomeStateCount);
    event.category_before = random_enum<Category>(random, kCategoryCount);
    event.category = random_enum<Category>(random, kCategoryCount);
    event.attempt = random_integer<std::uint32_t>(random);
    event.possible_duplicate = random.chance(0.5);
    return event;
}

SuppressionRecord random_suppression(Random& random) {
    return {random_text(random, 40), random_text(random, 10), random_text(random, 20),
            random_time(random), random.chance(0.5)};
}

}  // namespace posthorn
