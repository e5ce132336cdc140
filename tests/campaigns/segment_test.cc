#include "campaigns/segment.h"

#include <gtest/gtest.h>

#include <map>

#include "engine/base/units.h"

namespace posthorn {
namespace {

const WallTime kNow = *parse_rfc3339("2026-04-02T12:00:00Z");

// Answers for two addresses of one campaign.
class ShortHistory final : public SegmentHistory {
  public:
    Result<bool> knows(std::string_view id) override { return id == "winter"; }
    Result<PastOutcome> outcome(std::string_view id, const Address& address) override {
        if (fails) return Error{ErrorKind::kIo, "the disk is gone"};
        if (id != "winter") return PastOutcome::kNone;
        if (address.local == "Ann") return PastOutcome::kSent;
        return address.local == "bob" ? PastOutcome::kBounced : PastOutcome::kNone;
    }
    bool fails = false;
};

class SegmentTest : public ::testing::Test {
  protected:
    SegmentTest() {
        columns_ = {"plan", "age", "joined", "data", "First name", "a.b", "tags", "yes", "gap"};
        variables_ = {
            {"pro", false},
            {"42", false},
            {"2026-03-20", false},
            {R"({"n":7,"on":true,"s":"x\u00e9","list":["red",5],"none":null,"e":[]})", true},
            {"Ann-Marie", false},
            {"dotted", false},
            {"vip, early ; Gold", false},
            {"true", false},
            {{}, true}};
        EXPECT_EQ(parse_address("Ann@Shop.example.test", address_), AddressFault::kNone);
    }

    std::string asked(std::string_view text) {
        SegmentFault fault;
        std::optional<Segment> segment = Segment::parse(text, fault);
        if (!segment)
            return "! " + std::to_string(fault.offset) + " " + std::string(name_of(fault.code)) +
                   ": " + fault.message + (fault.hint.empty() ? "" : " | " + fault.hint);
        SegmentFilter filter(*segment, kNow, &constants_, &history_);
        const auto matches = filter.matches({address_, "Ann Lee", variables_}, columns_);
        if (!matches) return "error: " + matches.error().message;
        return *matches ? "yes" : "no";
    }

