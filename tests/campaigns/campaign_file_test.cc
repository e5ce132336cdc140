#include "campaigns/campaign_file.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "campaigns/campaign_file_keys.h"

namespace posthorn {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kFiles = std::string(POSTHORN_SOURCE_DIR) + "/tests/campaigns/files/";
const std::string kExamples = std::string(POSTHORN_SOURCE_DIR) + "/campaigns/examples/";

std::string place(const CampaignError& error) {
    return std::string(name_of(error.code)) + " " + nlohmann::json(error.path).dump() + " " +
           std::to_string(error.line) + ":" + std::to_string(error.column);
}

std::vector<std::string> places(const std::vector<CampaignError>& errors) {
    std::vector<std::string> out;
    for (const CampaignError& error : errors)
        if (error.severity == Severity::kError) out.push_back(place(error));
    return out;
}

// What the file's own comments say: "// expect: code "/pointer" line:column".
std::vector<std::string> expectations(const fs::path& file) {
    constexpr std::string_view kMark = "// expect: ";
    std::vector<std::string> out;
    std::ifstream in(file);
    for (std::string line; std::getline(in, line) && line.starts_with(kMark);)
        out.push_back(line.substr(kMark.size()));
    return out;
}

LoadedCampaign read(std::string_view text) {
    return read_campaign(text, kFiles + "good", "test", LoadOptions{});
}

const std::string kMinimal =
    R"("from": "news@acme.test", "subject": "Hello", "text": "Hello",
       "recipients": ["ann@example.test"],
       "compliance": {"physical_address": "Acme", "unsubscribe": {"mailto": "u@acme.test"}})";

TEST(CampaignFileTest, EveryBadFileGivesItsFaultAtItsPlace) {
    std::size_t files = 0;
    for (const auto& entry : fs::directory_iterator(kFiles + "bad")) {
        if (entry.path().extension() != ".json") continue;
        ++files;
        const LoadedCampaign loaded = load_campaign(entry.path().string(), LoadOptions{});
        EXPECT_EQ(places(loaded.errors), expectations(entry.path()))
            << entry.path() << "\n"
            << to_text(loaded.errors, entry.path().filename().string());
    }
    EXPECT_GE(files, 140u);
}

TEST(CampaignFileTest, GoodFilesAndExamplesHaveNoFaults) {
    for (const std::string& file :
         {kFiles + "good/minimal.json", kFiles + "good/full.jsonc",
          kExamples + "newsletter/newsletter.json", kExamples + "receipt/receipt.json",
          kExamples + "announcement/announcement.jsonc"}) {
        const LoadedCampaign loaded = load_campaign(file, LoadOptions{});
        EXPECT_TRUE(loaded.ok()) << to_text(loaded.errors, file);
    }
}

