#include "campaigns/ndjson_reader.h"

#include <algorithm>

#include "campaigns/ndjson_scan.h"
#include "campaigns/own_headers.h"
#include "engine/mail/utf8.h"

namespace posthorn {

NdjsonReader::NdjsonReader(std::unique_ptr<ListInput> input, std::string file,
                           const ListColumns& wanted)
    : ListReader(std::move(input), std::move(file)),
      email_(wanted.email.empty() ? "email" : wanted.email),
      name_(wanted.name.empty() ? "name" : wanted.name) {}

void NdjsonReader::columns_restored() {
    for (std::size_t i = 0; i < columns_.size(); ++i) positions_.emplace(columns_[i], i);
}

ListReader::Step NdjsonReader::next(ListRow& row) {
    while (true) {
        const std::string_view window = input_->window();
        const std::size_t line_feed = window.find('\n');
        if (line_feed == std::string_view::npos && !input_->at_end()) {
            if (window.size() > kMaxListRowBytes)
                return fail(CampaignErrorCode::kListSyntax, "a line is longer than 1 MiB",
                            "NDJSON holds one object a line", lines_ + 1);
            if (!fill()) return Step::kFault;
            continue;
        }
        if (window.empty()) return Step::kEnd;
        std::string_view line = window.substr(0, line_feed);
        input_->consume(line.size() + (line_feed == std::string_view::npos ? 0 : 1));
        ++lines_;
        if (lines_ == 1 && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
        if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
        row.number = ++rows_;
        row.line = lines_;
        read_row(line, row);
        return Step::kRow;
    }
}

void NdjsonReader::read_row(std::string_view line, ListRow& row) {
    row.email = row.name = {};
    row_fault_ = {};
    expected_ = 0;
    unescaped_.clear();
    unescaped_.reserve(line.size());  // decoding never grows: views into it stay good
    variables_.assign(columns_.size(), RowVariable{{}, true});
    seen_.assign(columns_.size(), false);
    if (!valid_utf8(line)) {
        row_fault_ = "not UTF-8";
    } else {
        NdjsonScan scan(line);
        if (scan.enter_object()) read_members(scan, row, false);
        if (scan.failed() || !scan.at_end())
            if (row_fault_.empty()) row_fault_ = "not a JSON object";
    }
    row.variables = variables_;
    row.fault = row_fault_;
}

void NdjsonReader::read_members(NdjsonScan& scan, ListRow& row, bool in_vars) {
    std::string_view key;
    while (scan.next_member(key)) {
        if (key.find('\\') != std::string_view::npos) key = decoded(key);
        if (!in_vars && key == email_) {
            row.email = read_text(scan);
        } else if (!in_vars && key == name_) {
            row.name = read_text(scan);
        } else if (!in_vars && key == "vars" && scan.peek() == '{') {
            if (scan.enter_object()) read_members(scan, row, true);
        } else {
            // Of inline recipients alone, and not from among their variables.
            if (is_reserved_column(key) && (in_vars || !file_.empty()))
                row_fault_ = "a key starts with a control character";
            read_variable(scan, key);
        }
    }
}

std::string_view NdjsonReader::read_text(NdjsonScan& scan) {
    const bool null = scan.peek() == 'n';
    const std::string_view value = scan.value();
    if (null || scan.failed()) return {};
    if (value.front() != '"') {
        row_fault_ = "the address or name is not a string";
        return {};
    }
    const std::string_view inside = value.substr(1, value.size() - 2);
    return inside.find('\\') == std::string_view::npos ? inside : decoded(inside);
}

void NdjsonReader::read_variable(NdjsonScan& scan, std::string_view key) {
    const std::size_t column = column_of(key);
    std::string_view value = scan.value();
    if (scan.failed() || column >= variables_.size()) return;
    if (seen_[column]) row_fault_ = "a key is given twice";
    seen_[column] = true;
    if (value.size() > kMaxListFieldBytes) row_fault_ = "a field is longer than 256 KiB";
    if (value == "null") return;
    if (value.front() != '"') {
        variables_[column] = {value, true};
        return;
    }
    value = value.substr(1, value.size() - 2);
    if (value.find('\\') != std::string_view::npos) value = decoded(value);
    variables_[column] = {value, false};
}

std::string_view NdjsonReader::decoded(std::string_view inside) {
    const std::size_t start = unescaped_.size();
    if (!append_unescaped(unescaped_, inside)) row_fault_ = "half of a surrogate pair stands alone";
    return std::string_view(unescaped_).substr(start);
}

// Rows of one list mostly have the same keys in the same order.
std::size_t NdjsonReader::column_of(std::string_view name) {
    if (expected_ < columns_.size() && columns_[expected_] == name) return expected_++;
    const auto known = positions_.find(name);
    if (known != positions_.end()) {
        expected_ = known->second + 1;
        return known->second;
    }
    if (name.empty() || columns_.size() >= kMaxListColumns) {
        row_fault_ = name.empty() ? "a key is empty" : "the list has over 1000 different keys";
        return kMaxListColumns;
    }
    positions_.emplace(std::string(name), columns_.size());
    columns_.emplace_back(name);
    variables_.push_back({{}, true});
    seen_.push_back(false);
    expected_ = columns_.size();
    return columns_.size() - 1;
}

}  // namespace posthorn
