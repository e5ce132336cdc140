// Any bytes as a published key record, held against a key of ours, as a header, a body and a key
// file.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/check.h"
#include "engine/mail/dkim_canonical.h"
#include "engine/mail/dkim_record.h"

namespace {

const posthorn::DkimKey& key() {
    static const posthorn::DkimKey kKey =
        posthorn::DkimKey::from_pem(
            "-----BEGIN PRIVATE KEY-----\n"
            "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
            "-----END PRIVATE KEY-----\n")
            .value();
    return kKey;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(bytes), size);
    const auto fault = posthorn::record_fault(key(), {&text, 1});
    if (fault == posthorn::DkimRecordFault::kNone) CHECK(text.find("ed25519") != std::string::npos);
    std::string header, body;
    posthorn::append_relaxed_header(header, text);
    CHECK(header.find(':') != std::string::npos);
    posthorn::RelaxedBody canonical;
    canonical.append(body, text);
    canonical.close(body);
    CHECK(body.empty() || body.ends_with("\r\n"));
    (void)posthorn::DkimKey::from_pem(text);
    return 0;
}
