// Lists in NDJSON: one object a line, with the address, the name, and variables beside them or in
// an object `vars`. Columns are the keys in the order in which they are first met.
#pragma once

#include <unordered_map>

#include "campaigns/csv_reader.h"
#include "campaigns/list_reader.h"

namespace posthorn {

class NdjsonScan;

class NdjsonReader final : public ListReader {
  public:
    NdjsonReader(std::unique_ptr<ListInput> input, std::string file, const ListColumns& wanted);

    Step next(ListRow& row) override;

  private:
    struct TextHash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>()(text);
        }
    };

    void columns_restored() override;
    void read_row(std::string_view line, ListRow& row);
    void read_members(NdjsonScan& scan, ListRow& row, bool in_vars);
    void read_variable(NdjsonScan& scan, std::string_view key);
    std::string_view read_text(NdjsonScan& scan);
    std::string_view decoded(std::string_view inside);
    std::size_t column_of(std::string_view name);

    const std::string email_, name_;
    std::vector<RowVariable> variables_;
    std::vector<bool> seen_;
    std::unordered_map<std::string, std::size_t, TextHash, std::equal_to<>> positions_;
    std::size_t expected_ = 0;  // position that the next key most likely has
    std::string unescaped_;     // strings with escapes, of the row being read
    std::string_view row_fault_;
};

}  // namespace posthorn
