// The value stored for one recipient of an audience: the address as written, the display name, and
// the variables by position in the campaign's column table. Written at import, read by the
// renderer.
//
//   row      := string(address) string(name) variable*         string(x) := varint length, bytes
//   variable := varint(length << 1 | is_json) bytes            missing   := is_json with length 0
//
// Trailing missing variables are left out. A JSON variable is one complete JSON value in UTF-8.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/base/bytes.h"

namespace posthorn {

struct RowVariable {
    std::string_view bytes;
    bool is_json = false;
    bool missing() const { return is_json && bytes.empty(); }
};

class AudienceRowWriter {
  public:
    // Starts a row at the end of out, which outlives the writer.
    AudienceRowWriter(std::string& out, std::string_view address, std::string_view name);

    void text(std::string_view value);
    void json(std::string_view value);
    void missing();

  private:
    std::string& out_;
    std::size_t pending_missing_ = 0;
};

// Views live as long as the row's bytes.
class AudienceRow {
  public:
    // nullopt when the bytes are not a row.
    static std::optional<AudienceRow> parse(std::string_view row);

    std::string_view address() const { return address_; }
    std::string_view name() const { return name_; }

    // Reads the next variable; missing ones once the row has ended. Start again with rewind().
    RowVariable next();
    void rewind() { rest_ = ByteReader(variables_); }

  private:
    AudienceRow(std::string_view address, std::string_view name, std::string_view variables)
        : address_(address), name_(name), variables_(variables), rest_(variables) {}

    std::string_view address_, name_, variables_;
    ByteReader rest_;
};

}  // namespace posthorn
