// Any bytes on their way to a person: nothing may drive a terminal or a spreadsheet, and widths
// hold.
#include <array>
#include <string>

#include "engine/base/check.h"
#include "engine/mail/utf8.h"
#include "tools/posthorn/csv.h"
#include "tools/posthorn/terminal_text.h"

namespace posthorn {
namespace {

void check_harmless(std::string_view text) {
    while (!text.empty()) {
        const CodePoint point = take_code_point(text);
        CHECK(point.valid && point.value >= 0x20);
        CHECK(point.value < 0x7f || point.value > 0x9f);
        CHECK(point.value < 0x202a || point.value > 0x202e);
        CHECK(point.value < 0x2066 || point.value > 0x2069);
    }
}

void fuzz(std::string_view text) {
    const std::string harmless = printable(text);
    check_harmless(harmless);
    for (const std::size_t columns : {1u, 5u, 40u}) {
        CHECK(columns_of(fitted(harmless, columns)) == columns);
        CHECK(columns_of(fitted_right(harmless, columns)) == columns);
    }
    TextTable table({{"a", TextTable::Align::kLeft}, {"b", TextTable::Align::kRight}});
    table.row({std::string(text), "1"});
    CHECK(table.rows() == 1 && table.text().size() <= 40 * (text.size() + 10));

    std::string csv;
    append_csv_row(csv, std::array<std::string_view, 2>{text, "x"});
    CHECK(csv.ends_with(",x\r\n") && csv.find('\0') == std::string::npos);
    const char first = csv.front() == '"' ? csv[1] : csv.front();
    const bool number = text.find_first_not_of("-.0123456789") == std::string_view::npos;
    CHECK(number || (first != '=' && first != '+' && first != '-' && first != '@'));
}

}  // namespace
}  // namespace posthorn

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    posthorn::fuzz(std::string_view(reinterpret_cast<const char*>(bytes), size));
    return 0;
}
