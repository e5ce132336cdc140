#include "campaigns/csv_reader.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <nlohmann/json.hpp>

#include "campaigns/own_headers.h"
#include "engine/base/ascii.h"
#include "engine/mail/utf8.h"

namespace posthorn {

namespace {

constexpr std::array<char, 4> kDelimiters = {',', ';', '\t', '|'};
constexpr std::string_view kJsonSuffix = ":json";

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

// Of the first line, what stands in quotes left out; a comma where there is none.
char sniff_delimiter(std::string_view window) {
    std::array<std::size_t, kDelimiters.size()> counts{};
    bool in_quotes = false;
    for (const char c : window) {
        if (c == '"') in_quotes = !in_quotes;
        if (in_quotes) continue;
        if (c == '\n') break;
        for (std::size_t i = 0; i < kDelimiters.size(); ++i)
            if (c == kDelimiters[i]) ++counts[i];
    }
    const auto most = std::max_element(counts.begin(), counts.end());
    return kDelimiters[static_cast<std::size_t>(most - counts.begin())];
}

std::size_t find(std::string_view text, char wanted, std::size_t from) {
    if (from >= text.size()) return std::string_view::npos;
    const void* const at = std::memchr(text.data() + from, wanted, text.size() - from);
    return at == nullptr ? std::string_view::npos
                         : static_cast<std::size_t>(static_cast<const char*>(at) - text.data());
}

}  // namespace

CsvReader::CsvReader(std::unique_ptr<ListInput> input, std::string file, char delimiter)
    : ListReader(std::move(input), std::move(file)), delimiter_(delimiter) {}

OpenedList CsvReader::open(std::unique_ptr<ListInput> input, std::string file,
                           const ListColumns& wanted, char delimiter) {
    std::unique_ptr<CsvReader> reader(new CsvReader(std::move(input), std::move(file), delimiter));
    if (reader->read_header(wanted) == Step::kFault) return {nullptr, reader->fault()};
    return {std::move(reader), {}};
}

ListReader::Step CsvReader::read_header(const ListColumns& wanted) {
    // A header may fill many blocks; the first is enough to find out the delimiter.
    if (!input_->at_end() && !fill()) return Step::kFault;
    const std::string_view window = input_->window();
    if (window.starts_with("\xFF\xFE") || window.starts_with("\xFE\xFF"))
        return fail(CampaignErrorCode::kListSyntax, "the list is in UTF-16", "save it as UTF-8", 1);
    if (window.starts_with("\xEF\xBB\xBF")) input_->consume(3);
    if (delimiter_ == 0) delimiter_ = sniff_delimiter(input_->window());
    const std::string_view start = input_->window();
    if (wanted.header_optional) {
        const std::size_t end = start.find_first_of("\r\n\",;|\t");
        if (start.substr(0, end).find('@') != std::string_view::npos) {
            columns_of_file_ = {{Role::kEmail, 0}};
            return Step::kRow;
        }
    }
    const Step step = next_fields();
    if (step == Step::kFault) return step;
    if (step == Step::kEnd)
        return fail(CampaignErrorCode::kListColumns, "the list is empty",
                    "its first row names the columns: email,first_name", 1);
    if (!row_fault_.empty())
        return fail(CampaignErrorCode::kListSyntax,
                    "the header row cannot be read: " + std::string(row_fault_), "", row_line_);
    return assign_columns(wanted);
}

ListReader::Step CsvReader::assign_columns(const ListColumns& wanted) {
    if (fields_.size() > kMaxListColumns)
        return fail(CampaignErrorCode::kListColumns, "the list has over 1000 columns", "", 1);
    const auto position_of = [&](const std::string& given, std::string_view usual) {
        const std::string_view name = given.empty() ? usual : std::string_view(given);
        for (std::size_t i = 0; i < fields_.size(); ++i)
            if (trimmed(fields_[i]) == name) return i;
        for (std::size_t i = 0; i < fields_.size(); ++i)
            if (same_letters(trimmed(fields_[i]), name)) return i;
        return fields_.size();
    };
    const std::size_t email = position_of(wanted.email, "email");
    const std::size_t name = position_of(wanted.name, "name");
    if (email == fields_.size()) {
        std::string names;
        for (const std::string_view field : fields_)
            if (names.size() < 200) names += (names.empty() ? "" : ", ") + std::string(field);
        return fail(CampaignErrorCode::kListColumns,
                    "the list has no column `" +
                        (wanted.email.empty() ? std::string("email") : wanted.email) + "`",
                    "it has: " + names + "; name one: \"columns\": {\"email\": \"…\"}", 1);
    }
    if (name == fields_.size() && !wanted.name.empty())
        return fail(CampaignErrorCode::kListColumns, "the list has no column `" + wanted.name + "`",
                    "see `columns`", 1);
    for (std::size_t i = 0; i < fields_.size(); ++i) {
        std::string_view title = trimmed(fields_[i]);
        Column column;
        if (i == email || i == name) {
            column.role = i == email ? Role::kEmail : Role::kName;
        } else if (is_reserved_column(title)) {
            return fail(CampaignErrorCode::kListColumns,
                        "a column's name starts with a control character", "rename it", 1);
        } else if (!title.empty()) {
            const bool json = title.size() > kJsonSuffix.size() && title.ends_with(kJsonSuffix);
            if (json) title.remove_suffix(kJsonSuffix.size());
            column = {json ? Role::kJson : Role::kVariable, columns_.size()};
            const bool doubled = title == trimmed(fields_[email]) ||
                                 (name < fields_.size() && title == trimmed(fields_[name]));
            if (doubled || std::find(columns_.begin(), columns_.end(), title) != columns_.end())
                return fail(CampaignErrorCode::kListColumns,
                            "the list has two columns `" + std::string(title) + "`",
                            "rename or remove one", 1);
            columns_.emplace_back(title);
        }
        columns_of_file_.push_back(column);
    }
    variables_.resize(columns_.size());
    return Step::kRow;
}

ListReader::Step CsvReader::next(ListRow& row) {
    const Step step = next_fields();
    if (step == Step::kRow) fill_row(row);
    return step;
}

// The fields of the next row that is not blank.
ListReader::Step CsvReader::next_fields() {
    row_fault_ = {};
    while (true) {
        const std::string_view window = input_->window();
        const std::size_t line_feed = find(window, '\n', 0);
        const bool whole = line_feed != std::string_view::npos || input_->at_end();
        if (!whole) {
            if (window.size() > kMaxListRowBytes) return row_too_long(window);
            if (!fill()) return Step::kFault;
            continue;
        }
        if (window.empty()) return Step::kEnd;
        std::string_view line = window.substr(0, line_feed);
        std::size_t consumed = line.size() + (line_feed == std::string_view::npos ? 0 : 1);
        if (line.ends_with('\r')) line.remove_suffix(1);
        row_line_ = lines_ + 1;
        if (line.empty()) {
            input_->consume(consumed);
            ++lines_;
            continue;
        }
        if (find(line, '"', 0) == std::string_view::npos) {
            split_plain(line);
            ++lines_;
        } else {
            consumed = 0;
            const Parsed parsed = split_quoted(window, consumed);
            if (parsed != Parsed::kRow && (input_->at_end() || window.size() > kMaxListRowBytes))
                return row_too_long(window);
            if (parsed != Parsed::kRow) {
                if (!fill()) return Step::kFault;
                continue;
            }
            const std::string_view raw = window.substr(0, consumed);
            const auto breaks = std::count(raw.begin(), raw.end(), '\n');
            lines_ += static_cast<std::uint64_t>(breaks) + (raw.ends_with('\n') ? 0u : 1u);
        }
        if (!valid_utf8(window.substr(0, consumed))) row_fault_ = "not UTF-8";
        input_->consume(consumed);
        return Step::kRow;
    }
}

// What has no end within the bound, or within the list.
ListReader::Step CsvReader::row_too_long(std::string_view window) {
    if (find(window, '"', 0) != std::string_view::npos)
        return fail(CampaignErrorCode::kListSyntax, "a quote opened in this row is not closed",
                    "write a quote inside a field as \"\"", lines_ + 1);
    return fail(CampaignErrorCode::kListSyntax, "a row is longer than 1 MiB", "is this a CSV file?",
                lines_ + 1);
}

void CsvReader::split_plain(std::string_view line) {
    fields_.clear();
    std::size_t start = 0;
    while (true) {
        const std::size_t end = find(line, delimiter_, start);
        if (end == std::string_view::npos || fields_.size() > kMaxListColumns) break;
        fields_.push_back(line.substr(start, end - start));
        start = end + 1;
    }
    fields_.push_back(line.substr(start));
}

CsvReader::Parsed CsvReader::split_quoted(std::string_view window, std::size_t& consumed) {
    fields_.clear();
    unescaped_.clear();
    unescaped_.reserve(std::min(window.size(), kMaxListRowBytes + kListBlockBytes));
    std::size_t at = 0;
    while (true) {
        if (at < window.size() && window[at] == '"') {
            const Parsed parsed = quoted_field(window, at);
            if (parsed != Parsed::kRow) return parsed;
        } else {
            std::size_t end = at;
            while (end < window.size() && window[end] != delimiter_ && window[end] != '\n') ++end;
            if (end == window.size() && !input_->at_end()) return Parsed::kMore;
            std::string_view field = window.substr(at, end - at);
            const bool last = end == window.size() || window[end] == '\n';
            if (last && field.ends_with('\r')) field.remove_suffix(1);
            fields_.push_back(field);
            at = end;
        }
        if (at == window.size()) break;
        if (window[at] == '\n') {
            ++at;
            break;
        }
        ++at;  // the delimiter
        if (fields_.size() > kMaxListColumns) row_fault_ = "too many fields";
    }
    consumed = at;
    return Parsed::kRow;
}

// From the opening quote to the delimiter or the end of the row.
CsvReader::Parsed CsvReader::quoted_field(std::string_view window, std::size_t& at) {
    std::size_t start = at + 1;
    const std::size_t unescaped_start = unescaped_.size();
    std::string_view field;
    while (true) {
        const std::size_t quote = find(window, '"', start);
        if (quote == std::string_view::npos) return Parsed::kMore;
        if (quote + 1 == window.size() && !input_->at_end()) return Parsed::kMore;
        if (quote + 1 < window.size() && window[quote + 1] == '"') {
            if (unescaped_.size() + (quote - start) + 1 > unescaped_.capacity())
                return Parsed::kBadQuote;
            unescaped_.append(window.substr(start, quote + 1 - start));
            start = quote + 2;
            continue;
        }
        const std::string_view tail = window.substr(start, quote - start);
        if (unescaped_.size() == unescaped_start) {
            field = tail;
        } else {
            unescaped_.append(tail);
            field = std::string_view(unescaped_).substr(unescaped_start);
        }
        at = quote + 1;
        break;
    }
    fields_.push_back(field);
    std::size_t end = at;
    while (end < window.size() && window[end] != delimiter_ && window[end] != '\n') ++end;
    if (end == window.size() && !input_->at_end()) return Parsed::kMore;
    std::string_view after = window.substr(at, end - at);
    if (after.ends_with('\r')) after.remove_suffix(1);
    if (!trimmed(after).empty()) row_fault_ = "text after a closing quote";
    at = end;
    return Parsed::kRow;
}

void CsvReader::fill_row(ListRow& row) {
    row.number = ++rows_;
    row.line = row_line_;
    row.email = row.name = {};
    std::fill(variables_.begin(), variables_.end(), RowVariable{{}, true});
    for (std::size_t i = 0; i < fields_.size(); ++i) {
        const std::string_view field = fields_[i];
        if (i >= columns_of_file_.size()) {
            if (!field.empty()) row_fault_ = "more fields than the header has";
            break;
        }
        if (field.size() > kMaxListFieldBytes) row_fault_ = "a field is longer than 256 KiB";
        const Column column = columns_of_file_[i];
        switch (column.role) {
            case Role::kEmail:
                row.email = field;
                break;
            case Role::kName:
                row.name = field;
                break;
            case Role::kVariable:
                variables_[column.variable] = {field, false};
                break;
            case Role::kJson:
                if (field.empty()) break;
                if (!nlohmann::json::accept(field)) row_fault_ = "a JSON column does not hold JSON";
                variables_[column.variable] = {field, true};
                break;
            case Role::kIgnored:
                break;
        }
    }
    row.variables = variables_;
    row.fault = row_fault_;
}

}  // namespace posthorn
