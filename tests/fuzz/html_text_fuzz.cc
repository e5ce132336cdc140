// Any bytes as HTML: the text stays within a small multiple of its input.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "campaigns/html_text.h"
#include "engine/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view html(reinterpret_cast<const char*>(bytes), size);
    CHECK(posthorn::html_to_text(html).size() <= 16 * html.size() + 64);
    return 0;
}