TEST(CampaignFileTest, EveryKeyArrivesInItsField) {
    const LoadedCampaign loaded = load_campaign(kFiles + "good/full.jsonc", LoadOptions{});
    ASSERT_TRUE(loaded.ok()) << to_text(loaded.errors, "full.jsonc");
    const Campaign& c = loaded.campaign;
    EXPECT_EQ(c.id, "full.1_a-b");
    EXPECT_EQ(c.name, "Everything");
    EXPECT_EQ(c.from.to_string(), "news@xn--bcher-kva.test");
    EXPECT_EQ(c.from.name,
              "B\xC3\xBC"
              "cher");
    EXPECT_EQ(c.reply_to->name, "Help");
    EXPECT_EQ(c.return_path->to_string(), "bounce@b.acme.test");
    EXPECT_EQ(c.to_name, "{{first_name}}");
    EXPECT_EQ(c.html.bytes, "<p>{{> footer}}</p>\n");
    EXPECT_EQ(c.text_source, TextSource::kGiven);
    EXPECT_EQ(c.text.bytes, "Hi\n");
    EXPECT_EQ(c.missing, MissingPolicy::kEmpty);
    ASSERT_EQ(c.partials.size(), 1u);
    EXPECT_EQ(c.partials[0].name, "footer");
    EXPECT_EQ(c.partials[0].content.bytes, "Bye {{company}}");
    ASSERT_EQ(c.vars.size(), 3u);
    EXPECT_EQ(c.vars[1].value, "{\"a\":[1,null]}");
    EXPECT_TRUE(c.vars[1].is_json);
    EXPECT_EQ(c.recipients.file, fs::canonical(kFiles + "good/list.tsv").string());
    EXPECT_EQ(c.recipients.delimiter, '\t');
    EXPECT_EQ(c.recipients.email_column, "E-mail");
    EXPECT_EQ(c.recipients.invalid, InvalidRows::kError);
    EXPECT_EQ(c.recipients.max_invalid_percent, 2.5);
    EXPECT_EQ(c.recipients.limit, 1000u);
    EXPECT_EQ(c.recipients.priority, "Score");
    EXPECT_THAT(c.segment, HasSubstr("endswith"));
    ASSERT_EQ(c.variants.size(), 2u);
    EXPECT_EQ(c.variants[0].name, "A");
    EXPECT_FALSE(c.variants[0].subject || c.variants[0].text_source);
    EXPECT_EQ(c.variants[1].weight, 0.5);
    EXPECT_EQ(c.variants[1].subject, "Other");
    EXPECT_EQ(c.variants[1].from->to_string(), "b@acme.test");
    EXPECT_EQ(c.variants[1].html.bytes, "<p>B</p>");
    EXPECT_EQ(c.variants[1].text_source, TextSource::kAuto);
    EXPECT_EQ(c.variants[1].vars.at(0).value, "4");
    EXPECT_EQ(c.schedule.send_at, parse_rfc3339("2026-04-02T07:00:00Z"));
    EXPECT_EQ(c.schedule.timezone, "Europe/Vienna");
    ASSERT_EQ(c.schedule.windows.size(), 2u);
    EXPECT_EQ(c.schedule.windows[0].days, parse_weekdays("fri-mon"));
    EXPECT_EQ(c.schedule.windows[1].days, parse_weekdays("daily"));
    EXPECT_EQ(c.schedule.max_lateness, std::chrono::hours(2));
    EXPECT_THAT(c.exclude.domains, ElementsAre("competitor.test"));
    EXPECT_THAT(c.exclude.addresses, ElementsAre("Bob@x.test"));
    EXPECT_EQ(c.exclude.lists.size(), 1u);
    EXPECT_THAT(c.dkim,
                ElementsAre(DkimSignature{"xn--bcher-kva.test", "s1",
                                          fs::canonical(kFiles + "good/s1.pem").string()},
                            DkimSignature{"acme.test", "s2",
                                          fs::canonical(kFiles + "good/small.pem").string()}));
    EXPECT_EQ(c.throttle.all.rate, (Rate{500, std::chrono::minutes(1)}));
    EXPECT_EQ(c.throttle.per_domain.at("gmail.com").connections_max, 5u);
    EXPECT_EQ(c.throttle.stop_bounce_percent, 8.5);
    EXPECT_EQ(c.throttle.stop_after, 100u);
    EXPECT_THAT(c.retry.schedule, ElementsAre(std::chrono::seconds(90), std::chrono::hours(24)));
    EXPECT_EQ(c.retry.attempts_max, 3u);
    EXPECT_TRUE(c.retry.hold_uncertain);
    EXPECT_EQ(c.compliance.unsubscribe.mailto, "u@acme.test");
    EXPECT_FALSE(c.compliance.unsubscribe.one_click);
    EXPECT_EQ(c.compliance.footer, FooterPolicy::kRequire);
    EXPECT_EQ(c.headers[0].first, "X-Zebra");
    EXPECT_THAT(c.tags, ElementsAre("b", "a"));
    EXPECT_EQ(c.metadata, "{\"a\":[true],\"z\":1}");
    ASSERT_EQ(c.attachments.size(), 3u);
    EXPECT_EQ(c.attachments[0].name, "Preisliste für Käufer.csv");
    EXPECT_EQ(c.attachments[0].media_type, "text/csv");
    EXPECT_FALSE(c.attachments[0].is_inline);
    EXPECT_EQ(c.attachments[1].content.bytes, "\x89PNG\r\n\x1a\n");
    EXPECT_EQ(c.attachments[1].cid, "logo@acme");
    EXPECT_TRUE(c.attachments[1].is_inline);
    EXPECT_EQ(c.attachments[2].media_type, "text/plain");
}

