// Rows that lack a value which their message needs, found while a list is read and before anything
// is sent: with template.missing "error" such a campaign does not start.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "campaigns/audience_intake.h"
#include "campaigns/message.h"

namespace posthorn {

inline constexpr std::size_t kMissingRowsShown = 20;

// A sink in front of another that looks at every row that passes.
class MissingValues final : public AudienceSink {
  public:
    // Compiles the campaign for the columns known so far; asked again when there are more.
    using Compile = std::function<CompiledContent(const std::vector<std::string>& columns)>;
    using Columns = std::function<const std::vector<std::string>&()>;

    MissingValues(AudienceSink& next, Columns columns, Compile compile)
        : next_(next), columns_(std::move(columns)), compile_(std::move(compile)) {}

    Status add(std::string_view domain, std::string_view local, std::string_view row,
               std::uint64_t row_number) override;
    Status add_ranked(std::string_view domain, std::string_view local, std::string_view row,
                      std::uint64_t row_number, std::uint64_t rank) override;

    std::uint64_t rows() const { return rows_; }  // that lack something

    // The first of them, and how many more there are.
    std::vector<CampaignError> errors() const;

  private:
    void look_at(std::string_view domain, std::string_view local, std::string_view row,
                 std::uint64_t row_number);
    void recompile();
    void note(std::uint64_t row_number, const std::string& what);

    AudienceSink& next_;
    Columns columns_;
    Compile compile_;
    bool compiled_ = false;
    std::size_t columns_compiled_ = 0;
    std::shared_ptr<const MessageRenderer> renderer_;
    std::string problem_;  // why there is no renderer
    std::string key_;
    std::uint64_t rows_ = 0;
    std::vector<CampaignError> errors_;
};

}  // namespace posthorn
