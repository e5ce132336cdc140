// A directory of one test's own, files in it, and lists read whole.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "campaigns/audience_intake.h"
#include "campaigns/list_reader.h"

namespace posthorn {

class ListFixture : public ::testing::Test {
  protected:
    void SetUp() override {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "posthorn-list-XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        directory_ = pattern;
    }
    void TearDown() override { std::filesystem::remove_all(directory_); }

    std::string path(std::string_view name) const { return directory_ + "/" + std::string(name); }

    std::string file(std::string_view name, std::string_view bytes) const {
        std::ofstream(path(name), std::ios::binary) << bytes;
        return path(name);
    }

    static std::string contents(const std::string& path) {
        std::ifstream in(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }

    RecipientList csv(std::string_view bytes) const {
        RecipientList list;
        list.file = file("list.csv", bytes);
        return list;
    }

    RecipientList ndjson(std::string_view bytes) const {
        RecipientList list;
        list.file = file("list.ndjson", bytes);
        list.format = ListFormat::kNdjson;
        return list;
    }

    // "email|name|variable|json:variable|-" for a row, "!reason" for one with a fault.
    static std::string shown(const ListRow& row) {
        if (!row.fault.empty()) return "!" + std::string(row.fault);
        std::string out = std::string(row.email) + "|" + std::string(row.name);
        for (const RowVariable& variable : row.variables) {
            out += variable.missing() ? "|-" : variable.is_json ? "|json:" : "|";
            out += variable.bytes;
        }
        return out;
    }

    // All rows, or the fault that ends them as "code line: message".
    std::vector<std::string> rows(const RecipientList& list) {
        std::vector<std::string> out;
        OpenedList opened = open_list(list);
        if (!opened.reader) return {fault_text(opened.fault)};
        ListRow row;
        ListReader::Step step;
        while ((step = opened.reader->next(row)) == ListReader::Step::kRow)
            out.push_back(shown(row));
        if (step == ListReader::Step::kFault) out.push_back(fault_text(opened.reader->fault()));
        columns_ = opened.reader->columns();
        return out;
    }

    static std::string fault_text(const CampaignError& fault) {
        return std::string(name_of(fault.code)) + " " + std::to_string(fault.line) + ": " +
               fault.message;
    }

    std::string directory_;
    std::vector<std::string> columns_;
};

// Keeps what it is given as "local@domain row-number".
class KeepingSink final : public AudienceSink {
  public:
    Status add(std::string_view domain, std::string_view local, std::string_view row,
               std::uint64_t row_number) override {
        added.push_back(std::string(local) + "@" + std::string(domain) + " " +
                        std::to_string(row_number));
        rows.emplace_back(row);
        return {};
    }

    std::vector<std::string> added;
    std::vector<std::string> rows;
};

}  // namespace posthorn
