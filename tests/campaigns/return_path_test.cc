#include "campaigns/return_path.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/base/hash.h"
#include "engine/mail/address.h"
#include "engine/queue/keys.h"
#include "tests/campaigns/message_fixture.h"

namespace posthorn {
namespace {

TokenKey key_of(std::uint32_t id, unsigned char fill) {
    TokenKey key;
    key.id = id;
    key.bytes.fill(fill);
    return key;
}

std::string sealed(const TokenKeys& keys, const std::string& audience_key) {
    std::string out;
    EXPECT_TRUE(ReturnPathSealer(keys, "b.acme.test").append(out, audience_key));
    return out;
}

std::string local_of(const std::string& address) { return address.substr(0, address.find('@')); }

TEST(ReturnPathTest, EveryRecipientsPathTellsWhoseItIs) {
    const TokenKeys keys = testing_message::test_keys();
    const struct {
        CampaignNumber campaign;
        std::string domain, local;
    } table[] = {
        {1, "b.test", "ann"},
        {1, "b.test", "bob"},
        {1, "a.test", "ann"},
        {2, "b.test", "ann"},
        {0xFFFFFFFF, std::string(59, 'a') + "." + std::string(59, 'b') + ".test",
         std::string(64, 'x')},
        {7, "xn--bcher-kva.test", "j\xC3\xBCrgen"},
        {7, "b.test", "\"a b\""},
    };
    std::vector<std::string> seen;
    for (const auto& row : table) {
        const std::string path =
            sealed(keys, audience_key({row.campaign, row.domain}, local_key(row.local)));
        Address address;
        ASSERT_EQ(parse_address(path, address), AddressFault::kNone) << path;
        EXPECT_EQ(address.domain, "b.acme.test");
        EXPECT_LE(address.local.size(), kLocalBytesMax);
        EXPECT_EQ(address.local.size(), kReturnPathLocalBytes);
        const auto opened = open_return_path(keys, address.local);
        ASSERT_TRUE(opened) << path;
        EXPECT_EQ(*opened, (BouncedRecipient{row.campaign, hash32(row.domain), hash32(row.local)}));
        EXPECT_EQ(std::count(seen.begin(), seen.end(), path), 0);
        seen.push_back(path);
    }
}

TEST(ReturnPathTest, MailSystemsMayChangeItsCase) {
    const TokenKeys keys = testing_message::test_keys();
    std::string local = local_of(sealed(keys, audience_key({1, "b.test"}, local_key("ann"))));
    for (char& c : local)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
    EXPECT_TRUE(open_return_path(keys, local));
}

TEST(ReturnPathTest, WhateverIsChangedInItItIsRefused) {
    const TokenKeys keys = testing_message::test_keys();
    const std::string local = local_of(sealed(keys, audience_key({1, "b.test"}, local_key("ann"))));
    for (std::size_t i = 0; i < local.size(); ++i) {
        std::string changed = local;
        changed[i] = changed[i] == 'b' ? 'c' : 'b';
        EXPECT_FALSE(open_return_path(keys, changed)) << i;
    }
    for (const std::string& wrong :
         {std::string(), std::string("b1-"), local.substr(1), local + "a", local.substr(0, 50),
          std::string(51, '='), "b1-" + std::string(48, 'a'), std::string("bounce+spring-2026")})
        EXPECT_FALSE(open_return_path(keys, wrong)) << wrong;
    EXPECT_FALSE(open_return_path(TokenKeys({key_of(7, 1)}), local));
}

TEST(ReturnPathTest, OldKeysStillOpen) {
    const TokenKeys old({key_of(1, 1)}), now({key_of(1, 1), key_of(2, 2), key_of(0x10002, 3)});
    const std::string key = audience_key({1, "b.test"}, local_key("ann"));
    EXPECT_TRUE(open_return_path(now, local_of(sealed(old, key))));
    EXPECT_TRUE(open_return_path(now, local_of(sealed(now, key))));
    EXPECT_FALSE(open_return_path(old, local_of(sealed(now, key))));
}

TEST(ReturnPathTest, AnUnsubscribeTokensKeyIsOfNoUseForIt) {
    const TokenKeys keys = testing_message::test_keys();
    EXPECT_NE(keys.sealer(TokenPurpose::kBounce, "").authenticator("x"),
              keys.sealer(TokenPurpose::kUnsubscribe, "").authenticator("x"));
}

TEST(ReturnPathTest, MessagesLeaveWithItUnlessTheCampaignNamesOne) {
    MessageContent content = testing_message::plain_content();
    content.return_paths.emplace(testing_message::test_keys(), "b.acme.test");
    const std::string row = testing_message::row_of("ann@b.test", "Ann", {"Ann", "Graz"});
    RenderRequest request = testing_message::request_for(row);
    const std::string key = audience_key({3, "b.test"}, local_key("ann"));
    request.audience_key = key;
    RenderedMessage message, envelope;
    const auto renderer = testing_message::compiled(content);
    ASSERT_TRUE(renderer->render(request, message));
    ASSERT_TRUE(renderer->envelope(request, envelope));
    EXPECT_EQ(message.envelope_from, sealed(testing_message::test_keys(), key));
    EXPECT_EQ(envelope.envelope_from, message.envelope_from);
    content.return_path = Address{"own", "acme.test", "", false};
    ASSERT_TRUE(testing_message::compiled(content)->render(request, message));
    EXPECT_EQ(message.envelope_from, "own@acme.test");
}

}  // namespace
}  // namespace posthorn
