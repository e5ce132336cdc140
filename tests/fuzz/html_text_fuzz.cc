// Any bytes as HTML: its text, its links and its images stay within a small multiple of it.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "campaigns/content_links.h"
#include "campaigns/html_text.h"
#include "campaigns/word_lists.h"
#include "engine/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view html(reinterpret_cast<const char*>(bytes), size);
    const std::size_t bytes_max = 16 * html.size() + 64;
    CHECK(posthorn::html_to_text(html).size() <= bytes_max);
    CHECK(posthorn::links_of(html).size() <= bytes_max);
    CHECK(posthorn::words_beside_images(html).size() <= bytes_max);
    CHECK(posthorn::images_of(html).count <= html.size());
    CHECK(posthorn::unresolved_tag(html).size() <= html.size());
    for (const posthorn::CampaignError& problem : posthorn::check_links(posthorn::Campaign(), html))
        CHECK(!problem.hint.empty());
    return 0;
}