TEST(CampaignFileTest, DefaultsAreFilledIn) {
    const LoadedCampaign loaded = load_campaign(kFiles + "good/minimal.json", LoadOptions{});
    const Campaign& c = loaded.campaign;
    EXPECT_EQ(c.id, "minimal");
    EXPECT_EQ(c.name, "minimal");
    EXPECT_EQ(c.kind, CampaignKind::kMarketing);
    EXPECT_EQ(c.compliance.list_id, "minimal.acme.test");
    EXPECT_EQ(c.text_source, TextSource::kGiven);
    EXPECT_EQ(c.recipients.inline_rows.bytes, "{\"email\":\"ann@example.test\",\"name\":\"\"}\n");
    EXPECT_EQ(c.retry.schedule.size(), 6u);
}

TEST(CampaignFileTest, AllFaultsAreFoundAtOnceInTheOrderOfTheFile) {
    const LoadedCampaign loaded = read(R"({
        "subject": 7,
        "from": "nobody",
        "throttle": {"rate": "fast"},
        "recipients": ["x"]
    })");
    EXPECT_THAT(places(loaded.errors),
                ElementsAre("required \"\" 1:1",
                            "compliance_address "
                            "\"/compliance/physical_address\" 1:1",
                            "compliance_unsubscribe \"/compliance\" 1:1", "type \"/subject\" 2:20",
                            "bad_address \"/from\" 3:17", "bad_rate \"/throttle/rate\" 4:30",
                            "bad_address \"/recipients/0\" 5:24"));
}

TEST(CampaignFileTest, HintsNameTheLikelyKeyAndValue) {
    const auto hint = [](const std::string& member) {
        const LoadedCampaign loaded = read("{" + kMinimal + "," + member + "}");
        return loaded.errors.empty() ? "" : loaded.errors.back().hint;
    };
    EXPECT_EQ(hint(R"("Reply-To": "a@b.test")"), "did you mean `reply_to`?");
    EXPECT_EQ(hint(R"("replyto": "a@b.test")"), "did you mean `reply_to`?");
    EXPECT_EQ(hint(R"("attachment": [])"), "did you mean `attachments`?");
    EXPECT_EQ(hint(R"("substitution_data": {})"), "use `vars`");
    EXPECT_EQ(hint(R"("throttle": {"rate": "500/sec"})"), "use 500/s");
    EXPECT_EQ(hint(R"("throttle": {"zzzzzzzz": 1})"),
              "known here: rate max_connections per_domain stop_if");
    EXPECT_EQ(hint(R"("one_click": true)"), "it belongs in `compliance/unsubscribe`");
    EXPECT_EQ(hint(R"("physical_address": "Acme")"), "it belongs in `compliance`");
    EXPECT_EQ(hint(R"("html": "mail.html")"), "use `html_file`");
    EXPECT_NE(hint(R"("html": "See mail.html")"), "use `html_file`");
}

TEST(CampaignFileTest, TransactionalMailIsOnlyAdvised) {
    const LoadedCampaign loaded = read(
        R"({"kind": "transactional", "from": "a@acme.test", "return_path": "b@acme.test",
            "subject": "Hi", "text": "Hi", "recipients": ["x@y.test"]})");
    EXPECT_TRUE(loaded.ok());
    ASSERT_EQ(loaded.errors.size(), 2u);
    EXPECT_EQ(loaded.errors[0].severity, Severity::kWarning);
    EXPECT_EQ(loaded.errors[0].code, CampaignErrorCode::kComplianceAddress);
}

TEST(CampaignFileTest, WithoutAPlaceForBouncesThereIsAWarning) {
    LoadedCampaign loaded = read("{" + kMinimal + "}");
    ASSERT_EQ(loaded.errors.size(), 1u);
    EXPECT_EQ(loaded.errors[0].code, CampaignErrorCode::kReturnPathMissing);
    LoadOptions options;
    options.has_bounce_domain = true;
    loaded = read_campaign("{" + kMinimal + "}", kFiles + "good", "test", options);
    EXPECT_THAT(loaded.errors, IsEmpty());
}

TEST(CampaignFileTest, LimitsAboveTheCampaignsOwnAreWarnings) {
    const LoadedCampaign loaded = read("{" + kMinimal + R"(, "return_path": "b@acme.test",
        "throttle": {"rate": "10/s", "max_connections": 2,
                     "per_domain": {"x.test": {"rate": "700/m", "max_connections": 3}}}})");
    EXPECT_TRUE(loaded.ok());
    EXPECT_EQ(loaded.errors.size(), 2u);
}

