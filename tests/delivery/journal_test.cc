#include "engine/delivery/journal.h"

#include <gtest/gtest.h>

#include "engine/base/random.h"
#include "engine/queue/campaign_catalog.h"
#include "engine/queue/keys.h"
#include "engine/queue/memory_store.h"
#include "engine/queue/records.h"
#include "engine/queue/suppressions.h"
#include "tests/delivery/stored_audience.h"

namespace posthorn {
namespace {

using std::chrono::seconds;

class JournalTest : public testing::Test {
  protected:
    void SetUp() override { open(); }

    // As after the end of the process, orderly or not.
    void open(bool hold = false) {
        journal_.reset();
        auto opened = Journal::open(*store_, now_, [=](CampaignNumber) { return hold; });
        ASSERT_TRUE(opened) << opened.error().message;
        journal_ = std::move(*opened);
        next_lease_ = journal_->recovery().next_lease;
    }
    JournalCommitted commit(std::vector<JournalEntry> entries) {
        now_ += seconds(1);
        auto report = journal_->commit(entries, now_);
        EXPECT_TRUE(report);
        return report ? *report : JournalCommitted{};
    }
    GrantLease grant(std::vector<Recipient> recipients, const LaneId& lane = kLane) {
        auto lease = std::make_shared<Lease>();
        lease->sequence = next_lease_++;
        lease->lane = lane;
        lease->source = "a";
        lease->time = now_;
        lease->recipients = std::move(recipients);
        return {std::move(lease), 0};
    }
    RecordOutcome outcome(const GrantLease& grant, std::size_t index, OutcomeState state,
                          Category category = Category::kNone) {
        const Recipient& recipient = grant.lease->recipients[index];
        RecordOutcome entry{grant.lease->lane, recipient, grant.lease->sequence,
                            AttemptRecord{},   state,     category,
                            grant.lease->time, {},        false};
        entry.attempt->time = now_;
        entry.attempt->stage = Stage::kDot;
        entry.attempt->category = category;
        if (recipient.previous() != nullptr) entry.first_lease = recipient.previous()->first_lease;
        if (state == OutcomeState::kDeferred) entry.next_due = now_ + seconds(300);
        return entry;
    }
    // A recipient as the reader would give it.
    Recipient recipient(const std::string& local, const LaneId& lane = kLane) {
        return stored_recipient(*store_, lane, local);
    }
    std::optional<OutcomeRecord> stored(const std::string& local, const LaneId& lane = kLane) {
        const auto bytes = store_->get(Family::kOutcome, audience_key(lane, local_key(local)));
        if (!bytes || !*bytes) return std::nullopt;
        return *decode_outcome(**bytes);
    }
    std::optional<LeaseRecord> lease(const GrantLease& grant) {
        const auto bytes = store_->get(Family::kLease, sequence_key(grant.lease->sequence));
        if (!bytes || !*bytes) return std::nullopt;
        return *decode_lease(**bytes);
    }
    std::uint64_t count(Family family) {
        std::uint64_t keys = 0;
        const auto cursor = store_->cursor(family, {}, {});
        for (cursor->seek({}); cursor->valid(); cursor->next()) ++keys;
        return keys;
    }

