// What an intake leaves behind for the next run:
//
//   position := 1:u8 offset hash:u64 rows lines size modified rejects_bytes
//               rows invalid duplicate suppressed excluded recipients
//               column_count column*            numbers are varints, columns strings
//   digest   := "OFFSET:HASH", decimal and 16 hex digits
#include <charconv>
#include <cstdio>

#include "campaigns/audience_intake.h"
#include "engine/base/bytes.h"

namespace posthorn {

namespace {

constexpr std::uint8_t kVersion = 1;

}  // namespace

std::string IntakePosition::encode() const {
    std::string out;
    put_u8(out, kVersion);
    put_varint(out, list.offset);
    put_u64(out, list.prefix_hash);
    put_varint(out, list.rows);
    put_varint(out, list.lines);
    put_varint(out, list.identity.bytes);
    put_varint(out, static_cast<std::uint64_t>(list.identity.modified_micros));
    put_varint(out, rejects_bytes);
    for (const std::uint64_t figure : {figures.rows, figures.invalid, figures.duplicate,
                                       figures.suppressed, figures.excluded, figures.recipients})
        put_varint(out, figure);
    put_varint(out, list.columns.size());
    for (const std::string& column : list.columns) put_string(out, column);
    return out;
}

std::optional<IntakePosition> IntakePosition::decode(std::string_view bytes) {
    ByteReader in(bytes);
    if (in.u8() != kVersion) return std::nullopt;
    IntakePosition position;
    position.list.offset = in.varint();
    position.list.prefix_hash = in.u64();
    position.list.rows = in.varint();
    position.list.lines = in.varint();
    position.list.identity.bytes = in.varint();
    position.list.identity.modified_micros = static_cast<std::int64_t>(in.varint());
    position.rejects_bytes = in.varint();
    AudienceFigures& figures = position.figures;
    for (std::uint64_t* figure : {&figures.rows, &figures.invalid, &figures.duplicate,
                                  &figures.suppressed, &figures.excluded, &figures.recipients})
        *figure = in.varint();
    const std::uint64_t columns = in.varint();
    if (!in.ok() || columns > kMaxListColumns) return std::nullopt;
    for (std::uint64_t i = 0; i < columns; ++i) position.list.columns.emplace_back(in.string());
    if (!in.at_end()) return std::nullopt;
    return position;
}

std::string AudienceIntake::list_digest() {
    if (!reader_) return {};
    const ListPosition position = reader_->position();
    char text[48];
    const int length = std::snprintf(text, sizeof text, "%llu:%016llx",
                                     static_cast<unsigned long long>(position.offset),
                                     static_cast<unsigned long long>(position.prefix_hash));
    return {text, static_cast<std::size_t>(length)};
}

Result<bool> list_matches(const RecipientList& list, std::string_view digest) {
    std::uint64_t offset = 0, hash = 0;
    const char* const end = digest.data() + digest.size();
    const auto [colon, fault] = std::from_chars(digest.data(), end, offset);
    if (fault != std::errc() || colon == end || *colon != ':' ||
        std::from_chars(colon + 1, end, hash, 16).ptr != end)
        return Error{ErrorKind::kCorrupt, "the stored digest of a list is not one"};
    std::unique_ptr<ListInput> input;
    if (list.file.empty()) {
        input = ListInput::of_text(list.inline_rows.bytes);
    } else {
        auto opened = ListInput::of_file(list.file, list.gzip);
        if (!opened) return opened.error();
        input = std::move(*opened);
    }
    const Result<bool> skipped = input->skip_to(offset);
    if (!skipped) return skipped.error();
    return *skipped && input->prefix_hash() == hash;
}

}  // namespace posthorn