TEST(CampaignFileTest, SymbolicLinksDoNotLeadOutside) {
    std::string pattern = (fs::temp_directory_path() / "posthorn-file-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    fs::create_directory(pattern + "/inside");
    std::ofstream(pattern + "/secret.txt") << "secret";
    fs::create_symlink("../secret.txt", pattern + "/inside/link.txt");
    const std::string text = "{" + kMinimal + R"(, "html_file": "link.txt"})";
    LoadedCampaign loaded = read_campaign(text, pattern + "/inside", "x", LoadOptions{});
    ASSERT_FALSE(loaded.ok());
    EXPECT_EQ(loaded.errors.back().code, CampaignErrorCode::kFileOutside);
    LoadOptions options;
    options.allow_outside = true;
    loaded = read_campaign(text, pattern + "/inside", "x", options);
    EXPECT_EQ(loaded.campaign.html.bytes, "secret");
    fs::remove_all(pattern);
}

TEST(CampaignFileTest, AFileThatIsNotThereIsAFault) {
    const LoadedCampaign loaded = load_campaign(kFiles + "nowhere.json", LoadOptions{});
    ASSERT_EQ(loaded.errors.size(), 1u);
    EXPECT_EQ(loaded.errors[0].code, CampaignErrorCode::kFileMissing);
}

TEST(CampaignFileTest, FaultsPrintForPeopleAndForMachines) {
    const LoadedCampaign loaded = load_campaign(kFiles + "bad/bad_rate.json", LoadOptions{});
    EXPECT_EQ(to_text(loaded.errors, "bad_rate.json"),
              "bad_rate.json:10:25: error bad_rate: '500/sec' is not a rate [/throttle/rate]\n"
              "    use 500/s\n");
    EXPECT_EQ(to_json(loaded.errors),
              R"([{"path":"/throttle/rate","code":"bad_rate","message":"'500/sec' is not a rate",)"
              R"("hint":"use 500/s","line":10,"column":25,"severity":"error"}])");
    CampaignError hostile;
    hostile.message = "a\x1b[2Jb";
    EXPECT_THAT(to_text({hostile}, "f"), HasSubstr("a\\x1b[2Jb"));
}

// Follows a schema down as the table of keys spells its patterns.
void walk_schema(const nlohmann::json& root, const nlohmann::json& schema,
                 const std::string& pattern, std::set<std::string>& keys) {
    if (schema.contains("$ref")) {
        const std::string name = schema["$ref"].get<std::string>().substr(8);  // "#/$defs/"
        walk_schema(root, root["$defs"][name], pattern, keys);
    }
    if (schema.contains("properties")) {
        EXPECT_EQ(schema.value("additionalProperties", nlohmann::json()), false) << pattern;
        for (const auto& [name, member] : schema["properties"].items()) {
            keys.insert(pattern + " " + name);
            walk_schema(root, member, pattern + "/" + name, keys);
        }
    } else if (schema.contains("additionalProperties")) {
        walk_schema(root, schema["additionalProperties"], pattern + "/*", keys);
    }
    if (schema.contains("items")) walk_schema(root, schema["items"], pattern + "/*", keys);
    for (const auto& option : schema.value("oneOf", nlohmann::json::array()))
        walk_schema(root, option, pattern, keys);
}

TEST(CampaignFileTest, TheSchemaAndTheLoaderKnowTheSameKeys) {
    std::ifstream in(std::string(POSTHORN_SOURCE_DIR) + "/campaigns/schema/campaign.schema.json");
    const nlohmann::json schema = nlohmann::json::parse(in);
    std::set<std::string> in_schema;
    walk_schema(schema, schema, "", in_schema);
    std::set<std::string> in_loader;
    for (const KnownKey& key : known_keys())
        in_loader.insert(std::string(key.parent) + " " + std::string(key.name));
    EXPECT_EQ(in_schema, in_loader);
}

TEST(CampaignFileTest, WhatIsNotCarriedOutYetIsMarkedInTheSchema) {
    std::ifstream in(std::string(POSTHORN_SOURCE_DIR) + "/campaigns/schema/campaign.schema.json");
    const nlohmann::json schema = nlohmann::json::parse(in);
    for (const KnownKey& key : known_keys()) {
        if (!key.parent.empty()) continue;
        const std::string description = schema["properties"][std::string(key.name)]["description"];
        EXPECT_EQ(description.find("Not carried out yet") != std::string::npos,
                  key.support == KeySupport::kNotYet)
            << key.name;
    }
}

}  // namespace
}  // namespace posthorn
