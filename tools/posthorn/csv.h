// Rows of CSV (RFC 4180, lines end in CRLF) that are safe to open in a spreadsheet: a cell that one
// would take for a formula begins with an apostrophe (OWASP, CSV injection).
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace posthorn {

void append_csv_row(std::string& out, std::span<const std::string_view> cells);

}  // namespace posthorn
