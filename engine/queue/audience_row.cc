#include "engine/queue/audience_row.h"

namespace posthorn {

AudienceRowWriter::AudienceRowWriter(std::string& out, std::string_view address,
                                     std::string_view name)
    : out_(out) {
    put_string(out_, address);
    put_string(out_, name);
}

void AudienceRowWriter::text(std::string_view value) {
    for (; pending_missing_ > 0; --pending_missing_) put_varint(out_, 1);
    put_varint(out_, value.size() << 1);
    out_.append(value);
}

void AudienceRowWriter::json(std::string_view value) {
    for (; pending_missing_ > 0; --pending_missing_) put_varint(out_, 1);
    put_varint(out_, value.size() << 1 | 1);
    out_.append(value);
}

void AudienceRowWriter::missing() { ++pending_missing_; }

std::optional<AudienceRow> AudienceRow::parse(std::string_view row) {
    ByteReader in(row);
    const std::string_view address = in.string();
    const std::string_view name = in.string();
    if (!in.ok()) return std::nullopt;
    const std::string_view variables = in.rest();
    while (in.ok() && !in.at_end()) in.bytes(static_cast<std::size_t>(in.varint() >> 1));
    if (!in.ok()) return std::nullopt;
    return AudienceRow(address, name, variables);
}

RowVariable AudienceRow::next() {
    if (rest_.rest().empty()) return {{}, true};
    const std::uint64_t head = rest_.varint();
    return {rest_.bytes(static_cast<std::size_t>(head >> 1)), (head & 1) != 0};
}

}  // namespace posthorn
