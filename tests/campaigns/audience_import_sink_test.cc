#include "campaigns/audience_import_sink.h"

#include "engine/queue/memory_store.h"
#include "tests/campaigns/list_fixture.h"

namespace posthorn {
namespace {

class AudienceImportSinkTest : public ListFixture {};

TEST_F(AudienceImportSinkTest, AListBecomesAnAudienceWithoutItsDuplicates) {
    Campaign campaign;
    campaign.recipients =
        csv("email,a\nann@x.test,1\nbob@y.test,2\nANN@x.test,3\nbad,4\ncat@x.test,5\n");
    campaign.recipients.max_invalid_percent = 50;
    const std::unique_ptr<Store> store = make_memory_store();
    auto opened = AudienceImport::open(*store, 1, ImportOptions{path("import")});
    ASSERT_TRUE(opened) << opened.error().message;
    AudienceImport& import = **opened;
    AudienceImportSink sink(import);
    AudienceIntake intake(campaign, {});
    while (intake.read(sink, 2) == AudienceIntake::State::kReading)
        ASSERT_TRUE(import.checkpoint(intake.position()->encode()));
    ASSERT_EQ(intake.state(), AudienceIntake::State::kDone);
    ASSERT_TRUE(import.checkpoint(intake.position()->encode()));
    const auto audience = import.finish({});
    ASSERT_TRUE(audience) << audience.error().message;
    EXPECT_EQ((*audience)->recipients, 3u);
    EXPECT_EQ((*audience)->duplicates, 1u);
    EXPECT_EQ((*audience)->lanes, 2u);
    EXPECT_EQ(intake.figures().recipients, (*audience)->recipients + (*audience)->duplicates);
    EXPECT_TRUE(IntakePosition::decode((*audience)->position));
}

}  // namespace
}  // namespace posthorn
