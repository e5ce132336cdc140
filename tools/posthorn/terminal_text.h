// Text for people: nothing that came from elsewhere (replies, lists, file names) may drive their
// terminal, and columns line up in characters, not bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace posthorn {

// Control characters (C0, DEL, C1), bidirectional overrides and bytes that are not UTF-8 become
// \xNN or \uNNNN; everything else stays.
std::string printable(std::string_view text);

// Columns that a terminal uses for printable text: wide East Asian and emoji characters count two,
// combining marks none.
std::size_t columns_of(std::string_view text);

// Cut to at most so many columns, with an ellipsis when something was cut; filled with blanks.
std::string fitted(std::string_view text, std::size_t columns);        // to the left
std::string fitted_right(std::string_view text, std::size_t columns);  // blanks first

// "1h 02m", "3m 05s", "12.3 s": for eyes.
std::string duration_words(double seconds);

// "0.4 %", "97 %", "100 %"; never rounds up to 100 or down to 0.
std::string percent(std::uint64_t part, std::uint64_t whole);

// Rows under a heading; each column as wide as its widest cell, at most column_max.
class TextTable {
  public:
    enum class Align : std::uint8_t { kLeft, kRight };

    explicit TextTable(std::vector<std::pair<std::string, Align>> columns);

    void row(std::vector<std::string> cells);  // as many as columns; made printable here
    std::string text() const;
    std::size_t rows() const { return rows_.size(); }

  private:
    static constexpr std::size_t kColumnMax = 100;

    std::vector<std::pair<std::string, Align>> columns_;
    std::vector<std::vector<std::string>> rows_;
};

}  // namespace posthorn
