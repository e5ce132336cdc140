// Any text as a duration, a rate or a time: what is read is written and read to the same.
#include "engine/base/check.h"
#include "engine/base/units.h"

namespace posthorn {
namespace {

void fuzz(std::string_view text) {
    if (const auto duration = parse_duration(text)) {
        CHECK(*duration >= Duration(0));
        CHECK(parse_duration(to_string(*duration)) == duration);
    }
    if (const auto rate = parse_rate(text)) {
        CHECK(rate->count >= 1 && rate->window > Duration(0));
        CHECK(parse_rate(to_string(*rate)) == rate);
    }
    if (const auto time = parse_rfc3339(text)) {
        CHECK(to_micros(*time) >= 0);
        CHECK(parse_rfc3339(rfc3339(*time)) == time);
    }
}

}  // namespace
}  // namespace posthorn

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    posthorn::fuzz(std::string_view(reinterpret_cast<const char*>(bytes), size));
    return 0;
}
