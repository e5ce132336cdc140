#include "tools/posthorn/printer.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "tools/posthorn/csv.h"
#include "tools/posthorn/json_fields.h"
#include "tools/posthorn/terminal_text.h"

namespace posthorn {

namespace {

// A field as a cell: text as it is, numbers in digits, null as nothing.
std::string cell(const nlohmann::json& row, std::string_view key) {
    const auto at = row.find(std::string(key));
    if (at == row.end() || at->is_null()) return "";
    if (at->is_string()) return at->get<std::string>();
    return json_line(*at);
}

using Columns = std::vector<std::string_view>;

const Columns kRecipientColumns = {"email",         "outcome",   "category", "code",
                                   "enhanced_code", "reply",     "stage",    "attempts",
                                   "first_time",    "last_time", "mx_host",  "source"};
const Columns kEventColumns = {"sequence",      "time",    "type",     "campaign", "email",
                               "before",        "outcome", "category", "attempt",  "code",
                               "enhanced_code", "reply",   "stage",    "mx_host",  "source"};
const Columns kSuppressionColumns = {"email", "reason", "source", "since"};

class CsvPrinter : public Printer {
  public:
    explicit CsvPrinter(const Columns& columns) : columns_(columns) {}

    void line(const nlohmann::json& answer, TextOutput& output) override {
        heading(output);
        std::vector<std::string> texts;
        for (const std::string_view column : columns_) texts.push_back(cell(answer, column));
        std::vector<std::string_view> cells(texts.begin(), texts.end());
        put(cells, output);
    }
    void end(TextOutput& output) override { heading(output); }

  private:
    void heading(TextOutput& output) {
        if (!headed_) put(columns_, output);
        headed_ = true;
    }
    void put(std::span<const std::string_view> cells, TextOutput& output) {
        row_.clear();
        append_csv_row(row_, cells);
        output.write(row_);
    }

    const Columns& columns_;
    std::string row_;
    bool headed_ = false;
};

std::string category_words(const nlohmann::json& row) {
    const std::string category = cell(row, "category");
    return category.empty() ? "" : " (" + category + ")";
}

std::string reply_words(const nlohmann::json& row) {
    std::string words = cell(row, "code");
    for (const char* key : {"enhanced_code", "reply"})
        if (const std::string more = cell(row, key); !more.empty())
            words += (words.empty() ? "" : " ") + more;
    return words;
}

// One line of text per line of JSON: lists may be long, so nothing waits for the last row.
class LinePrinter : public Printer {
  public:
    using Format = std::string (*)(const nlohmann::json&);
    explicit LinePrinter(Format format) : format_(format) {}

    void line(const nlohmann::json& answer, TextOutput& output) override {
        output.write(printable(format_(answer)) + "\n");
    }

  private:
    Format format_;
};

std::string recipient_line(const nlohmann::json& row) {
    std::string line = cell(row, "email") + "  " + cell(row, "outcome") + category_words(row);
    if (const std::string words = reply_words(row); !words.empty()) line += "  " + words;
    const std::uint64_t attempts = count_field(row, "attempts");
    if (attempts > 1) line += "  [" + std::to_string(attempts) + " attempts]";
    if (const std::string next = cell(row, "next_time"); !next.empty()) line += "  next " + next;
    return line;
}

std::string event_line(const nlohmann::json& row) {
    std::string line = cell(row, "time") + "  " + cell(row, "campaign") + "  " +
                       cell(row, "email") + "  " + cell(row, "outcome") + category_words(row);
    if (const std::string attempt = cell(row, "attempt"); attempt != "0")
        line += "  attempt " + attempt;
    if (const std::string words = reply_words(row); !words.empty()) line += "  " + words;
    return line;
}

std::string suppression_line(const nlohmann::json& row) {
    std::string line = cell(row, "email") + "  " + cell(row, "reason") + "  " +
                       cell(row, "source") + "  since " + cell(row, "since");
    return true_field(row, "quarantined") ? line + "  (quarantined)" : line;
}

std::string tls_results_line(const nlohmann::json& row) {
    std::string line = cell(row, "day") + "  " + cell(row, "domain") + "  " + cell(row, "policy");
    for (const auto& [result, count] : object_field(row, "results").items())
        line += "  " + result + " " + json_line(count);
    return line;
}

// What a command that changes something says of it.
std::string message_line(const nlohmann::json& answer) { return text_field(answer, "message"); }

class TextPrinter : public Printer {
  public:
    using Format = std::string (*)(const nlohmann::json&);
    explicit TextPrinter(Format format) : format_(format) {}
    void line(const nlohmann::json& answer, TextOutput& output) override {
        output.write(format_(answer));
    }

  private:
    Format format_;
};

}  // namespace

std::unique_ptr<Printer> printer_for(const std::string& command, const std::string& action,
                                     bool csv) {
    const auto rows = [csv](const Columns& columns,
                            LinePrinter::Format format) -> std::unique_ptr<Printer> {
        if (csv) return std::make_unique<CsvPrinter>(columns);
        return std::make_unique<LinePrinter>(format);
    };
    if (command == "recipients") return rows(kRecipientColumns, recipient_line);
    if (command == "events") return rows(kEventColumns, event_line);
    if (command == "tls-results") return std::make_unique<LinePrinter>(tls_results_line);
    if (command == "suppress" && action == "list")
        return rows(kSuppressionColumns, suppression_line);
    if (command == "suppress" && action == "export")
        return std::make_unique<CsvPrinter>(kSuppressionColumns);
    if (command == "report") return std::make_unique<TextPrinter>(report_text);
    if (command == "status") return std::make_unique<TextPrinter>(status_text);
    if (command == "trace") return std::make_unique<TextPrinter>(trace_text);
    if (command == "explain") return std::make_unique<TextPrinter>(explain_text);
    return std::make_unique<LinePrinter>(message_line);
}

}  // namespace posthorn
