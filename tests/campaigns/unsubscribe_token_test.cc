#include "campaigns/unsubscribe_token.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "engine/mail/encodings.h"

namespace posthorn {
namespace {

TokenKey key_of(unsigned char first, std::uint32_t id) {
    TokenKey key;
    key.id = id;
    for (std::size_t i = 0; i < key.bytes.size(); ++i)
        key.bytes[i] = static_cast<unsigned char>(first + i);
    return key;
}

// OpenSSL's own AES-256-SIV over the same head.
std::string sealed_by_openssl(const TokenKey& key, const std::string& head,
                              const std::string& address) {
    EVP_CIPHER* cipher = EVP_CIPHER_fetch(nullptr, "AES-256-SIV", nullptr);
    EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
    const auto* in = reinterpret_cast<const unsigned char*>(address.data());
    const auto* aad = reinterpret_cast<const unsigned char*>(head.data());
    unsigned char out[512], tag[16];
    int size = 0;
    EXPECT_EQ(EVP_EncryptInit_ex2(context, cipher, key.bytes.data(), nullptr, nullptr), 1);
    EXPECT_EQ(EVP_EncryptUpdate(context, nullptr, &size, aad, static_cast<int>(head.size())), 1);
    EXPECT_EQ(EVP_EncryptUpdate(context, out, &size, in, static_cast<int>(address.size())), 1);
    EXPECT_EQ(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, tag), 1);
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
    return head + std::string(reinterpret_cast<char*>(tag), 16) +
           std::string(reinterpret_cast<char*>(out), address.size());
}

TEST(Token, OpensToWhatWasSealed) {
    const TokenKeys keys({key_of(1, 7)});
    for (const std::string& address :
         {std::string("a@b.test"), std::string("x"), std::string(15, 'a'), std::string(16, 'a'),
          std::string(17, 'a'), std::string(32, 'a'), std::string(254, 'a'), std::string()}) {
        const std::string token = keys.seal(TokenPurpose::kUnsubscribe, "spring-2026", address);
        EXPECT_EQ(token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                          "0123456789-_"),
                  std::string::npos);
        const Result<TokenContents> opened = keys.open(token);
        ASSERT_TRUE(opened) << address.size();
        EXPECT_EQ(opened->address, address);
        EXPECT_EQ(opened->campaign, "spring-2026");
        EXPECT_EQ(opened->purpose, TokenPurpose::kUnsubscribe);
    }
}

TEST(Token, IsAesSivAsOpensslMakesIt) {
    const TokenKey key = key_of(0x40, 0x01020304);
    const TokenKeys keys({key});
    for (const std::string& campaign :
         {std::string("c"), std::string("spring-2026"), std::string(64, 'x')}) {
        for (std::size_t size : {1u, 15u, 16u, 17u, 26u, 47u, 48u, 254u}) {
            const std::string address(size, 'q');
            const std::string token = keys.seal(TokenPurpose::kBounce, campaign, address);
            const std::string bytes = decode_base64url(token).value();
            const std::string head = std::string("\x01\x01\x02\x03\x04\x02", 6) +
                                     static_cast<char>(campaign.size()) + campaign;
            EXPECT_EQ(bytes, sealed_by_openssl(key, head, address)) << size;
        }
    }
}

TEST(Token, IsTheSameEachTimeAndDiffersByEverything) {
    const TokenKeys keys({key_of(1, 7)});
    const std::string token = keys.seal(TokenPurpose::kUnsubscribe, "c", "a@b.test");
    EXPECT_EQ(keys.seal(TokenPurpose::kUnsubscribe, "c", "a@b.test"), token);
    EXPECT_NE(keys.seal(TokenPurpose::kBounce, "c", "a@b.test"), token);
    EXPECT_NE(keys.seal(TokenPurpose::kUnsubscribe, "d", "a@b.test"), token);
    EXPECT_NE(keys.seal(TokenPurpose::kUnsubscribe, "c", "b@b.test"), token);
    EXPECT_NE(TokenKeys({key_of(2, 7)}).seal(TokenPurpose::kUnsubscribe, "c", "a@b.test"), token);
}

