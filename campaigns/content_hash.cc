#include "campaigns/content_hash.h"

#include <openssl/evp.h>

#include <array>
#include <cstdio>
#include <memory>
#include <vector>

#include "engine/base/check.h"
#include "engine/queue/content.h"

namespace posthorn {

namespace {

class Sha256 {
  public:
    Sha256() : context_(EVP_MD_CTX_new()) {
        CHECK(context_ != nullptr);
        CHECK(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
    }

    void add(std::string_view bytes) {
        CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
    }

    std::string hex() {
        constexpr char kHex[] = "0123456789abcdef";
        std::array<unsigned char, 32> digest;
        CHECK(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) == 1);
        std::string out;
        for (const unsigned char byte : digest) {
            out.push_back(kHex[byte >> 4]);
            out.push_back(kHex[byte & 15]);
        }
        return out;
    }

  private:
    struct Free {
        void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
    };
    std::unique_ptr<EVP_MD_CTX, Free> context_;
};

struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
};

}  // namespace

std::string sha256_hex(std::string_view bytes) { return content_hash(bytes); }

Result<std::string> sha256_hex_of_file(const std::string& path) {
    const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "rbe"));
    if (!file) return Error{ErrorKind::kIo, path + " cannot be opened"};
    Sha256 hash;
    std::vector<char> block(256 * 1024);
    while (true) {
        const std::size_t count = std::fread(block.data(), 1, block.size(), file.get());
        hash.add({block.data(), count});
        if (count < block.size()) break;
    }
    if (std::ferror(file.get()) != 0) return Error{ErrorKind::kIo, path + " cannot be read"};
    return hash.hex();
}

}  // namespace posthorn
