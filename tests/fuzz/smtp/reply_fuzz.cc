// Any bytes as a stream of replies: the same replies whether they come whole or octet by octet.
#include <vector>

#include "engine/base/check.h"
#include "engine/smtp/capabilities.h"
#include "engine/smtp/limits.h"
#include "engine/smtp/reply_parser.h"

namespace posthorn {
namespace {

std::vector<Reply> parse(std::string_view stream, std::size_t piece_size, bool& broken) {
    ReplyParser parser;
    std::vector<Reply> replies;
    while (!stream.empty() && !broken) {
        std::string_view piece = stream.substr(0, piece_size);
        stream.remove_prefix(piece.size());
        while (!piece.empty() && !broken) {
            const auto state = parser.parse(piece);
            broken = state == ReplyParser::State::kBroken;
            if (state == ReplyParser::State::kComplete) replies.push_back(parser.reply());
        }
    }
    return replies;
}

}  // namespace
}  // namespace posthorn

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    using namespace posthorn;
    const std::string_view stream(reinterpret_cast<const char*>(bytes), size);
    bool broken_whole = false;
    bool broken_octets = false;
    const auto whole = parse(stream, stream.size(), broken_whole);
    CHECK(whole == parse(stream, 1, broken_octets));
    CHECK(broken_whole == broken_octets);
    for (const Reply& reply : whole) {
        CHECK(reply.code >= 200 && reply.code < 600);
        CHECK(reply.text.size() <= kReplyBytesMax + kReplyLineBytesMax + 1);
        parse_capabilities(reply);
        to_string(reply);
    }
    return 0;
}
