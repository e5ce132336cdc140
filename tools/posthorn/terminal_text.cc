#include "tools/posthorn/terminal_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "engine/base/check.h"

namespace posthorn {

namespace {

// One character of UTF-8 at the front of text; bytes 0 when it is not one.
struct Character {
    std::uint32_t code_point = 0;
    std::size_t bytes = 0;
};

Character first_character(std::string_view text) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80) return {lead, 1};
    const std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.size() < bytes) return {};
    std::uint32_t code_point = lead & (0x7Fu >> bytes);
    for (std::size_t i = 1; i < bytes; ++i) {
        if ((byte(i) & 0xC0) != 0x80) return {};
        code_point = code_point << 6 | (byte(i) & 0x3Fu);
    }
    constexpr std::array<std::uint32_t, 5> kLowest{0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
    if (code_point < kLowest[bytes] || code_point > 0x10FFFF || surrogate) return {};
    return {code_point, bytes};
}

struct Range {
    std::uint32_t first, last;
};

template <std::size_t N>
bool within(const Range (&ranges)[N], std::uint32_t code_point) {
    return std::any_of(std::begin(ranges), std::end(ranges), [=](Range range) {
        return code_point >= range.first && code_point <= range.last;
    });
}

// C1, and characters that reorder or hide what stands around them.
bool drives_terminal(std::uint32_t code_point) {
    static constexpr Range kRanges[] = {{0x7F, 0x9F},      {0x200B, 0x200F}, {0x2028, 0x202E},
                                        {0x2060, 0x206F},  {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB},
                                        {0xE0000, 0xE007F}};
    return code_point < 0x20 || within(kRanges, code_point);
}

std::size_t width_of(std::uint32_t code_point) {
    static constexpr Range kCombining[] = {
        {0x300, 0x36F},   {0x483, 0x489},   {0x591, 0x5BD},   {0x610, 0x61A},   {0x64B, 0x65F},
        {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}};
    static constexpr Range kWide[] = {{0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0xA4CF},
                                      {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},
                                      {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},   {0x1F300, 0x1F64F},
                                      {0x1F680, 0x1F6FF}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};
    if (code_point < 0x300) return 1;
    if (within(kCombining, code_point)) return 0;
    return within(kWide, code_point) ? 2 : 1;
}

void append_escape(std::string& out, const char* format, std::uint32_t value) {
    std::array<char, 16> escape{};
    std::snprintf(escape.data(), escape.size(), format, value);
    out += escape.data();
}

// As much of printable text as fits.
std::string cut(std::string_view text, std::size_t columns) {
    std::string kept;
    std::size_t used = 0;
    std::size_t at = 0;
    while (at < text.size()) {
        const Character character = first_character(text.substr(at));
        const std::size_t bytes = std::max<std::size_t>(character.bytes, 1);
        const std::size_t width = width_of(character.code_point);
        if (used + width > columns) break;
        used += width;
        kept.append(text.substr(at, bytes));
        at += bytes;
    }
    return kept;
}

std::string shortened(std::string_view text, std::size_t columns) {
    if (columns_of(text) <= columns) return std::string(text);
    return columns == 0 ? "" : cut(text, columns - 1) + "…";
}

}  // namespace

std::string printable(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const Character character = first_character(text);
        const std::size_t bytes = std::max<std::size_t>(character.bytes, 1);
        if (character.bytes == 0)
            append_escape(out, "\\x%02X", static_cast<unsigned char>(text[0]));
        else if (!drives_terminal(character.code_point))
            out.append(text.substr(0, bytes));
        else
            append_escape(out, character.code_point < 0x100 ? "\\x%02X" : "\\u%04X",
                          character.code_point);
        text.remove_prefix(bytes);
    }
    return out;
}

std::size_t columns_of(std::string_view text) {
    std::size_t columns = 0;
    while (!text.empty()) {
        const Character character = first_character(text);
        columns += width_of(character.code_point);
        text.remove_prefix(std::max<std::size_t>(character.bytes, 1));
    }
    return columns;
}

std::string fitted(std::string_view text, std::size_t columns) {
    std::string out = shortened(text, columns);
    out.append(columns - std::min(columns, columns_of(out)), ' ');
    return out;
}

std::string fitted_right(std::string_view text, std::size_t columns) {
    const std::string kept = shortened(text, columns);
    return std::string(columns - std::min(columns, columns_of(kept)), ' ') + kept;
}

std::string duration_words(double seconds) {
    std::array<char, 48> words{};
    const double bounded = std::clamp(std::isfinite(seconds) ? seconds : 0.0, 0.0, 1e9);
    const auto whole = static_cast<std::int64_t>(bounded + 0.5);
    if (bounded < 9.95)
        std::snprintf(words.data(), words.size(), "%.1f s", bounded);
    else if (whole < 60)
        std::snprintf(words.data(), words.size(), "%lld s", static_cast<long long>(whole));
    else if (whole < 3600)
        std::snprintf(words.data(), words.size(), "%lldm %02llds",
                      static_cast<long long>(whole / 60), static_cast<long long>(whole % 60));
    else if (whole < 86'400)
        std::snprintf(words.data(), words.size(), "%lldh %02lldm",
                      static_cast<long long>(whole / 3600),
                      static_cast<long long>(whole % 3600 / 60));
    else
        std::snprintf(words.data(), words.size(), "%lldd %02lldh",
                      static_cast<long long>(whole / 86'400),
                      static_cast<long long>(whole % 86'400 / 3600));
    return words.data();
}

std::string percent(std::uint64_t part, std::uint64_t whole) {
    if (whole == 0 || part == 0) return "0 %";
    if (part >= whole) return "100 %";
    const double share = 100.0 * static_cast<double>(part) / static_cast<double>(whole);
    std::array<char, 16> text{};
    if (share < 0.1) return "<0.1 %";
    if (share > 99.9) return ">99.9 %";
    std::snprintf(text.data(), text.size(), "%.1f %%", share);
    return text.data();
}

TextTable::TextTable(std::vector<std::pair<std::string, Align>> columns)
    : columns_(std::move(columns)) {}

void TextTable::row(std::vector<std::string> cells) {
    CHECK(cells.size() == columns_.size());
    for (std::string& cell : cells) cell = printable(cell);
    rows_.push_back(std::move(cells));
}

std::string TextTable::text() const {
    std::vector<std::size_t> widths;
    for (std::size_t column = 0; column < columns_.size(); ++column) {
        std::size_t width = columns_of(columns_[column].first);
        for (const auto& row : rows_) width = std::max(width, columns_of(row[column]));
        widths.push_back(std::min(width, kColumnMax));
    }
    std::string out;
    const auto line = [&](const auto& cell_at) {
        std::string text;
        for (std::size_t column = 0; column < columns_.size(); ++column) {
            const std::string& cell = cell_at(column);
            if (column > 0) text += "  ";
            text += columns_[column].second == Align::kRight ? fitted_right(cell, widths[column])
                                                             : fitted(cell, widths[column]);
        }
        text.erase(text.find_last_not_of(' ') + 1);
        out.append(text).append("\n");
    };
    line([&](std::size_t column) -> const std::string& { return columns_[column].first; });
    for (const auto& row : rows_)
        line([&](std::size_t column) -> const std::string& { return row[column]; });
    return out;
}

}  // namespace posthorn
