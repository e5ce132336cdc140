// Lists in CSV: RFC 4180 quoting (line breaks in quotes too), UTF-8 with or without BOM, CRLF or
// LF, a header row, and a delimiter that is found out. Blank lines are no rows.
#pragma once

#include "campaigns/list_reader.h"

namespace posthorn {

// Which columns hold address and name.
struct ListColumns {
    std::string email;             // empty: the one named email, in any case
    std::string name;              // empty: the one named name, if any
    bool header_optional = false;  // a first row that is an address is one
};

class CsvReader final : public ListReader {
  public:
    // Reads the header. delimiter 0: , ; tab or |, whichever the header holds most of.
    static OpenedList open(std::unique_ptr<ListInput> input, std::string file,
                           const ListColumns& wanted, char delimiter);

    Step next(ListRow& row) override;

  private:
    enum class Role : std::uint8_t { kVariable, kJson, kEmail, kName, kIgnored };
    struct Column {
        Role role = Role::kIgnored;
        std::size_t variable = 0;
    };
    enum class Parsed : std::uint8_t { kRow, kMore, kBadQuote };

    CsvReader(std::unique_ptr<ListInput> input, std::string file, char delimiter);

    Step read_header(const ListColumns& wanted);
    Step assign_columns(const ListColumns& wanted);
    Step next_fields();
    Step row_too_long(std::string_view window);
    void split_plain(std::string_view line);
    Parsed split_quoted(std::string_view window, std::size_t& consumed);
    Parsed quoted_field(std::string_view window, std::size_t& at);
    void fill_row(ListRow& row);

    char delimiter_;
    std::vector<Column> columns_of_file_;
    std::vector<std::string_view> fields_;  // of the row being read
    std::vector<RowVariable> variables_;
    std::string unescaped_;  // fields with doubled quotes, of the row being read
    std::uint64_t row_line_ = 0;
    std::string_view row_fault_;
};

}  // namespace posthorn
