// What a signature costs beside the message: rendering 10 KB unsigned, signed with each algorithm,
// with a body that all share, one whose beginning they share, and one that is personal from its
// first line; and one raw EVP signature of a hash, in the same process. Allocations of ours are
// counted.
#include <benchmark/benchmark.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "bench/allocation_count.h"
#include "campaigns/message.h"
#include "engine/queue/audience_row.h"

namespace posthorn {
namespace {

DkimKey key_of(const std::string& name) {
    std::ifstream in(std::string(POSTHORN_SOURCE_DIR) + "/tests/mail/keys/" + name + ".pem");
    const std::string pem{std::istreambuf_iterator<char>(in), {}};
    Result<DkimKey> key = DkimKey::from_pem(pem);
    if (!key) std::abort();
    return *std::move(key);
}

enum class Personal { kNowhere, kAtTheEnd, kAtTheStart };

MessageContent content_of(Personal personal, const char* key) {
    MessageContent content;
    content.campaign_id = "spring-2026";
    content.from = {"news", "acme.test", "Acme", false};
    content.subject.text = "Hi {{first_name}}";
    content.unsubscribe = {"https://u.acme.test/u/{{unsubscribe_token}}", "", true};
    content.footer = FooterPolicy::kOff;
    content.columns = {"first_name"};
    std::string text;
    while (text.size() < 10'000) text += "Spring is here, and with it our offers for the garden.\n";
    if (personal == Personal::kAtTheStart) text.insert(0, "Dear {{first_name}},\n");
    if (personal == Personal::kAtTheEnd) text += "Bye, {{first_name}}\n";
    content.text = TemplateSource{text, ""};
    if (key != nullptr) {
        std::vector<DkimIdentity> identities = {{"acme.test", "s1", key_of(key)}};
        content.signer = std::make_shared<const DkimSigner>(std::move(identities));
    }
    return content;
}

void render(benchmark::State& state, Personal personal, const char* key) {
    TokenKey token_key;
    token_key.bytes.fill(5);
    const TokenKeys keys({token_key});
    const CompiledContent compiled = compile_content(content_of(personal, key), &keys);
    std::array<std::string, 2> rows;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        AudienceRowWriter writer(rows[i], "ann.lee@mail17.example.com", "Ann Lee");
        writer.text(i == 0 ? "Ann" : "Zoe");
    }
    RenderRequest request;
    request.audience_key = "1|mail17.example.com|ann.lee";
    RenderedMessage message;
    std::size_t turn = 0;
    const auto next = [&] {
        request.row = rows[turn++ % rows.size()];
        if (!compiled.renderer->render(request, message)) std::abort();
    };
    for (int i = 0; i < 4; ++i) next();
    const std::uint64_t before = allocation_count();
    for (auto _ : state) next();
    state.counters["allocations"] = benchmark::Counter(
        static_cast<double>(allocation_count() - before), benchmark::Counter::kAvgIterations);
    state.counters["bytes"] = static_cast<double>(message.bytes.size());
}

// The least that a signature can cost: one call, everything prepared.
void raw(benchmark::State& state, const char* name) {
    const DkimKey key = key_of(name);
    EVP_PKEY* const pkey = key.shared().get();
    std::array<unsigned char, 32> hash{};
    std::array<unsigned char, 1024> signature;
    EVP_PKEY_CTX* const rsa = EVP_PKEY_CTX_new(pkey, nullptr);
    EVP_MD_CTX* const whole = EVP_MD_CTX_new();
    const bool is_rsa = key.algorithm() == DkimAlgorithm::kRsaSha256;
    if (is_rsa && (EVP_PKEY_sign_init(rsa) != 1 ||
                   EVP_PKEY_CTX_set_rsa_padding(rsa, RSA_PKCS1_PADDING) != 1 ||
                   EVP_PKEY_CTX_set_signature_md(rsa, EVP_sha256()) != 1))
        std::abort();
    for (auto _ : state) {
        std::size_t size = signature.size();
        const int done =
            is_rsa
                ? EVP_PKEY_sign(rsa, signature.data(), &size, hash.data(), hash.size())
                : (EVP_DigestSignInit(whole, nullptr, nullptr, nullptr, pkey) == 1 &&
                   EVP_DigestSign(whole, signature.data(), &size, hash.data(), hash.size()) == 1);
        if (done != 1) std::abort();
    }
    EVP_MD_CTX_free(whole);
    EVP_PKEY_CTX_free(rsa);
}

BENCHMARK_CAPTURE(raw, rsa2048, "rsa2048");
BENCHMARK_CAPTURE(raw, ed25519, "ed25519");
// As two senders do it, each with its renderer and the one key.
void sign_on_threads(benchmark::State& state) { render(state, Personal::kAtTheStart, "rsa2048"); }
BENCHMARK(sign_on_threads)->Threads(1)->Threads(2)->UseRealTime();

BENCHMARK_CAPTURE(render, unsigned_personal, Personal::kAtTheStart, nullptr);
BENCHMARK_CAPTURE(render, unsigned_shared, Personal::kNowhere, nullptr);
BENCHMARK_CAPTURE(render, rsa2048_personal, Personal::kAtTheStart, "rsa2048");
BENCHMARK_CAPTURE(render, rsa2048_shared_beginning, Personal::kAtTheEnd, "rsa2048");
BENCHMARK_CAPTURE(render, rsa2048_shared, Personal::kNowhere, "rsa2048");
BENCHMARK_CAPTURE(render, ed25519_personal, Personal::kAtTheStart, "ed25519");
BENCHMARK_CAPTURE(render, ed25519_shared_beginning, Personal::kAtTheEnd, "ed25519");
BENCHMARK_CAPTURE(render, ed25519_shared, Personal::kNowhere, "ed25519");

}  // namespace
}  // namespace posthorn
