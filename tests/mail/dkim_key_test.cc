#include "engine/mail/dkim_key.h"

#include <gmock/gmock.h>

#include "engine/mail/dkim_record.h"
#include "tests/mail/dkim_fixture.h"

namespace posthorn {
namespace {

using ::testing::HasSubstr;
using testing_dkim::key_of;
using testing_dkim::pem_of;

TEST(DkimKeyTest, KeysOfBothTypesAreRead) {
    EXPECT_EQ(key_of("rsa2048").algorithm(), DkimAlgorithm::kRsaSha256);
    EXPECT_EQ(key_of("rsa2048").bits(), 2048u);
    EXPECT_EQ(key_of("rsa1024_pkcs1").bits(), 1024u);
    EXPECT_EQ(key_of("rsa512").bits(), 512u);  // read; it is the caller's to refuse it
    EXPECT_EQ(key_of("ed25519").algorithm(), DkimAlgorithm::kEd25519Sha256);
    EXPECT_EQ(key_of("ed25519").public_key(), "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
}

TEST(DkimKeyTest, WhatIsNoPrivateKeyForMailIsCalledByItsName) {
    const struct {
        std::string pem, why;
    } table[] = {
        {pem_of("ec"), "EC"},
        {pem_of("public"), "public key"},
        {pem_of("encrypted"), "encrypted"},
        {pem_of("damaged"), "damaged"},
        {pem_of("rsa2048").substr(0, 400), "damaged"},
        {"", "not a private key"},
        {"hello", "not a private key"},
        {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "certificate"},
    };
    for (const auto& row : table) {
        const Result<DkimKey> key = DkimKey::from_pem(row.pem);
        ASSERT_FALSE(key) << row.why;
        EXPECT_THAT(key.error().message, HasSubstr(row.why));
    }
}

std::string fault_of(const std::string& key, const std::vector<std::string>& texts) {
    return std::string(reason(record_fault(key_of(key), texts)));
}

TEST(DkimRecordTest, TheRecordOfAKeyFitsIt) {
    for (const char* name : {"rsa2048", "ed25519", "rsa1024_pkcs1"})
        EXPECT_EQ(record_fault(key_of(name), std::vector{dkim_record_for(key_of(name))}),
                  DkimRecordFault::kNone);
    EXPECT_EQ(dkim_record_for(key_of("ed25519")),
              "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
    EXPECT_EQ(dkim_record_name("s1", "acme.test"), "s1._domainkey.acme.test");
}

TEST(DkimRecordTest, WhatIsWrongWithAPublishedRecordIsSaid) {
    const std::string p = "p=" + key_of("rsa2048").public_key();
    const struct {
        std::vector<std::string> texts;
        std::string_view why;
    } table[] = {
        {{p}, "fits"},
        {{"v=DKIM1;k=rsa;" + p + ";"}, "fits"},
        {{"v = DKIM1 ; " + p.substr(0, 40) + " \t" + p.substr(40)}, "fits"},
        {{"v=DKIM1; h=sha1:sha256; s=email; x_other=1; " + p}, "fits"},
        {{"v=DKIM1; t=s; " + p}, "fits"},
        {{"v=DKIM1; t=y:s; " + p}, "t=y"},
        {{}, "no key record is published"},
        {{"v=spf1 -all"}, "is no key record"},
        {{p + "; v=DKIM1"}, "is no key record"},
        {{"v=DKIM2; " + p}, "is no key record"},
        {{p + "; " + p}, "is no key record"},
        {{"v=DKIM1; p=!!!"}, "is no key record"},
        {{"v=DKIM1;; " + p}, "is no key record"},
        {{"v=DKIM1; k=rsa"}, "is no key record"},
        {{"v=DKIM1; p="}, "revokes"},
        {{"v=DKIM1; k=ed25519; " + p}, "another type"},
        {{dkim_record_for(key_of("rsa1024_pkcs1"))}, "another key"},
        {{"v=DKIM1; p=AAAA"}, "another key"},
        {{"v=DKIM1; h=sha1; " + p}, "SHA-256"},
        {{"v=DKIM1; s=tlsrpt; " + p}, "not for mail"},
        {{p, dkim_record_for(key_of("rsa1024_pkcs1"))}, "another key"},
    };
    for (const auto& row : table)
        EXPECT_THAT(fault_of("rsa2048", row.texts), HasSubstr(std::string(row.why)))
            << (row.texts.empty() ? "" : row.texts.front());
    EXPECT_THAT(fault_of("ed25519", {"k=ed25519; p=AAAA"}), HasSubstr("another key"));
    EXPECT_FALSE(parse_dkim_record("p=" + std::string(kDkimRecordBytesMax, 'A')));
}

}  // namespace
}  // namespace posthorn
