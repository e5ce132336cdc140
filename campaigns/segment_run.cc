// Asks a program about one recipient after the other. Allocates nothing once its buffers have
// grown.
#include <algorithm>

#include "campaigns/nearest_name.h"
#include "campaigns/segment_program.h"
#include "campaigns/segment_value.h"
#include "engine/base/ascii.h"
#include "engine/base/hash.h"

namespace posthorn {

namespace {

using OperandKind = SegmentOperand::Kind;
using ValueKind = SegmentValue::Kind;

constexpr std::string_view kTagSeparators = ",;|";
constexpr std::string_view kTagsColumn = "tags";

re2::StringPiece piece_of(std::string_view text) { return {text.data(), text.size()}; }

void append_lower(std::string& out, std::string_view text) {
    for (const char c : text) out.push_back(ascii_lower(c));
}

}  // namespace

class SegmentFilter::Run {
  public:
    Run(const SegmentProgram& program, WallTime now, const std::vector<TemplateConstant>* constants,
        SegmentHistory* history)
        : program_(program), now_(now), constants_(constants), history_(history) {}

    // Looks the fields up anew when columns have been added.
    void bind(const std::vector<std::string>& columns) {
        if (bound_ && columns.size() == bound_columns_) return;
        bound_ = true;
        bound_columns_ = columns.size();
        bindings_.clear();
        for (const SegmentField& field : program_.fields)
            bindings_.push_back(bound(field, columns));
        tags_ = bound({{std::string(kTagsColumn)}, 0}, columns);
    }

    bool is_bound(std::size_t field) const {
        return bindings_[field].column || bindings_[field].constant != nullptr;
    }

    Result<bool> ask(const SegmentRecipient& recipient) {
        recipient_ = &recipient;
        email_known_ = false;
        failure_.reset();
        const bool matches = holds(program_.nodes[program_.root]);
        if (failure_) return *std::move(failure_);
        return matches;
    }

  private:
    struct Binding {
        std::optional<std::size_t> column;
        const TemplateConstant* constant = nullptr;
        std::vector<std::string> members;  // of the value, outermost first
    };

    // A column may be called "a.b", so that the longest name counts.
    Binding bound(const SegmentField& field, const std::vector<std::string>& columns) const {
        for (std::size_t parts = field.path.size(); parts > 0; --parts) {
            std::string name = field.path.front();
            for (std::size_t i = 1; i < parts; ++i) name += "." + field.path[i];
            Binding binding;
            const auto column = std::find(columns.begin(), columns.end(), name);
            if (column != columns.end())
                binding.column = static_cast<std::size_t>(column - columns.begin());
            for (std::size_t i = 0; constants_ != nullptr && i < constants_->size(); ++i)
                if ((*constants_)[i].name == name) binding.constant = &(*constants_)[i];
            if (!binding.column && binding.constant == nullptr) continue;
            binding.members.assign(field.path.begin() + static_cast<std::ptrdiff_t>(parts),
                                   field.path.end());
            return binding;
        }
        return {};
    }

    RowVariable variable(const Binding& binding) const {
        RowVariable value{{}, true};
        if (binding.column && *binding.column < recipient_->variables.size())
            value = recipient_->variables[*binding.column];
        if (value.missing() && binding.constant != nullptr)
            value = {binding.constant->value, binding.constant->is_json};
        for (const std::string& member : binding.members) value = member_of(value, member);
        return value;
    }

