#include "engine/mail/dkim_signer.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <thread>

#include "engine/mail/dkim_record.h"
#include "tests/mail/dkim_fixture.h"
#include "tests/mail/dkim_verifier.h"

namespace posthorn {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;
using testing_dkim::key_of;
using testing_dkim::rsa_signer;
using testing_dkim::signatures_of;
using testing_dkim::two_signer;
using testing_dkim::verification_fault;

constexpr WallTime kTime = wall_from_micros(1'775'113'200'987'654);

const std::string kHeaders =
    "Date: Thu, 02 Apr 2026 07:00:00 +0000\r\n"
    "From: Acme <news@acme.test>\r\n"
    "Reply-To: help@acme.test\r\n"
    "To: \"Ann  Lee\" <ann@b.test>\r\n"
    "Subject: a subject\r\n folded  once\r\n"
    "Message-ID: <1@acme.test>\r\n"
    "List-Unsubscribe: <https://u.acme.test/u/t>, <mailto:u@acme.test>\r\n"
    "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    "List-Id: <news.acme.test>\r\n"
    "Feedback-ID: a:b:c:d\r\n"
    "X-Other: not signed\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Transfer-Encoding: 7bit\r\n";
const std::string kBody = "Dear  Ann, \r\n\r\nbye\r\n\r\n";

std::string signed_message(const DkimSigner& signer, const std::string& headers = kHeaders,
                           const std::string& body = kBody, WallTime time = kTime) {
    std::string message = headers + "\r\n" + body;
    EXPECT_TRUE(signer.sign(message, {headers.size() + 2, 0}, time));
    return message;
}

std::string record(const char* key) { return dkim_record_for(key_of(key)); }

TEST(DkimVerifierTest, TheExamplesOfTheStandardsVerify) {
    const std::string headers =
        "From: Joe SixPack <joe@football.example.com>\r\n"
        "To: Suzie Q <suzie@shopping.example.net>\r\n"
        "Subject: Is dinner ready?\r\n"
        "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
        "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"
        "\r\n";
    const std::string rfc8463 =
        "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
        " d=football.example.com; i=@football.example.com;\r\n"
        " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
        " subject : date : message-id : from : subject : date;\r\n"
        " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
        " b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n"
        " Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n" +
        headers + "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";
    EXPECT_EQ(verification_fault(rfc8463, 0, record("ed25519")), "");
    const std::string rfc6376 =
        "DKIM-Signature: v=1; a=rsa-sha256; s=brisbane; d=example.com;\r\n"
        "      c=simple/simple; q=dns/txt; i=joe@football.example.com;\r\n"
        "      h=Received : From : To : Subject : Date : Message-ID;\r\n"
        "      bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
        "      b=AuUoFEfDxTDkHlLXSZEpZj79LICEps6eda7W3deTVFOk4yAUoqOB\r\n"
        "      4nujc7YopdG5dWLSdNg6xNAZpOPr+kHxt1IrE+NahM6L/LbvaHut\r\n"
        "      KVdkLLkpVaVVQPzeRDI009SO2Il5Lu7rDNH6mZckBdrIx0orEtZV\r\n"
        "      4bmp/YzhwvcubU4=;\r\n"
        "Received: from client1.football.example.com  [192.0.2.1]\r\n"
        "      by submitserver.example.com with SUBMISSION;\r\n"
        "      Fri, 11 Jul 2003 21:01:54 -0700 (PDT)\r\n" +
        headers + "Hi.\r\n\r\nWe lost the game. Are you hungry yet?\r\n\r\nJoe.\r\n";
    const std::string key =
        "v=DKIM1; "
        "p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYt"
        "IxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4O"
        "uKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB";
    EXPECT_EQ(verification_fault(rfc6376, 0, key), "");
}

TEST(DkimSignerTest, MessagesVerifyUnderEveryKey) {
    for (const char* key : {"rsa2048", "rsa1024_pkcs1", "ed25519"}) {
        const std::string message = signed_message(DkimSigner({{"acme.test", "s", key_of(key)}}));
        EXPECT_EQ(verification_fault(message, 0, record(key)), "") << message;
    }
}

TEST(DkimSignerTest, SeveralSignaturesEachVerify) {
    const std::string message = signed_message(two_signer());
    ASSERT_THAT(signatures_of(message), SizeIs(2));
    EXPECT_EQ(signatures_of(message)[0]["s"], "s1");
    EXPECT_EQ(signatures_of(message)[1]["s"], "ed");
    EXPECT_EQ(verification_fault(message, 0, record("rsa2048")), "");
    EXPECT_EQ(verification_fault(message, 1, record("ed25519")), "");
}

TEST(DkimSignerTest, WhatIsSignedStandsInTheSignature) {
    testing_dkim::Tags tags = signatures_of(signed_message(rsa_signer())).front();
    EXPECT_EQ(tags["a"], "rsa-sha256");
    EXPECT_EQ(tags["c"], "relaxed/relaxed");
    EXPECT_EQ(tags["d"], "acme.test");
    EXPECT_EQ(tags["s"], "s1");
    EXPECT_EQ(tags["t"], "1775113200");
    EXPECT_EQ(tags["h"],
              "from:from:to:to:subject:subject:date:message-id:reply-to:mime-version:content-type:"
              "content-transfer-encoding:list-id:list-unsubscribe:list-unsubscribe-post:"
              "feedback-id");
}

TEST(DkimSignerTest, FieldsThatAreNotThereAreNotSignedButForTheOverSignedOnes) {
    const std::string message = signed_message(rsa_signer(), "From: a@acme.test\r\n", "x\r\n");
    EXPECT_EQ(signatures_of(message)[0]["h"], "from:from:to:subject");
    EXPECT_EQ(verification_fault(message, 0, record("rsa2048")), "");
    EXPECT_EQ(verification_fault("To: evil@b.test\r\n" + message, 0, record("rsa2048")),
              "a header has changed");
}

TEST(DkimSignerTest, ASecondSenderRecipientOrSubjectBreaksIt) {
    const std::string message = signed_message(rsa_signer());
    for (const char* added :
         {"From: evil@b.test\r\n", "To: evil@b.test\r\n", "Subject: evil\r\n"}) {
        EXPECT_EQ(verification_fault(added + message, 0, record("rsa2048")),
                  "a header has changed");
        std::string below = message;
        below.insert(message.find("MIME-Version"), added);
        EXPECT_EQ(verification_fault(below, 0, record("rsa2048")), "a header has changed");
    }
    EXPECT_EQ(verification_fault("X-New: allowed\r\n" + message, 0, record("rsa2048")), "");
}

TEST(DkimSignerTest, EverySignedFieldIsCovered) {
    const std::string message = signed_message(rsa_signer());
    for (const char* name :
         {"Date: ", "From: ", "Reply-To: ", "To: ", "Subject: ", "Message-ID: ",
          "List-Unsubscribe: ", "List-Unsubscribe-Post: ", "List-Id: ", "Feedback-ID: ",
          "MIME-Version: ", "Content-Type: ", "Content-Transfer-Encoding: "}) {
        std::string changed = message;
        changed.insert(changed.find(std::string("\r\n") + name) + 2 + std::string(name).size(),
                       "x");
        EXPECT_EQ(verification_fault(changed, 0, record("rsa2048")), "a header has changed")
            << name;
    }
    std::string changed = message;
    changed.insert(changed.find("bye"), "good");
    EXPECT_EQ(verification_fault(changed, 0, record("rsa2048")), "the body has changed");
}

TEST(DkimSignerTest, WhatMailMayDoOnTheWayDoesNotBreakIt) {
    std::string message = signed_message(two_signer());
    message.insert(message.find("Acme <news"), " \r\n\t ");
    message += "\r\n\r\n";
    EXPECT_EQ(verification_fault(message, 0, record("rsa2048")), "");
    EXPECT_EQ(verification_fault(message, 1, record("ed25519")), "");
}

TEST(DkimSignerTest, AFieldThatStandsTwiceIsSignedTwice) {
    const std::string message =
        signed_message(rsa_signer(), "List-Help: <a:1>\r\nList-Help: <a:2>\r\n" + kHeaders);
    EXPECT_EQ(verification_fault(message, 0, record("rsa2048")), "");
    std::string swapped = message;
    std::swap(swapped[swapped.find("<a:1>") + 3], swapped[swapped.find("<a:2>") + 3]);
    EXPECT_EQ(verification_fault(swapped, 0, record("rsa2048")), "a header has changed");
}

TEST(DkimSignerTest, ALaterAttemptDiffersByTimeAndSignatureOnly) {
    std::string first = signed_message(rsa_signer());
    std::string again =
        signed_message(rsa_signer(), kHeaders, kBody, kTime + std::chrono::hours(1));
    EXPECT_EQ(signed_message(rsa_signer()), first);
    EXPECT_NE(again, first);
    testing_dkim::Tags of_first = signatures_of(first)[0], of_again = signatures_of(again)[0];
    EXPECT_NE(of_first["t"], of_again["t"]);
    EXPECT_NE(of_first["b"], of_again["b"]);
    for (auto* tags : {&of_first, &of_again}) {
        tags->erase("t");
        tags->erase("b");
    }
    EXPECT_EQ(of_first, of_again);
    EXPECT_EQ(first.substr(first.find("Date:")), again.substr(again.find("Date:")));
}

TEST(DkimSignerTest, LinesOfTheSignatureAreShort) {
    const std::string message = signed_message(two_signer());
    std::string_view rest = std::string_view(message).substr(0, message.find("Date:"));
    while (!rest.empty()) {
        const std::size_t end = rest.find("\r\n");
        ASSERT_NE(end, rest.npos);
        EXPECT_LE(end, 78u) << rest.substr(0, end);
        rest.remove_prefix(end + 2);
    }
}

TEST(DkimSignerTest, ThreadsSignAtOnceAndSignersComeAndGo) {
    const auto shared = std::make_shared<const DkimSigner>(two_signer());
    std::vector<std::thread> threads;
    std::vector<std::string> made(4);
    for (std::string& out : made)
        threads.emplace_back([&shared, &out] {
            for (int i = 0; i < 50; ++i) {
                out = signed_message(*shared);
                if (i % 10 == 0) (void)signed_message(two_signer());
            }
        });
    for (std::thread& thread : threads) thread.join();
    for (const std::string& message : made) {
        EXPECT_EQ(verification_fault(message, 0, record("rsa2048")), "");
        EXPECT_EQ(verification_fault(message, 1, record("ed25519")), "");
    }
}

TEST(DkimSelectorTest, SelectorsArePartsOfNames) {
    for (const char* good : {"s1", "2026-04", "a.b", "K_1", "x"})
        EXPECT_TRUE(valid_dkim_selector(good)) << good;
    for (const char* bad : {"", ".", "a.", ".a", "a..b", "-a", "a-", "a-.b", "a b", "a;b", "ä"})
        EXPECT_FALSE(valid_dkim_selector(bad)) << bad;
    EXPECT_FALSE(valid_dkim_selector(std::string(64, 'a')));
}

}  // namespace
}  // namespace posthorn