    std::vector<std::string> columns_;
    std::vector<RowVariable> variables_;
    std::vector<TemplateConstant> constants_ = {{"country", "AT", false}, {"plan", "free", false}};
    Address address_;
    ShortHistory history_;
};

TEST_F(SegmentTest, ConditionsHoldOrNot) {
    const struct {
        const char* text;
        bool holds;
    } cases[] = {
        {"vars.plan == 'pro'", true},
        {"vars.plan == \"pro\"", true},
        {"vars.plan == 'Pro'", false},
        {"vars.plan != 'pro'", false},
        {"vars.country == 'AT'", true},
        {"not vars.plan == 'pro'", false},
        {"not not vars.plan == 'pro'", true},
        {"vars.plan == 'x' or vars.plan == 'pro'", true},
        {"vars.plan == 'x' or vars.plan == 'pro' and vars.age == 1", false},
        {"(vars.plan == 'x' or vars.plan == 'pro') and vars.age == 42", true},
        {"vars.plan == 'pro' AND NOT vars.age == 1", true},
        {"true", true},
        {"false or true", true},
        {"vars.yes", true},
        {"not vars.gap", true},
        // Text of a list is a number next to one; alone it is text.
        {"vars.age > 18", true},
        {"vars.age > 100", false},
        {"vars.age >= 42 and vars.age <= 42.0", true},
        {"vars.age < -1", false},
        {"vars.age == '42'", true},
        {"vars.age > '5'", false},
        {"vars.plan > 5", false},
        {"vars.plan < 5", false},
        {"vars.yes == true", true},
        {"vars.yes != false", true},
        {"vars.data.n == 7", true},
        {"vars.data.on == true", true},
        {"vars.data.n < vars.age", true},
        {"vars.data.s == 'xé'", true},
        {"vars.data.none == null", true},
        {"vars.data.nothing == null", true},
        {"vars['First name'] startswith 'Ann'", true},
        {"vars.a.b == 'dotted'", true},
        // Missing compares as null.
        {"vars.gap == null", true},
        {"vars.gap != null", false},
        {"null == null", true},
        {"vars.gap == ''", false},
        {"vars.gap != 'x'", true},
        {"vars.gap < 5 or vars.gap > 5 or vars.gap == 5", false},
        {"vars.gap ~ '.*'", false},
        {"vars.gap contains ''", false},
        {"vars.gap in [null, 1]", true},
        {"exists(vars.gap) or exists(vars.data.none)", false},
        {"exists(vars.plan) and exists(vars.country)", true},
        {"empty(vars.gap) and empty(vars.data.e) and not empty(vars.plan)", true},
        // Addresses compare in lower case.
        {"email == 'ann@shop.example.test'", true},
        {"email == 'ANN@SHOP.example.test'", true},
        {"'Ann@Shop.Example.Test' == email", true},
        {"email in ['x@y.test', 'ANN@shop.example.test']", true},
        {"domain == 'Shop.Example.test'", true},
        {"domain endswith '.EXAMPLE.test'", true},
        {"domain not in ['gmail.com', 'Shop.example.test']", false},
        {"name == 'Ann Lee'", true},
        {"name contains 'Lee'", true},
        // Lists.
        {"vars.plan in ['free', 'pro']", true},
        {"vars.plan not in ['free', 'pro']", false},
        {"vars.plan in []", false},
        {"vars.age in [1, 42]", true},
        {"vars.age in ['x', 42, true]", true},
        {"'red' in vars.data.list", true},
        {"5 in vars.data.list", true},
        {"vars.data.list contains 'red'", true},
        {"vars.data.list contains 'blue'", false},
        {"tags contains 'vip' and 'early' in tags and tags contains 'Gold'", true},
        {"'old' in tags or tags contains 'ear'", false},
        // Regular expressions match anywhere.
        {"vars.plan ~ 'r'", true},
        {"vars.plan ~ '^r'", false},
        {"vars.joined ~ '^\\d{4}-\\d\\d'", true},
        {"vars['First name'] ~ '(?i)^ANN'", true},
        // Times.
        {"vars.joined > days_ago(30)", true},
        {"vars.joined > days_ago(3)", false},
        {"vars.joined < now()", true},
        {"vars.plan < now()", false},
        {"vars.joined >= '2026-03-20'", true},
        {"days_ago(1.5) < now()", true},
        {"'2026-04-02 11:59' < now() and '2026-04-02T14:01:00+02:00' > now()", true},
        // Earlier campaigns.
        {"sent('winter')", true},
        {"bounced('winter')", false},
        {"not sent('summer')", true},
    };
    for (const auto& c : cases) EXPECT_EQ(asked(c.text), c.holds ? "yes" : "no") << c.text;
}

TEST_F(SegmentTest, InternationalDomainsAreTheSameHoweverTheyAreWritten) {
    EXPECT_EQ(parse_address("E@b\u00fccher.test", address_), AddressFault::kNone);
    for (const char* holds :
         {"domain == 'b\u00fccher.test'", "domain == 'xn--bcher-kva.test'",
          "domain in ['x.test', 'B\u00dcCHER.test']", "email == 'e@b\u00fccher.test'",
          "'e@B\u00dcCHER.test' == email", "not domain != 'b\u00fccher.test'"})
        EXPECT_EQ(asked(holds), "yes") << holds;
}

TEST_F(SegmentTest, FaultsSayWhereAndWhatToWrite) {
    const struct {
        const char *text, *fault;
    } cases[] = {
        {"", "! 0 segment_syntax: the segment is empty | for example: vars.plan == 'pro'"},
        {"vars.plan = 'pro'", "! 10 segment_syntax: `=` is not known here | write `==`"},
        {"vars.plan == 'pro' && true", "! 19 segment_syntax: `&&` is not known here | write `and`"},
        {"vars.a == 1 || true", "! 12 segment_syntax: `||` is not known here | write `or`"},
        {"!vars.a", "! 0 segment_syntax: `!` is not known here | write `not`"},
        {"tags in ['vip', 'new']",
         "! 8 segment_syntax: `tags` is a list itself | write tags contains 'a' or tags contains "
         "'b'"},
        {"vars.plan == pro",
         "! 13 segment_unknown_field: there is no field `pro` | a column is vars.pro, text is "
         "'pro'"},
        {"emial == 'a@b.test'",
         "! 0 segment_unknown_field: there is no field `emial` | did you mean `email`? Or: a "
         "column "
         "is vars.emial, text is 'emial'"},
        {"vars.plan == 'pro", "! 13 segment_syntax: this text is not closed | end it with '"},
        {"vars.plan == 'pro' vars.a",
         "! 19 segment_syntax: `vars` does not belong here | join conditions with `and` or `or`"},
        {"(vars.plan == 'pro'",
         "! 19 segment_syntax: `)` is missing to close the parenthesis, before the end"},
        {"vars.plan ==",
         "! 12 segment_syntax: a value is missing before the end | a field, 'text', a number, "
         "true, "
         "false or null"},
        {"vars.plan == 'a' and",
         "! 20 segment_syntax: a value is missing before the end | a field, 'text', a number, "
         "true, "
         "false or null"},
        {"vars.plan in 'pro'", "! 13 segment_syntax: `in` takes a list | write in ['a', 'b']"},
        {"vars.plan == ['pro']",
         "! 13 segment_syntax: a list stands behind `in` alone | write `in […]`"},
        {"vars.plan in ['a', 'b'",
         "! 22 segment_syntax: `]` is missing to close the list, before the end"},
        {"vars.plan in [vars.a]", "! 14 segment_syntax: a list holds values, no fields"},
        {"1 < vars.age < 3",
         "! 13 segment_syntax: comparisons do not chain | write `a < b and b < c`"},
        {"email",
         "! 5 segment_syntax: a comparison is missing after `email` | for example: == "
         "'text', > 5, in ['a', 'b']"},
        {"vars == 1", "! 5 segment_syntax: `vars` needs the name of a variable | write vars.plan"},
        {"vars.1st == 1", "! 5 segment_syntax: this is not a number | put text into quotes"},
        {"vars.plan ~ '('",
         "! 12 segment_syntax: not a regular expression: missing ): ( | RE2 knows no look-around "
         "and no back-references"},
        {"vars.plan ~ vars.x",
         "! 12 segment_syntax: `~` takes a regular expression | write ~ '^a.*z$'"},
        {"clicked('winter')",
         "! 0 unsupported: `clicked()` needs tracking, which is not supported yet | sent('id') and "
         "bounced('id') are"},
        {"opened('winter') == true",
         "! 0 unsupported: `opened()` needs tracking, which is not supported yet | sent('id') and "
         "bounced('id') are"},
        {"exist(vars.a)",
         "! 0 segment_syntax: there is no function `exist()` | did you mean `exists()`?"},
        {"exists('a')", "! 7 segment_syntax: `exists()` takes a field | write exists(vars.plan)"},
        {"sent(winter)",
         "! 5 segment_syntax: `sent()` takes the id of a campaign | write "
         "sent('winter-2026')"},
        {"bucket(3, 2, 's')", "! 7 segment_syntax: there is no part 3 of 2"},
        {"bucket(0.5, 2, 's')", "! 7 segment_syntax: parts are counted in whole numbers"},
        {"bucket(1, 2)", "! 11 segment_syntax: `,` is missing here, before `)`"},
        {"days_ago('x') < now()",
         "! 9 segment_syntax: a number of days is wanted here, not the text 'x'"},
        {"vars.joined > exists(vars.a)",
         "! 14 segment_syntax: `exists()` is a condition, not a value"},
        {"vars.plan == 1.2.3", "! 13 segment_syntax: this is not a number | put text into quotes"},
        {"vars.plan == ; 1",
         "! 13 segment_syntax: `;` is not known here | put text into quotes: 'text'"},
    };
    for (const auto& c : cases) EXPECT_EQ(asked(c.text), c.fault) << c.text;
}

TEST_F(SegmentTest, SizeAndDepthAreBounded) {
    const auto code_of = [](const std::string& text) {
        SegmentFault fault;
        return Segment::parse(text, fault) ? "good" : std::string(name_of(fault.code));
    };
    EXPECT_EQ(code_of(std::string(60, '(') + "true" + std::string(60, ')')), "good");
    EXPECT_EQ(code_of(std::string(100'000 / 2, '(')), "range");
    std::string nots;
    for (int i = 0; i < 5000; ++i) nots += "not ";
    EXPECT_EQ(code_of(nots + "true"), "range");
    EXPECT_EQ(code_of(std::string(kSegmentBytesMax, ' ') + "true"), "range");
    std::string chain = "true", list = "vars.a in [1";
    for (int i = 0; i < 5000; ++i) chain += " or true";
    for (int i = 0; i < 11'000; ++i) list += ",1";
    EXPECT_EQ(code_of(chain), "good");
    EXPECT_EQ(code_of(list + "]"), "range");
    EXPECT_EQ(code_of("vars.a ~ '" + std::string(2000, 'a') + "'"), "segment_syntax");
    EXPECT_EQ(code_of("vars.a ~ '((a{100}){100}){100}'"), "segment_syntax");
    EXPECT_EQ(code_of("vars.a == '\xff'"), "segment_syntax");
}

TEST_F(SegmentTest, BucketsSplitEverybodyOnceAndEvenly) {
    std::map<int, int> sizes;
    for (int i = 0; i < 800; ++i) {
        address_.local = "user" + std::to_string(i);
        int found = 0;
        for (int part = 1; part <= 4; ++part)
            if (asked("bucket(" + std::to_string(part) + ", 4, 'salt')") == "yes") {
                ++found;
                ++sizes[part];
            }
        ASSERT_EQ(found, 1) << i;
    }
    for (const auto& [part, size] : sizes) EXPECT_NEAR(size, 200, 50) << part;
}

TEST_F(SegmentTest, ABucketFollowsTheAddressAndTheSaltAlone) {
    int differ = 0;
    for (int i = 0; i < 100; ++i) {
        address_.local = "User" + std::to_string(i);
        const std::string before = asked("bucket(1, 2, 'a')");
        EXPECT_EQ(asked("bucket(1, 2, \"a\")"), before);
        if (asked("bucket(1, 2, 'b')") != before) ++differ;
        address_.local[0] = 'u';
        EXPECT_EQ(asked("bucket(1, 2, 'a')"), before);
    }
    EXPECT_GT(differ, 20);
    EXPECT_EQ(asked("bucket(0, 3, 's')"), asked("bucket(3, 3, 's')"));
}

TEST_F(SegmentTest, AnErrorOfTheHistoryIsNotAnAnswer) {
    history_.fails = true;
    EXPECT_EQ(asked("true or sent('winter')"), "yes");
    EXPECT_EQ(asked("false or sent('winter')"), "error: the disk is gone");
}

TEST_F(SegmentTest, FieldsThatAreNeitherColumnNorConstantAreNamed) {
    SegmentFault fault;
    const auto segment =
        Segment::parse("vars.plam == 1 and vars.country == 1 and vars.data.any == vars.zzz", fault);
    ASSERT_TRUE(segment);
    SegmentFilter filter(*segment, kNow, &constants_, nullptr);
    const auto unknown = filter.unknown(columns_);
    ASSERT_EQ(unknown.size(), 2u);
    EXPECT_EQ(unknown[0].name(), "vars.plam");
    EXPECT_EQ(segment_field_hint(unknown[0], columns_, constants_), "did you mean `vars.plan`?");
    EXPECT_EQ(unknown[1].offset, 58u);
    // A list of NDJSON goes on to meet new keys.
    columns_.emplace_back("zzz");
    EXPECT_EQ(filter.unknown(columns_).size(), 1u);
}

}  // namespace
}  // namespace posthorn