TEST(Token, NoOtherBytesOpen) {
    const TokenKeys keys({key_of(1, 7)});
    const std::string token = keys.seal(TokenPurpose::kUnsubscribe, "c", "ann@b.test");
    for (std::size_t i = 0; i < token.size(); ++i) {
        std::string changed = token;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        EXPECT_FALSE(keys.open(changed)) << i;
        EXPECT_FALSE(keys.open(token.substr(0, i))) << i;
    }
    EXPECT_FALSE(keys.open(token + "A"));
    EXPECT_FALSE(keys.open(token + "AAAA"));
    EXPECT_FALSE(keys.open(std::string(5000, 'A')));
    EXPECT_FALSE(TokenKeys({key_of(2, 7)}).open(token));
    EXPECT_FALSE(TokenKeys({key_of(1, 8)}).open(token));
}

TEST(Token, OldKeysOpenAndTheNewestSeals) {
    const std::string old =
        TokenKeys({key_of(1, 7)}).seal(TokenPurpose::kTracking, "c", "a@b.test");
    const TokenKeys both({key_of(1, 7), key_of(2, 8)});
    EXPECT_TRUE(both.open(old));
    EXPECT_NE(both.seal(TokenPurpose::kTracking, "c", "a@b.test"), old);
}

TEST(Token, ThreadsAndSealersDoNotDisturbOneAnother) {
    const TokenKeys keys({key_of(1, 7)}), others({key_of(9, 9)});
    const TokenSealer one = keys.sealer(TokenPurpose::kUnsubscribe, "one");
    const TokenSealer two = others.sealer(TokenPurpose::kUnsubscribe, "two");
    std::string first, second;
    one.append(first, "a@b.test");
    two.append(second, "a@b.test");
    const auto work = [&] {
        for (int i = 0; i < 200; ++i) {
            std::string out;
            (i % 3 == 0 ? one : two).append(out, "a@b.test");
            EXPECT_EQ(out, i % 3 == 0 ? first : second);
        }
    };
    std::thread a(work), b(work);
    a.join();
    b.join();
}

class TokenKeyFile : public testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/posthorn-token-XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        directory_ = name;
        path_ = directory_ + "/keys";
    }
    void TearDown() override { std::filesystem::remove_all(directory_); }

    std::string directory_, path_;
};

TEST_F(TokenKeyFile, IsMadeOnceForItsOwnerAlone) {
    const Result<TokenKeys> made = TokenKeys::load_or_create(path_);
    ASSERT_TRUE(made) << made.error().message;
    struct stat status {};
    ASSERT_EQ(stat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
    const Result<TokenKeys> loaded = TokenKeys::load_or_create(path_);
    ASSERT_TRUE(loaded);
    EXPECT_TRUE(loaded->open(made->seal(TokenPurpose::kUnsubscribe, "c", "a@b.test")));
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_), {}), 1);
}

TEST_F(TokenKeyFile, IsRefusedWhenOthersCanReadItOrItIsBroken) {
    ASSERT_TRUE(TokenKeys::load_or_create(path_));
    ASSERT_EQ(chmod(path_.c_str(), 0644), 0);
    EXPECT_FALSE(TokenKeys::load_or_create(path_));
    ASSERT_EQ(chmod(path_.c_str(), 0600), 0);
    std::ofstream(path_, std::ios::app) << "rubbish\n";
    const Result<TokenKeys> broken = TokenKeys::load_or_create(path_);
    ASSERT_FALSE(broken);
    EXPECT_EQ(broken.error().kind, ErrorKind::kCorrupt);
    EXPECT_FALSE(TokenKeys::load_or_create(directory_ + "/no/keys"));
}

}  // namespace
}  // namespace posthorn