    inline static const LaneId kLane{1, "x.test"};
    std::unique_ptr<Store> store_ = make_memory_store();
    WallTime now_ = wall_from_micros(1'800'000'000'000'000);
    std::unique_ptr<Journal> journal_;
    std::uint64_t next_lease_ = 0;
};

TEST_F(JournalTest, ALeaseIsStoredWhenItIsAcknowledged) {
    const GrantLease granted = grant({recipient("ann"), recipient("bob")});
    EXPECT_EQ(commit({granted}).entries, 1U);
    EXPECT_EQ(lease(granted)->lane, kLane);
    EXPECT_EQ(lease(granted)->source, "a");
    EXPECT_EQ(lease(granted)->locals,
              (std::vector<std::string>{local_key("ann"), local_key("bob")}));
}

TEST_F(JournalTest, ALeaseEndsWithItsLastOutcome) {
    const GrantLease granted = grant({recipient("ann"), recipient("bob")});
    commit({granted, outcome(granted, 0, OutcomeState::kDelivered)});
    EXPECT_TRUE(lease(granted));
    const auto report = commit({outcome(granted, 1, OutcomeState::kDelivered)});
    EXPECT_FALSE(lease(granted));
    ASSERT_EQ(report.outcomes.size(), 1U);
    EXPECT_EQ(report.outcomes[0].lease, granted.lease->sequence);
    ASSERT_EQ(report.figures.size(), 1U);
    EXPECT_EQ(report.figures[0].figures, journal_->figures(1));
    EXPECT_EQ(journal_->figures(1).attempts, 2U);
}

TEST_F(JournalTest, WhoComesBackLeavesTheLease) {
    const GrantLease granted = grant({recipient("ann"), recipient("bob"), recipient("cid")});
    commit({granted});
    commit({RecordReturned{granted.lease->sequence, granted.lease->recipients[1]}});
    EXPECT_EQ(lease(granted)->locals,
              (std::vector<std::string>{local_key("ann"), local_key("cid")}));
    EXPECT_FALSE(stored("bob"));
    commit({RecordReturned{granted.lease->sequence, granted.lease->recipients[0]},
            RecordReturned{granted.lease->sequence, granted.lease->recipients[2]}});
    EXPECT_FALSE(lease(granted));
    EXPECT_EQ(journal_->figures(1), Figures{});
}

TEST_F(JournalTest, ADeferredRecipientHasOneRetryUntilTheNextOutcome) {
    const GrantLease first = grant({recipient("ann")});
    commit({first, outcome(first, 0, OutcomeState::kDeferred, Category::kGreylisted)});
    EXPECT_EQ(count(Family::kRetry), 1U);
    EXPECT_EQ(journal_->figures(1).by_category[static_cast<std::size_t>(Category::kGreylisted)],
              1U);
    const GrantLease second = grant({recipient("ann")});
    commit({second, outcome(second, 0, OutcomeState::kDeferred, Category::kTemporary)});
    EXPECT_EQ(count(Family::kRetry), 1U);
    const GrantLease third = grant({recipient("ann")});
    commit({third, outcome(third, 0, OutcomeState::kDelivered)});
    EXPECT_EQ(count(Family::kRetry), 0U);
    EXPECT_EQ(stored("ann")->attempts, 3U);
    EXPECT_EQ(stored("ann")->next_due, WallTime());
    EXPECT_EQ(stored("ann")->first_lease, first.lease->time);
    EXPECT_EQ(journal_->figures(1).by_category, Figures{}.by_category);
}

TEST_F(JournalTest, TheLatestAttemptsAreKeptAndAllAreCounted) {
    for (int i = 0; i < 8; ++i) {
        const GrantLease granted = grant({recipient("ann")});
        RecordOutcome entry = outcome(granted, 0, OutcomeState::kDeferred, Category::kTemporary);
        entry.attempt->reply.text = std::to_string(i);
        commit({granted, entry});
    }
    EXPECT_EQ(stored("ann")->attempts, 8U);
    ASSERT_EQ(stored("ann")->latest.size(), kAttemptsKept);
    EXPECT_EQ(stored("ann")->latest.front().reply.text, "3");
    EXPECT_EQ(stored("ann")->latest.back().reply.text, "7");
}

TEST_F(JournalTest, AnOutcomeWithoutAnAttemptIsNotCountedAsOne) {
    RecordOutcome entry{kLane,
                        recipient("ann"),
                        0,
                        std::nullopt,
                        OutcomeState::kSuppressed,
                        Category::kNone,
                        {},
                        {},
                        false};
    commit({entry});
    EXPECT_EQ(stored("ann")->attempts, 0U);
    EXPECT_EQ(journal_->figures(1).attempts, 0U);
    EXPECT_EQ(journal_->figures(1).by_state[static_cast<std::size_t>(OutcomeState::kSuppressed)],
              1U);
}

TEST_F(JournalTest, EventsAscendEvenWhenTheClockGoesBack) {
    const GrantLease granted = grant({recipient("ann"), recipient("bob")});
    commit({granted, outcome(granted, 0, OutcomeState::kDelivered)});
    now_ -= std::chrono::hours(1);
    commit({outcome(granted, 1, OutcomeState::kDelivered)});
    const auto cursor = store_->cursor(Family::kEvent, {}, {});
    cursor->seek({});
    const std::uint64_t first = *parse_sequence_key(cursor->key());
    cursor->next();
    ASSERT_TRUE(cursor->valid());
    EXPECT_EQ(*parse_sequence_key(cursor->key()), first + 1);
    EXPECT_EQ(decode_event(cursor->value(), first + 1)->local, local_key("bob"));
}

TEST_F(JournalTest, AfterACrashWhoHasNoOutcomeIsTriedAgainAsAPossibleDuplicate) {
    const GrantLease granted = grant({recipient("ann"), recipient("bob")});
    commit({granted});
    commit({outcome(granted, 0, OutcomeState::kDelivered)});
    open();
    EXPECT_EQ(journal_->recovery().leases, 1U);
    EXPECT_EQ(journal_->recovery().uncertain, 1U);
    EXPECT_FALSE(lease(granted));
    EXPECT_EQ(stored("ann")->state, OutcomeState::kDelivered);
    const auto bob = stored("bob");
    EXPECT_EQ(bob->state, OutcomeState::kDeferred);
    EXPECT_EQ(bob->next_due, now_);
    EXPECT_EQ(bob->first_lease, granted.lease->time);
    EXPECT_TRUE(bob->latest.back().uncertain);
    EXPECT_EQ(bob->possible_duplicates, 0U);
    for (int i = 0; i < 2; ++i) {
        const GrantLease again = grant({recipient("bob")});
        RecordOutcome entry = outcome(again, 0, OutcomeState::kDeferred, Category::kNetwork);
        entry.attempt->uncertain = true;
        commit({again, entry});
    }
    EXPECT_EQ(stored("bob")->possible_duplicates, 2U);
    EXPECT_EQ(journal_->figures(1).possible_duplicates, 2U) << "each attempt may be a copy";
}

TEST_F(JournalTest, AfterACrashWhoHasNoOutcomeIsHeldWhereTheCampaignSaysSo) {
    const GrantLease granted = grant({recipient("ann")});
    commit({granted});
    open(true);
    EXPECT_EQ(stored("ann")->state, OutcomeState::kUncertain);
    EXPECT_EQ(count(Family::kRetry), 0U);
    EXPECT_EQ(count(Family::kLease), 0U);
}

TEST_F(JournalTest, ARetryInFlightAtACrashIsUncertainThoughItHasAnOutcome) {
    const GrantLease first = grant({recipient("ann")});
    commit({first, outcome(first, 0, OutcomeState::kDeferred, Category::kTemporary)});
    const GrantLease second = grant({recipient("ann")});
    commit({second});
    open();
    EXPECT_EQ(journal_->recovery().uncertain, 1U);
    EXPECT_EQ(stored("ann")->attempts, 2U);
    EXPECT_EQ(count(Family::kRetry), 1U);
    EXPECT_EQ(stored("ann")->next_due, now_);
}

TEST_F(JournalTest, LeaseNumbersAreNeverGivenTwice) {
    const std::uint64_t first = journal_->recovery().next_lease;
    open();
    EXPECT_GT(journal_->recovery().next_lease, first);
    const GrantLease granted = grant({recipient("ann")});
    commit({granted});
    open();
    EXPECT_GT(journal_->recovery().next_lease, granted.lease->sequence);
}

TEST_F(JournalTest, ASuppressedAddressNamesItsCampaignAndTakesNobodysPlace) {
    CampaignCatalog catalog(*store_);
    CampaignRecord campaign;
    campaign.id = "spring";
    ASSERT_EQ(catalog.create(campaign)->number, 1U);  // while the journal is open
    Suppressions suppressions(*store_);
    ASSERT_TRUE(suppressions.add({"bob@x.test", "unsubscribed", "operator", now_, false}));
    const GrantLease granted = grant({recipient("Ann"), recipient("bob")});
    RecordOutcome ann = outcome(granted, 0, OutcomeState::kBounced, Category::kInvalidMailbox);
    RecordOutcome bob = outcome(granted, 1, OutcomeState::kBounced, Category::kInvalidMailbox);
    ann.suppress = bob.suppress = true;
    commit({granted, ann, bob});
    const auto added = suppressions.find("ann@x.test");
    ASSERT_TRUE(added && *added);
    EXPECT_EQ((*added)->source, "campaign:spring");
    EXPECT_EQ((*added)->reason, "invalid_mailbox");
    EXPECT_EQ((*suppressions.find("bob@x.test"))->reason, "unsubscribed");
}

TEST_F(JournalTest, CampaignsStatesAndMarksAreStored) {
    WriteBatch batch;
    batch.put(Family::kLane, lane_key(kLane), encode(LaneRecord{5, {}, {}}));
    ASSERT_TRUE(store_->write(batch));
    CampaignRecord campaign;
    campaign.number = 1;
    campaign.pause_reason = "operator";
    commit({PutCampaign{campaign}, PutState{"hold", "x.test", "why"},
            RecordMark{kLane, local_key("ann")}});
    EXPECT_EQ(**CampaignCatalog(*store_).get(1), campaign);
    EXPECT_EQ(*store_->get(Family::kState, state_key("hold", "x.test")), "why");
    commit({PutState{"hold", "x.test", std::nullopt}});
    EXPECT_EQ(*store_->get(Family::kState, state_key("hold", "x.test")), std::nullopt);
    ASSERT_TRUE(journal_->checkpoint());
    const auto lane = decode_lane(**store_->get(Family::kLane, lane_key(kLane)));
    EXPECT_EQ(lane->mark, local_key("ann"));
    EXPECT_EQ(lane->recipients, 5U);
}

// Figures of some outcomes, added up one by one.
Figures add_up(const Store& store, std::string_view prefix) {
    Figures figures;
    const auto cursor = store.cursor(Family::kOutcome, prefix, prefix_end(prefix));
    for (cursor->seek(prefix); cursor->valid(); cursor->next()) {
        const auto outcome = decode_outcome(cursor->value());
        ++figures.by_state[static_cast<std::size_t>(outcome->state)];
        if (outcome->state == OutcomeState::kBounced || outcome->state == OutcomeState::kExpired ||
            outcome->state == OutcomeState::kDeferred)
            ++figures.by_category[static_cast<std::size_t>(outcome->category)];
        figures.attempts += outcome->attempts;
        figures.possible_duplicates += outcome->possible_duplicates;
    }
    return figures;
}

TEST_F(JournalTest, FiguresAreThoseOfTheOutcomesThroughCrashesAndCheckpoints) {
    Random random(9);
    const std::vector<LaneId> lanes = {{1, "a.test"}, {1, "b.test"}, {2, "a.test"}};
    WriteBatch batch;
    for (const LaneId& lane : lanes)
        batch.put(Family::kLane, lane_key(lane), encode(LaneRecord{20, {}, {}}));
    ASSERT_TRUE(store_->write(batch));
    for (int round = 0; round < 400; ++round) {
        const LaneId& lane = lanes[random.below(lanes.size())];
        const std::string local = "u" + std::to_string(random.below(20));
        const auto before = stored(local, lane);
        if (before && is_final(before->state)) continue;
        const GrantLease granted = grant({recipient(local, lane)}, lane);
        commit({granted});
        const auto sequence = granted.lease->sequence;
        if (random.chance(0.1)) {
            open(random.chance(0.2));
        } else if (random.chance(0.1)) {
            commit({RecordReturned{sequence, granted.lease->recipients[0]}});
        } else {
            const auto state =
                static_cast<OutcomeState>(random.chance(0.7) ? 1 : 2 + random.below(4));
            RecordOutcome entry =
                outcome(granted, 0, state, static_cast<Category>(random.below(5)));
            entry.attempt->uncertain = random.chance(0.3);
            commit({entry});
        }
        if (random.chance(0.05)) {
            ASSERT_TRUE(journal_->checkpoint());
        }
        if (random.chance(0.05)) open();
        ASSERT_EQ(journal_->figures(1), add_up(*store_, campaign_prefix(1)));
        ASSERT_EQ(journal_->figures(2), add_up(*store_, campaign_prefix(2)));
    }
    ASSERT_TRUE(journal_->checkpoint());
    for (const LaneId& lane : lanes) {
        const auto record = decode_lane(**store_->get(Family::kLane, lane_key(lane)));
        EXPECT_EQ(record->figures, add_up(*store_, audience_key(lane, {})));
    }
    open();
    EXPECT_EQ(journal_->recovery().events_replayed, 0U);
}

}  // namespace
}  // namespace posthorn
