// A compiled segment: conditions that name each other and their values by index. Made by the
// parser, asked by SegmentFilter; immutable.
#pragma once

#include <re2/re2.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "campaigns/segment.h"

namespace posthorn {

enum class SegmentOp : std::uint8_t {
    kAnd,
    kOr,
    kNot,
    kTruth,  // of a value that stands alone
    kEqual,
    kNotEqual,
    kLess,
    kLessEqual,
    kGreater,
    kGreaterEqual,
    kIn,
    kContains,
    kStartsWith,
    kEndsWith,
    kMatches,
    kExists,
    kEmpty,
    kSent,
    kBounced,
    kBucket
};

struct SegmentOperand {
    enum class Kind : std::uint8_t {
        kNull,
        kText,
        kNumber,
        kTruth,
        kNow,
        kDaysAgo,
        kEmail,
        kDomain,
        kName,
        kTags,
        kVariable,
        kList
    };
    Kind kind = Kind::kNull;
    std::string text;         // kText
    double number = 0;        // kNumber, kDaysAgo, kTruth
    std::uint32_t index = 0;  // kVariable: of the field; kList: of the list

    bool folds() const { return kind == Kind::kEmail || kind == Kind::kDomain; }
    bool is_field() const { return kind >= Kind::kEmail && kind <= Kind::kVariable; }
};

// What stands in brackets. Texts alone are sorted, to be searched.
struct SegmentList {
    std::vector<SegmentOperand> values;
    std::vector<std::string> texts;
    bool only_texts = false;
};

struct SegmentNode {
    SegmentOp op = SegmentOp::kTruth;
    std::vector<std::uint32_t> children;  // kAnd, kOr, kNot
    SegmentOperand left, right;
    std::uint32_t index = 0;  // kMatches: the pattern; kSent, kBounced: the campaign
    std::uint64_t part = 0, of = 1, salt = 0;  // kBucket
};

struct SegmentProgram {
    std::vector<SegmentNode> nodes;
    std::uint32_t root = 0;
    std::vector<SegmentField> fields;
    std::vector<SegmentList> lists;
    std::vector<std::unique_ptr<const re2::RE2>> patterns;
    std::vector<Segment::PastCampaign> past_campaigns;
};

}  // namespace posthorn
