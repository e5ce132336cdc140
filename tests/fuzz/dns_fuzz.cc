// Any bytes as a DNS message: what parses is built and parsed to the same again, and as an answer
// to any question it stays within its bounds. The first octet chooses the question's type.
#include "engine/base/check.h"
#include "engine/net/dns_answer.h"
#include "engine/net/dns_message.h"
#include "tests/fuzz/input.h"

namespace posthorn {
namespace {

constexpr std::uint16_t kTypes[] = {dns::kMx, dns::kA, dns::kAaaa, dns::kTxt};

void build_again(const DnsMessage& message) {
    const auto built = build_dns_message(message);
    CHECK(built.has_value() && built->size() <= dns::kMessageBytesMax);
    const auto again = parse_dns_message(*built);
    CHECK(again.has_value());
    if (again->truncated == message.truncated) CHECK(*again == message);
}

void check_answer(const DnsAnswer& answer, const DnsQuestion& question) {
    CHECK(answer.ttl >= Duration(0));
    CHECK(answer.mx.size() + answer.addresses.size() + answer.texts.size() <= dns::kRecordsMax);
    const bool empty = answer.mx.empty() && answer.addresses.empty() && answer.texts.empty();
    CHECK(answer.kind == DnsAnswer::Kind::kRecords ? !empty : empty);
    CHECK(answer.kind != DnsAnswer::Kind::kAlias || answer.alias != question.name);
}

void fuzz(FuzzInput input) {
    const std::uint16_t type = kTypes[input.octet() % std::size(kTypes)];
    const std::string_view bytes = input.text(dns::kMessageBytesMax);
    DnsQuestion question{"example.test", type};
    if (const auto message = parse_dns_message(bytes)) {
        build_again(*message);
        if (!message->questions.empty()) question.name = message->questions.front().name;
    }
    check_answer(read_dns_answer(question, bytes), question);
}

}  // namespace
}  // namespace posthorn

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    posthorn::fuzz({bytes, size});
    return 0;
}
