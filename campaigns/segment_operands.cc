// Values and functions of a segment.
#include <algorithm>
#include <array>

#include "campaigns/nearest_name.h"
#include "campaigns/segment_parser.h"
#include "engine/base/ascii.h"
#include "engine/base/hash.h"

namespace posthorn {

namespace {

constexpr std::array<std::string_view, 5> kFieldNames = {"email", "domain", "name", "tags", "vars"};
constexpr std::array<std::string_view, 7> kFunctionNames = {"now",  "days_ago", "exists", "empty",
                                                            "sent", "bounced",  "bucket"};
constexpr std::array<std::string_view, 3> kTrackedNames = {"clicked", "opened", "complained"};
constexpr double kDaysMax = 36'500;
constexpr double kPartsMax = 1'000'000;

}  // namespace

bool SegmentParser::list(SegmentOperand& out) {
    SegmentList made;
    while (!is_sign(token(), "]")) {
        const SegmentToken& at = token();
        if (!count_one(at)) return false;
        SegmentOperand value;
        if (!operand(value)) return false;
        if (value.is_field()) return fail(at, "a list holds values, no fields");
        made.values.push_back(std::move(value));
        if (!take_sign(",")) break;
    }
    if (!expect_sign("]", "to close the list")) return false;
    made.only_texts = std::all_of(made.values.begin(), made.values.end(),
                                  [](const auto& v) { return v.kind == OperandKind::kText; });
    if (made.only_texts)
        for (const SegmentOperand& value : made.values) made.texts.push_back(value.text);
    std::sort(made.texts.begin(), made.texts.end());
    out.kind = OperandKind::kList;
    out.index = static_cast<std::uint32_t>(program_->lists.size());
    program_->lists.push_back(std::move(made));
    return true;
}

bool SegmentParser::operand(SegmentOperand& out) {
    const SegmentToken& first = token();
    switch (first.kind) {
        case Kind::kText:
            out.kind = OperandKind::kText;
            out.text = first.text;
            ++at_;
            return true;
        case Kind::kNumber:
            out.kind = OperandKind::kNumber;
            out.number = first.number;
            out.text = first.text;
            ++at_;
            return true;
        case Kind::kName:
            return named_operand(out);
        case Kind::kSign:
            if (first.text == "(") return fail(first, "parentheses hold conditions, not values");
            break;
        case Kind::kEnd:
            break;
    }
    return fail(first, "a value is missing before " + shown(first),
                "a field, 'text', a number, true, false or null");
}

bool SegmentParser::named_operand(SegmentOperand& out) {
    const SegmentToken& first = token();
    const std::string name = ascii_lowered(first.text);
    if (is_sign(following(), "(")) return time_function(name, out);
    if (name == "vars") return variable(out);
    ++at_;
    if (name == "true" || name == "false") {
        out.kind = OperandKind::kTruth;
        out.number = name == "true" ? 1 : 0;
    } else if (name == "null") {
        out.kind = OperandKind::kNull;
    } else if (name == "email") {
        out.kind = OperandKind::kEmail;
    } else if (name == "domain") {
        out.kind = OperandKind::kDomain;
    } else if (name == "name") {
        out.kind = OperandKind::kName;
    } else if (name == "tags") {
        out.kind = OperandKind::kTags;
    } else {
        return unknown_name(first);
    }
    return true;
}

bool SegmentParser::unknown_name(const SegmentToken& name) {
    const std::string_view near = nearest_name(ascii_lowered(name.text), kFieldNames);
    std::string hint = "a column is vars." + name.text + ", text is '" + name.text + "'";
    if (!near.empty()) hint = "did you mean `" + std::string(near) + "`? Or: " + hint;
    return fail(name, "there is no field `" + name.text + "`", std::move(hint),
                CampaignErrorCode::kSegmentUnknownField);
}

bool SegmentParser::variable(SegmentOperand& out) {
    SegmentField field;
    field.offset = token().offset;
    ++at_;
    while (true) {
        if (take_sign("[")) {
            if (token().kind != Kind::kText)
                return fail(token(), "the name of a variable stands in quotes here",
                            "write vars['First name']");
            field.path.push_back(token().text);
            ++at_;
            if (!expect_sign("]", "after the name")) return false;
        } else if (take_sign(".")) {
            if (token().kind != Kind::kName)
                return fail(token(), "a name is missing after the dot",
                            "other names are written vars['2nd name']");
            field.path.push_back(token().text);
            ++at_;
        } else {
            break;
        }
    }
    if (field.path.empty())
        return fail(token(), "`vars` needs the name of a variable", "write vars.plan");
    out.kind = OperandKind::kVariable;
    out.index = field_index(std::move(field));
    return true;
}

std::uint32_t SegmentParser::field_index(SegmentField field) {
    auto& fields = program_->fields;
    const auto known = std::find_if(fields.begin(), fields.end(),
                                    [&](const auto& f) { return f.path == field.path; });
    if (known != fields.end()) return static_cast<std::uint32_t>(known - fields.begin());
    fields.push_back(std::move(field));
    return static_cast<std::uint32_t>(fields.size() - 1);
}

bool SegmentParser::time_function(const std::string& name, SegmentOperand& out) {
    const SegmentToken& first = token();
    if (name != "now" && name != "days_ago") {
        const bool known =
            std::find(kFunctionNames.begin(), kFunctionNames.end(), name) != kFunctionNames.end();
        if (known) return fail(first, "`" + name + "()` is a condition, not a value");
        return unknown_function(first);
    }
    at_ += 2;
    out.kind = name == "now" ? OperandKind::kNow : OperandKind::kDaysAgo;
    if (name == "days_ago" && !number(out.number, 0, kDaysMax, "a number of days")) return false;
    return expect_sign(")", "to close " + name + "(");
}

bool SegmentParser::unknown_function(const SegmentToken& name) {
    const std::string word = ascii_lowered(name.text);
    if (std::find(kTrackedNames.begin(), kTrackedNames.end(), word) != kTrackedNames.end())
        return fail(name, "`" + word + "()` needs tracking, which is not supported yet",
                    "sent('id') and bounced('id') are", CampaignErrorCode::kUnsupported);
    const std::string_view near = nearest_name(word, kFunctionNames);
    std::string hint =
        "known: now() days_ago(n) exists() empty() sent('id') bounced('id') "
        "bucket(n, of, 'salt')";
    if (!near.empty()) hint = "did you mean `" + std::string(near) + "()`?";
    return fail(name, "there is no function `" + name.text + "()`", std::move(hint));
}

bool SegmentParser::number(double& out, double low, double high, std::string_view what) {
    const SegmentToken& at = token();
    if (at.kind != Kind::kNumber || at.number < low || at.number > high)
        return fail(at, std::string(what) + " is wanted here, not " + shown(at));
    out = at.number;
    ++at_;
    return true;
}

SegmentParser::Index SegmentParser::function(const std::string& name) {
    const SegmentToken first = token();
    if (std::find(kFunctionNames.begin(), kFunctionNames.end(), name) == kFunctionNames.end()) {
        unknown_function(first);
        return std::nullopt;
    }
    at_ += 2;
    SegmentNode node;
    bool good = false;
    if (name == "exists" || name == "empty") {
        node.op = name == "exists" ? SegmentOp::kExists : SegmentOp::kEmpty;
        const SegmentToken& at = token();
        good = operand(node.left) &&
               (node.left.is_field() ||
                fail(at, "`" + name + "()` takes a field", "write " + name + "(vars.plan)"));
    } else if (name == "bucket") {
        good = bucket(node);
    } else {
        good = past_campaign(node, name);
    }
    if (!good || !expect_sign(")", "to close " + name + "(")) return std::nullopt;
    return add(std::move(node));
}

bool SegmentParser::past_campaign(SegmentNode& node, const std::string& name) {
    node.op = name == "sent" ? SegmentOp::kSent : SegmentOp::kBounced;
    const SegmentToken& at = token();
    if (at.kind != Kind::kText)
        return fail(at, "`" + name + "()` takes the id of a campaign",
                    "write " + name + "('winter-2026')");
    node.index = static_cast<std::uint32_t>(program_->past_campaigns.size());
    program_->past_campaigns.push_back({at.text, at.offset});
    ++at_;
    return true;
}

// The last part is named by 0 as well, so that counting from 0 and from 1 both reach everybody.
bool SegmentParser::bucket(SegmentNode& node) {
    node.op = SegmentOp::kBucket;
    const SegmentToken part_at = token();
    double part = 0, of = 0;
    if (!number(part, 0, kPartsMax, "the number of a part") || !expect_sign(",", "here") ||
        !number(of, 1, kPartsMax, "how many parts there are") || !expect_sign(",", "here"))
        return false;
    node.part = static_cast<std::uint64_t>(part);
    node.of = static_cast<std::uint64_t>(of);
    if (static_cast<double>(node.part) != part || static_cast<double>(node.of) != of)
        return fail(part_at, "parts are counted in whole numbers");
    if (node.part > node.of)
        return fail(part_at, "there is no part " + std::to_string(node.part) + " of " +
                                 std::to_string(node.of));
    if (token().kind != Kind::kText)
        return fail(token(), "the salt is a text", "write bucket(1, 10, 'any word')");
    node.salt = hash64(token().text);
    ++at_;
    return true;
}

}  // namespace posthorn
