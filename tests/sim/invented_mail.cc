#include "tests/sim/invented_mail.h"

#include <charconv>

#include "engine/base/hash.h"
#include "engine/queue/audience_row.h"

namespace posthorn::sim {

namespace {

constexpr std::string_view kDate = "Date: ";
constexpr std::string_view kText =
    "the quick brown fox jumps over the lazy dog . and then .. over another one, and so on and on; "
    "0123456789 abcdefghijklmnopqrstuvwxyz =3D =20 From nobody. ABCDEFGHIJKLMNOPQRSTUVWXYZ "
    "!#$%&'*+";

// A part of the hash as a share of one.
double share_of(std::uint64_t shape, unsigned shift) {
    return static_cast<double>((shape >> shift) & 0xffff) / 65536.0;
}

}  // namespace

bool InventedMail::renderable(std::string_view audience_key) const {
    return share_of(hash64(audience_key, campaign_), 0) >= sizes_.unrenderable_share;
}

Status InventedMail::envelope(const RenderRequest& request, RenderedMessage& message) const {
    const auto row = AudienceRow::parse(request.row);
    if (!row) return Error{ErrorKind::kCorrupt, "the row is not one"};
    const std::uint64_t shape = hash64(request.audience_key, campaign_);
    // Half of those that fail do so late.
    if (!renderable(request.audience_key) && (shape >> 63) == 0)
        return Error{ErrorKind::kInvalid, "a variable has no value"};
    message.envelope_from = sender();
    message.envelope_to = row->address();
    message.eight_bit = share_of(shape, 16) < sizes_.eight_bit_share;
    message.smtputf8 = false;
    return {};
}

Status InventedMail::render(const RenderRequest& request, RenderedMessage& message) const {
    RETURN_IF_ERROR(envelope(request, message));
    if (!renderable(request.audience_key))
        return Error{ErrorKind::kInvalid, "a variable has no value"};
    message.bytes.clear();
    write(request, hash64(request.audience_key, campaign_), message.bytes);
    if (message.eight_bit)
        message.bytes +=
            "Gr\xc3\xbc\xc3\x9f"
            "e\r\n";
    return {};
}

void InventedMail::write(const RenderRequest& request, std::uint64_t shape,
                         std::string& out) const {
    const auto row = AudienceRow::parse(request.row);
    out += kDate;
    out += std::to_string(to_micros(request.date));
    out += "\r\nFrom: <" + sender() + ">\r\nTo: <";
    out += row->address();
    out += ">\r\nMessage-ID: <" + std::to_string(shape) + "@news.test>\r\n\r\n";
    std::uint64_t lines = sizes_.lines_max == 0 ? 0 : (shape >> 8) % sizes_.lines_max;
    if (share_of(shape, 32) < sizes_.long_share) lines *= 100;
    std::uint64_t chance = shape;
    for (std::uint64_t i = 0; i < lines; ++i) {
        chance = chance * 6364136223846793005ULL + 1442695040888963407ULL;
        const std::uint64_t draw = chance >> 33;
        if (draw % 7 == 0) out += draw % 2 == 0 ? "." : "..";
        std::size_t length = draw % 11 == 0 ? 0 : (draw >> 4) % 120;
        if (draw % 97 == 0) length = 990;
        while (length > 0) {
            const std::size_t part = std::min(length, kText.size());
            out += kText.substr(0, part);
            length -= part;
        }
        out += "\r\n";
    }
}

std::int64_t date_of(std::string_view message) {
    std::int64_t date = 0;
    if (!message.starts_with(kDate)) return 0;
    message.remove_prefix(kDate.size());
    std::from_chars(message.data(), message.data() + message.size(), date);
    return date;
}

}  // namespace posthorn::sim
