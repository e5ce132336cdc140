// Recursive descent over the words of a segment, of bounded depth. Private to Segment::parse().
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "campaigns/segment_program.h"
#include "campaigns/segment_tokens.h"
#include "engine/base/ascii.h"

namespace posthorn {

class SegmentParser {
  public:
    SegmentParser(std::vector<SegmentToken> tokens, SegmentFault& fault)
        : tokens_(std::move(tokens)), fault_(fault), program_(std::make_shared<SegmentProgram>()) {}

    // Null, and the fault filled in.
    std::shared_ptr<const SegmentProgram> run();

  private:
    using Kind = SegmentToken::Kind;
    using OperandKind = SegmentOperand::Kind;
    using Index = std::optional<std::uint32_t>;  // of a node

    const SegmentToken& token() const { return tokens_[at_]; }
    const SegmentToken& following() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
    bool is_word(std::string_view word) const {
        return token().kind == Kind::kName && ascii_lowered(token().text) == word;
    }
    bool is_sign(const SegmentToken& token, std::string_view sign) const {
        return token.kind == Kind::kSign && token.text == sign;
    }
    bool take_word(std::string_view word) {
        if (!is_word(word)) return false;
        ++at_;
        return true;
    }
    bool take_sign(std::string_view sign) {
        if (!is_sign(token(), sign)) return false;
        ++at_;
        return true;
    }
    static std::string shown(const SegmentToken& token);
    bool fail(const SegmentToken& at, std::string message, std::string hint = "",
              CampaignErrorCode code = CampaignErrorCode::kSegmentSyntax);
    bool expect_sign(std::string_view sign, std::string_view after);
    bool count_one(const SegmentToken& at);
    Index add(SegmentNode node);
    Index condition(std::size_t depth);
    Index chain(std::size_t depth, std::string_view word, SegmentOp op);
    Index negation(std::size_t depth);
    Index negated(std::uint32_t child);
    Index comparison();
    Index alone(SegmentNode node, const SegmentToken& first);
    bool right_side(SegmentNode& node);
    static std::string as_kept(const SegmentOperand& field, const std::string& text);
    void fold(const SegmentOperand& field, SegmentOperand& other);
    bool pattern(SegmentNode& node);
    bool list(SegmentOperand& out);
    bool operand(SegmentOperand& out);
    bool named_operand(SegmentOperand& out);
    bool unknown_name(const SegmentToken& name);
    bool variable(SegmentOperand& out);
    std::uint32_t field_index(SegmentField field);
    bool time_function(const std::string& name, SegmentOperand& out);
    bool unknown_function(const SegmentToken& name);
    bool number(double& out, double low, double high, std::string_view what);
    Index function(const std::string& name);
    bool past_campaign(SegmentNode& node, const std::string& name);
    bool bucket(SegmentNode& node);

    std::vector<SegmentToken> tokens_;
    SegmentFault& fault_;
    std::shared_ptr<SegmentProgram> program_;
    std::size_t at_ = 0;
    std::size_t count_ = 0;  // of conditions and values
};

}  // namespace posthorn
