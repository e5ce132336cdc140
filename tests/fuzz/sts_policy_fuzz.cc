// Any bytes as an MTA-STS policy, its TXT record, and what an earlier process recorded of one.
#include <cstddef>
#include <cstdint>
#include <string>

#include "engine/base/check.h"
#include "engine/delivery/sts_policy.h"
#include "engine/delivery/tls_results.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(bytes), size);
    if (const auto policy = posthorn::parse_sts_policy(text)) {
        CHECK(policy->mode == posthorn::StsMode::kNone || !policy->mx.empty());
        (void)policy->covers(text);
        posthorn::StsCache cache, again;
        const posthorn::WallTime now(std::chrono::hours(490'000));
        const auto kept = cache.keep("d.test", *policy, "id", now);
        const bool holds = policy->max_age > posthorn::Duration(0);
        CHECK(again.restore("d.test", *kept.value, now) == holds);
        if (holds) CHECK(*again.find("d.test", now)->policy == *policy);
    }
    if (const auto id = posthorn::parse_sts_record({text})) CHECK(!id->empty() && id->size() <= 32);
    posthorn::StsCache cache;
    (void)cache.restore("d.test", text, posthorn::WallTime());
    (void)posthorn::parse_tls_results_key(text);
    (void)posthorn::decode_tls_counts(text);
    return 0;
}
