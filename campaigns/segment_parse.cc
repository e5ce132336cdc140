// Conditions: what joins and compares values.
#include <algorithm>

#include "campaigns/segment_parser.h"
#include "engine/base/ascii.h"
#include "engine/mail/address.h"

namespace posthorn {

namespace {

constexpr std::int64_t kPatternMemory = 1 << 20;

struct NamedOp {
    std::string_view name;
    SegmentOp op;
};
constexpr NamedOp kOps[] = {{"==", SegmentOp::kEqual},
                            {"!=", SegmentOp::kNotEqual},
                            {"<", SegmentOp::kLess},
                            {"<=", SegmentOp::kLessEqual},
                            {">", SegmentOp::kGreater},
                            {">=", SegmentOp::kGreaterEqual},
                            {"~", SegmentOp::kMatches},
                            {"in", SegmentOp::kIn},
                            {"contains", SegmentOp::kContains},
                            {"startswith", SegmentOp::kStartsWith},
                            {"endswith", SegmentOp::kEndsWith}};

}  // namespace

std::shared_ptr<const SegmentProgram> SegmentParser::run() {
    if (token().kind == Kind::kEnd) {
        fail(token(), "the segment is empty", "for example: vars.plan == 'pro'");
        return nullptr;
    }
    const auto root = condition(0);
    if (!root) return nullptr;
    if (token().kind != Kind::kEnd) {
        fail(token(), shown(token()) + " does not belong here",
             "join conditions with `and` or `or`");
        return nullptr;
    }
    program_->root = *root;
    return program_;
}

std::string SegmentParser::shown(const SegmentToken& token) {
    if (token.kind == Kind::kEnd) return "the end";
    if (token.kind == Kind::kText) return "the text '" + token.text.substr(0, 40) + "'";
    return "`" + token.text.substr(0, 40) + "`";
}

bool SegmentParser::fail(const SegmentToken& at, std::string message, std::string hint,
                         CampaignErrorCode code) {
    fault_ = {at.offset, code, std::move(message), std::move(hint)};
    return false;
}

bool SegmentParser::expect_sign(std::string_view sign, std::string_view after) {
    if (take_sign(sign)) return true;
    return fail(token(), "`" + std::string(sign) + "` is missing " + std::string(after) +
                             ", before " + shown(token()));
}

bool SegmentParser::count_one(const SegmentToken& at) {
    if (++count_ <= kSegmentNodesMax) return true;
    return fail(at, "the segment has over 10,000 conditions and values",
                "put the addresses into a list, and the list into `exclude`",
                CampaignErrorCode::kRange);
}

SegmentParser::Index SegmentParser::add(SegmentNode node) {
    program_->nodes.push_back(std::move(node));
    return static_cast<std::uint32_t>(program_->nodes.size() - 1);
}

SegmentParser::Index SegmentParser::condition(std::size_t depth) {
    return chain(depth, "or", SegmentOp::kOr);
}

SegmentParser::Index SegmentParser::chain(std::size_t depth, std::string_view word, SegmentOp op) {
    SegmentNode node;
    node.op = op;
    do {
        const Index child =
            op == SegmentOp::kOr ? chain(depth, "and", SegmentOp::kAnd) : negation(depth);
        if (!child) return std::nullopt;
        node.children.push_back(*child);
    } while (take_word(word));
    if (node.children.size() == 1) return node.children.front();
    return add(std::move(node));
}

SegmentParser::Index SegmentParser::negation(std::size_t depth) {
    if (depth >= kSegmentDepthMax) {
        fail(token(), "the segment nests over 64 deep", "", CampaignErrorCode::kRange);
        return std::nullopt;
    }
    if (!count_one(token())) return std::nullopt;
    if (take_word("not")) {
        const Index child = negation(depth + 1);
        if (!child) return std::nullopt;
        return negated(*child);
    }
    if (!take_sign("(")) return comparison();
    const Index inner = condition(depth + 1);
    if (!inner || !expect_sign(")", "to close the parenthesis")) return std::nullopt;
    return inner;
}

SegmentParser::Index SegmentParser::negated(std::uint32_t child) {
    SegmentNode node;
    node.op = SegmentOp::kNot;
    node.children.push_back(child);
    return add(std::move(node));
}

SegmentParser::Index SegmentParser::comparison() {
    const SegmentToken first = token();
    if (first.kind == Kind::kName && is_sign(following(), "(")) {
        const std::string name = ascii_lowered(first.text);
        if (name != "now" && name != "days_ago") return function(name);
    }
    SegmentNode node;
    if (!operand(node.left)) return std::nullopt;
    const bool negate = is_word("not") && following().kind == Kind::kName &&
                        ascii_lowered(following().text) == "in";
    if (negate) ++at_;
    const auto named = std::find_if(std::begin(kOps), std::end(kOps), [&](const NamedOp& op) {
        return token().kind != Kind::kText && ascii_lowered(token().text) == op.name;
    });
    if (named == std::end(kOps)) return alone(std::move(node), first);
    ++at_;
    node.op = named->op;
    if (!right_side(node)) return std::nullopt;
    for (const NamedOp& op : kOps)
        if (token().kind == Kind::kSign && token().text == op.name) {
            fail(token(), "comparisons do not chain", "write `a < b and b < c`");
            return std::nullopt;
        }
    const Index made = add(std::move(node));
    return negate ? negated(*made) : made;
}

// A value that is a condition by itself: true, false, or a field that is not empty, 0 or false.
SegmentParser::Index SegmentParser::alone(SegmentNode node, const SegmentToken& first) {
    if (node.left.is_field() || node.left.kind == OperandKind::kTruth) {
        if (node.left.kind == OperandKind::kVariable || node.left.kind == OperandKind::kTruth)
            return add(std::move(node));
    }
    fail(token(), "a comparison is missing after " + shown(first),
         "for example: == 'text', > 5, in ['a', 'b']");
    return std::nullopt;
}

bool SegmentParser::right_side(SegmentNode& node) {
    const SegmentToken first = token();
    if (node.op == SegmentOp::kMatches) return pattern(node);
    if (node.op == SegmentOp::kIn && take_sign("[")) {
        if (!list(node.right)) return false;
    } else if (is_sign(first, "[")) {
        return fail(first, "a list stands behind `in` alone", "write `in […]`");
    } else if (!operand(node.right)) {
        return false;
    }
    if (node.op == SegmentOp::kIn && !node.right.is_field() &&
        node.right.kind != OperandKind::kList)
        return fail(first, "`in` takes a list", "write in ['a', 'b']");
    const bool tags_in_list = node.op == SegmentOp::kIn && node.left.kind == OperandKind::kTags &&
                              node.right.kind == OperandKind::kList;
    if (tags_in_list)
        return fail(first, "`tags` is a list itself",
                    "write tags contains 'a' or tags contains 'b'");
    fold(node.left, node.right);
    fold(node.right, node.left);
    return true;
}

// Addresses and domains compare in lower case, and by A-labels (RFC 5890): as they are kept.
std::string SegmentParser::as_kept(const SegmentOperand& field, const std::string& text) {
    Address address;
    std::string domain;
    if (field.kind == OperandKind::kDomain && parse_domain(text, domain) == AddressFault::kNone)
        return domain;
    if (field.kind == OperandKind::kEmail && parse_address(text, address) == AddressFault::kNone)
        return ascii_lowered(address.to_string());
    return ascii_lowered(text);
}

void SegmentParser::fold(const SegmentOperand& field, SegmentOperand& other) {
    if (!field.folds()) return;
    other.text = as_kept(field, other.text);
    if (other.kind != OperandKind::kList) return;
    SegmentList& list = program_->lists[other.index];
    for (SegmentOperand& value : list.values) value.text = as_kept(field, value.text);
    for (std::string& text : list.texts) text = as_kept(field, text);
    std::sort(list.texts.begin(), list.texts.end());
}

bool SegmentParser::pattern(SegmentNode& node) {
    const SegmentToken& text = token();
    if (text.kind != Kind::kText)
        return fail(text, "`~` takes a regular expression", "write ~ '^a.*z$'");
    if (text.text.size() > kSegmentPatternBytesMax)
        return fail(text, "the regular expression is longer than 1,024 bytes");
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_never_capture(true);
    options.set_max_mem(kPatternMemory);
    auto compiled = std::make_unique<const re2::RE2>(text.text, options);
    if (!compiled->ok())
        return fail(text, "not a regular expression: " + compiled->error(),
                    "RE2 knows no look-around and no back-references");
    node.index = static_cast<std::uint32_t>(program_->patterns.size());
    program_->patterns.push_back(std::move(compiled));
    ++at_;
    return true;
}

std::string SegmentField::name() const {
    std::string out = "vars";
    for (const std::string& part : path) out += "." + part;
    return out;
}

std::optional<Segment> Segment::parse(std::string_view text, SegmentFault& fault) {
    auto tokens = segment_tokens(text, fault);
    if (!tokens) return std::nullopt;
    auto program = SegmentParser(std::move(*tokens), fault).run();
    if (program == nullptr) return std::nullopt;
    return Segment(std::move(program));
}

const std::vector<SegmentField>& Segment::fields() const { return program_->fields; }

const std::vector<Segment::PastCampaign>& Segment::past_campaigns() const {
    return program_->past_campaigns;
}

}  // namespace posthorn