    SegmentValue value_of(const SegmentOperand& operand, std::string& scratch) {
        switch (operand.kind) {
            case OperandKind::kText:
                return SegmentValue::of_text(operand.text);
            case OperandKind::kNumber:
                return SegmentValue::of_number(operand.number, operand.text);
            case OperandKind::kTruth:
                return SegmentValue::of_truth(operand.number != 0);
            case OperandKind::kNow:
                return SegmentValue::of_time(now_);
            case OperandKind::kDaysAgo:
                return SegmentValue::of_time(
                    now_ - std::chrono::duration_cast<Duration>(
                               std::chrono::duration<double>(operand.number * 86'400)));
            case OperandKind::kEmail:
                return SegmentValue::of_text(email());
            case OperandKind::kDomain:
                return SegmentValue::of_text(recipient_->address.domain);
            case OperandKind::kName:
                return recipient_->name.empty() ? SegmentValue::null()
                                                : SegmentValue::of_text(recipient_->name);
            case OperandKind::kTags:
                return SegmentValue::of_variable(variable(tags_), scratch);
            case OperandKind::kVariable:
                return SegmentValue::of_variable(variable(bindings_[operand.index]), scratch);
            case OperandKind::kNull:
            case OperandKind::kList:
                break;
        }
        return SegmentValue::null();
    }

    std::string_view email() {
        if (!email_known_) {
            email_.clear();
            append_lower(email_, recipient_->address.local);
            email_.push_back('@');
            email_.append(recipient_->address.domain);
            email_known_ = true;
        }
        return email_;
    }

    bool holds(const SegmentNode& node) {
        switch (node.op) {
            case SegmentOp::kAnd:
                return std::all_of(node.children.begin(), node.children.end(),
                                   [this](auto child) { return holds(program_.nodes[child]); });
            case SegmentOp::kOr:
                return std::any_of(node.children.begin(), node.children.end(),
                                   [this](auto child) { return holds(program_.nodes[child]); });
            case SegmentOp::kNot:
                return !holds(program_.nodes[node.children.front()]);
            case SegmentOp::kTruth:
                if (node.left.kind == OperandKind::kTruth) return node.left.number != 0;
                return is_true(variable(bindings_[node.left.index]));
            case SegmentOp::kExists:
                return value_of(node.left, left_).kind != ValueKind::kNull;
            case SegmentOp::kEmpty:
                return is_empty(value_of(node.left, left_));
            case SegmentOp::kSent:
            case SegmentOp::kBounced:
                return was(node);
            case SegmentOp::kBucket:
                return hash64(email(), node.salt) % node.of == node.part % node.of;
            default:
                return compares(node);
        }
    }

    bool compares(const SegmentNode& node) {
        const SegmentValue left = value_of(node.left, left_);
        switch (node.op) {
            case SegmentOp::kIn:
                return is_in(left, node.right);
            case SegmentOp::kMatches:
                return is_text(left) &&
                       re2::RE2::PartialMatch(piece_of(left.text), *program_.patterns[node.index]);
            case SegmentOp::kContains:
                if (has_elements(node.left, left))
                    return any_element(node.left, left, value_of(node.right, right_));
                return texts(left, node.right, [](std::string_view a, std::string_view b) {
                    return a.find(b) != std::string_view::npos;
                });
            case SegmentOp::kStartsWith:
                return texts(left, node.right, [](std::string_view a, std::string_view b) {
                    return a.starts_with(b);
                });
            case SegmentOp::kEndsWith:
                return texts(left, node.right,
                             [](std::string_view a, std::string_view b) { return a.ends_with(b); });
            default:
                return in_order(node.op, left, value_of(node.right, right_));
        }
    }

    static bool in_order(SegmentOp op, const SegmentValue& left, const SegmentValue& right) {
        if (op == SegmentOp::kEqual) return equal(left, right);
        if (op == SegmentOp::kNotEqual) return !equal(left, right);
        const auto order = ordered(left, right);
        if (!order) return false;
        if (op == SegmentOp::kLess) return *order < 0;
        if (op == SegmentOp::kLessEqual) return *order <= 0;
        if (op == SegmentOp::kGreater) return *order > 0;
        return *order >= 0;
    }

    static bool is_text(const SegmentValue& value) {
        return value.kind == ValueKind::kText || value.kind == ValueKind::kNumber;
    }

    template <class Test>
    bool texts(const SegmentValue& left, const SegmentOperand& operand, const Test& test) {
        const SegmentValue right = value_of(operand, right_);
        return is_text(left) && is_text(right) && test(left.text, right.text);
    }

    static bool is_empty(const SegmentValue& value) {
        if (value.kind == ValueKind::kNull) return true;
        if (value.kind == ValueKind::kText) return value.text.empty();
        if (value.kind != ValueKind::kJson) return false;
        const std::string_view inside = value.text.substr(1, value.text.size() - 2);
        return inside.find_first_not_of(" \t\r\n") == std::string_view::npos;
    }

    static bool has_elements(const SegmentOperand& operand, const SegmentValue& value) {
        return operand.kind == OperandKind::kTags ||
               (value.kind == ValueKind::kJson && value.text.starts_with('['));
    }

    // Whether an element of a list in a row, or a tag, is the value.
    bool any_element(const SegmentOperand& operand, const SegmentValue& list,
                     const SegmentValue& wanted) {
        if (list.kind == ValueKind::kJson) {
            ListElements elements({list.text, true});
            RowVariable element;
            while (elements.next(element))
                if (equal(SegmentValue::of_variable(element, element_), wanted)) return true;
            return false;
        }
        if (operand.kind != OperandKind::kTags || list.kind == ValueKind::kNull) return false;
        std::string_view rest = list.text;
        while (!rest.empty()) {
            const std::size_t end = std::min(rest.find_first_of(kTagSeparators), rest.size());
            std::string_view tag = rest.substr(0, end);
            rest.remove_prefix(std::min(end + 1, rest.size()));
            while (tag.starts_with(' ')) tag.remove_prefix(1);
            while (tag.ends_with(' ')) tag.remove_suffix(1);
            if (is_text(wanted) && tag == wanted.text) return true;
        }
        return false;
    }

    bool is_in(const SegmentValue& left, const SegmentOperand& right) {
        if (right.kind != OperandKind::kList) {
            const SegmentValue list = value_of(right, right_);
            return has_elements(right, list) && any_element(right, list, left);
        }
        const SegmentList& list = program_.lists[right.index];
        if (list.only_texts && left.kind == ValueKind::kText)
            return std::binary_search(list.texts.begin(), list.texts.end(), left.text);
        return std::any_of(list.values.begin(), list.values.end(),
                           [&](const auto& value) { return equal(left, value_of(value, right_)); });
    }

    bool was(const SegmentNode& node) {
        if (history_ == nullptr || failure_) return false;
        const auto outcome =
            history_->outcome(program_.past_campaigns[node.index].id, recipient_->address);
        if (!outcome) {
            failure_ = outcome.error();
            return false;
        }
        return *outcome ==
               (node.op == SegmentOp::kSent ? PastOutcome::kSent : PastOutcome::kBounced);
    }

    const SegmentProgram& program_;
    WallTime now_;
    const std::vector<TemplateConstant>* constants_;
    SegmentHistory* history_;
    bool bound_ = false;
    std::size_t bound_columns_ = 0;
    std::vector<Binding> bindings_;  // by field
    Binding tags_;
    const SegmentRecipient* recipient_ = nullptr;
    std::string email_, left_, right_, element_;  // of the recipient being asked about
    bool email_known_ = false;
    std::optional<Error> failure_;
};

SegmentFilter::SegmentFilter(Segment segment, WallTime now,
                             const std::vector<TemplateConstant>* constants,
                             SegmentHistory* history)
    : segment_(std::move(segment)),
      run_(std::make_unique<Run>(segment_.program(), now, constants, history)) {}

SegmentFilter::~SegmentFilter() = default;

Result<bool> SegmentFilter::matches(const SegmentRecipient& recipient,
                                    const std::vector<std::string>& columns) {
    run_->bind(columns);
    return run_->ask(recipient);
}

std::vector<SegmentField> SegmentFilter::unknown(const std::vector<std::string>& columns) {
    run_->bind(columns);
    std::vector<SegmentField> out;
    for (std::size_t i = 0; i < segment_.fields().size(); ++i)
        if (!run_->is_bound(i)) out.push_back(segment_.fields()[i]);
    return out;
}

std::string segment_field_hint(const SegmentField& field, const std::vector<std::string>& columns,
                               const std::vector<TemplateConstant>& constants) {
    constexpr std::size_t kNamesShown = 12;
    std::vector<std::string_view> known(columns.begin(), columns.end());
    for (const TemplateConstant& constant : constants) known.push_back(constant.name);
    const std::string_view near = nearest_name(field.name().substr(5), known);
    if (!near.empty()) return "did you mean `vars." + std::string(near) + "`?";
    std::string hint = known.empty() ? "the list has no variables" : "known:";
    for (std::size_t i = 0; i < known.size() && i < kNamesShown; ++i)
        hint += " vars." + std::string(known[i]);
    return hint;
}

}  // namespace posthorn
