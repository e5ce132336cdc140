#include "campaigns/missing_values.h"

#include "engine/queue/keys.h"

namespace posthorn {

Status MissingValues::add(std::string_view domain, std::string_view local, std::string_view row,
                          std::uint64_t row_number) {
    look_at(domain, local, row, row_number);
    return next_.add(domain, local, row, row_number);
}

Status MissingValues::add_ranked(std::string_view domain, std::string_view local,
                                 std::string_view row, std::uint64_t row_number,
                                 std::uint64_t rank) {
    look_at(domain, local, row, row_number);
    return next_.add_ranked(domain, local, row, row_number, rank);
}

void MissingValues::look_at(std::string_view domain, std::string_view local, std::string_view row,
                            std::uint64_t row_number) {
    if (!compiled_ || columns_().size() != columns_compiled_) recompile();
    if (renderer_ != nullptr) {
        key_ = audience_key({1, std::string(domain)}, local_key(local));
        const Status status = renderer_->complete({key_, row, {}, {}});
        if (!status) note(row_number, status.error().message);
    } else if (!problem_.empty()) {
        note(row_number, problem_);
    }
}

// What no row has had so far is no variable yet; this row lacks it.
void MissingValues::recompile() {
    compiled_ = true;
    columns_compiled_ = columns_().size();
    CompiledContent content = compile_(columns_());
    renderer_ = std::move(content.renderer);
    problem_.clear();
    for (const CampaignError& problem : content.problems)
        if (problem.code == CampaignErrorCode::kTemplateUnknownVar &&
            problem.severity == Severity::kError && problem_.empty())
            problem_ = problem.message;
}

void MissingValues::note(std::uint64_t row_number, const std::string& what) {
    if (++rows_ > kMissingRowsShown) return;
    CampaignError error;
    error.path = "/recipients";
    error.code = CampaignErrorCode::kTemplateUnknownVar;
    error.message = "row " + std::to_string(row_number) + ": " + what;
    error.hint = "give the row a value, use the filter default, or set template.missing";
    errors_.push_back(std::move(error));
}

std::vector<CampaignError> MissingValues::errors() const {
    std::vector<CampaignError> errors = errors_;
    if (rows_ > kMissingRowsShown)
        errors.back().message +=
            " (and " + std::to_string(rows_ - kMissingRowsShown) + " more rows)";
    return errors;
}

}  // namespace posthorn
