#include "engine/smtp/capabilities.h"

#include <gtest/gtest.h>

namespace posthorn {
namespace {

TEST(Capabilities, AreReadFromEveryKeywordInAnyCase) {
    const Capabilities all = parse_capabilities(
        {250,
         {},
         "mx.example greets you\npipelining\nChunking\n8BITMIME\nSMTPUTF8\nENHANCEDSTATUSCODES\n"
         "STARTTLS\nSIZE 10485760\nAUTH PLAIN login\nLIMITS RCPTMAX=20 mailmax=5 RCPTDOMAINMAX=1"});
    EXPECT_EQ(all.host, "mx.example");
    EXPECT_TRUE(all.pipelining);
    EXPECT_TRUE(all.chunking);
    EXPECT_TRUE(all.eight_bit_mime);
    EXPECT_TRUE(all.smtputf8);
    EXPECT_TRUE(all.enhanced_status_codes);
    EXPECT_TRUE(all.starttls);
    EXPECT_TRUE(all.size);
    EXPECT_EQ(all.size_max, 10485760u);
    EXPECT_TRUE(all.offers_auth("LOGIN"));
    EXPECT_TRUE(all.offers_auth("PLAIN"));
    EXPECT_FALSE(all.offers_auth("LOG"));
    EXPECT_EQ(all.rcpt_max, 20u);
    EXPECT_EQ(all.mail_max, 5u);
    EXPECT_EQ(all.domain_max, 1u);
}

TEST(Capabilities, OfTheGreetingLineAreNone) {
    Capabilities none;
    none.host = "PIPELINING";
    EXPECT_EQ(parse_capabilities({250, {}, "PIPELINING SIZE"}), none);
    EXPECT_EQ(parse_capabilities({250, {}, ""}), Capabilities());
}

TEST(Capabilities, IgnoreWhatIsUnknownOrMalformed) {
    Capabilities expected;
    expected.host = "h";
    expected.size = true;
    for (const std::string_view size :
         {"SIZE", "SIZE 0", "SIZE -1", "SIZE x", "SIZE 12k", "SIZE 99999999999999999999999"})
        EXPECT_EQ(
            parse_capabilities({250, {}, "h\nXPIPELINING\n\n \nPIPELININGX\n" + std::string(size)}),
            expected)
            << size;
    expected.size = false;
    EXPECT_EQ(parse_capabilities({250, {}, "h\nLIMITS RCPTMAX MAILMAX= RCPTMAX=0 =5 MAILMAX=x"}),
              expected);
}

}  // namespace
}  // namespace posthorn
