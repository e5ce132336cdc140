#include "tools/posthorn/csv.h"

#include <algorithm>

namespace posthorn {

namespace {

constexpr std::string_view kQuoted("\",\r\n\0", 5);  // the last is left out

bool is_number(std::string_view cell) {
    if (cell.starts_with('-')) cell.remove_prefix(1);
    return !cell.empty() && std::all_of(cell.begin(), cell.end(),
                                        [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

bool looks_like_formula(std::string_view cell) {
    // Full-width forms too: some spreadsheets fold them.
    for (const std::string_view start :
         {"=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"})
        if (cell.starts_with(start)) return !is_number(cell);
    return false;
}

void append_cell(std::string& out, std::string_view cell) {
    const bool formula = looks_like_formula(cell);
    if (!formula && cell.find_first_of(kQuoted) == std::string_view::npos &&
        !cell.starts_with(' ') && !cell.ends_with(' ')) {
        out += cell;
        return;
    }
    out += '"';
    if (formula) out += '\'';
    for (const char c : cell) {
        if (c == '"') out += '"';
        if (c != '\0') out += c;
    }
    out += '"';
}

}  // namespace

void append_csv_row(std::string& out, std::span<const std::string_view> cells) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
        if (i > 0) out += ',';
        append_cell(out, cells[i]);
    }
    out += "\r\n";
}

}  // namespace posthorn
