#include "campaigns/segment_tokens.h"

#include <array>
#include <charconv>
#include <cmath>

#include "engine/mail/utf8.h"

namespace posthorn {

namespace {

constexpr std::array<std::string_view, 6> kDoubleSigns = {"==", "!=", "<=", ">=", "&&", "||"};
constexpr std::string_view kSigns = "<>~()[],.";

// What people write from other languages, and what it is called here.
struct Habit {
    std::string_view sign, hint;
};
constexpr Habit kHabits[] = {{"&&", "write `and`"}, {"||", "write `or`"}, {"!", "write `not`"},
                             {"=", "write `==`"},   {"&", "write `and`"}, {"|", "write `or`"}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool begins_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
}
bool continues_name(char c) { return begins_name(c) || is_digit(c) || c == '-'; }

class Lexer {
  public:
    Lexer(std::string_view text, SegmentFault& fault) : text_(text), fault_(fault) {}

    std::optional<std::vector<SegmentToken>> run() {
        while (true) {
            while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
            SegmentToken token;
            token.offset = at_;
            if (at_ < text_.size() && !take(token)) return std::nullopt;
            tokens_.push_back(std::move(token));
            if (tokens_.back().kind == SegmentToken::Kind::kEnd) return std::move(tokens_);
        }
    }

  private:
    static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

    bool fail(std::size_t offset, std::string message, std::string hint = "") {
        fault_ = {offset, CampaignErrorCode::kSegmentSyntax, std::move(message), std::move(hint)};
        return false;
    }

    bool take(SegmentToken& token) {
        const char c = text_[at_];
        if (c == '\'' || c == '"') return take_text(token, c);
        const bool negative = c == '-' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]);
        if (is_digit(c) || negative) return take_number(token);
        if (begins_name(c)) return take_name(token);
        return take_sign(token);
    }

    // A backslash takes the meaning from a quote or a backslash; before anything else it stays, as
    // regular expressions need it.
    bool take_text(SegmentToken& token, char quote) {
        token.kind = SegmentToken::Kind::kText;
        for (std::size_t i = at_ + 1; i < text_.size(); ++i) {
            const char c = text_[i];
            if (c == quote) {
                at_ = i + 1;
                return true;
            }
            const char next = i + 1 < text_.size() ? text_[i + 1] : '\0';
            if (c == '\\' && (next == quote || next == '\\')) ++i;
            token.text.push_back(text_[i]);
        }
        return fail(at_, "this text is not closed", std::string("end it with ") + quote);
    }

    bool take_number(SegmentToken& token) {
        token.kind = SegmentToken::Kind::kNumber;
        const char* const end = text_.data() + text_.size();
        const auto [stop, code] = std::from_chars(text_.data() + at_, end, token.number);
        const bool runs_on = stop < end && (continues_name(*stop) || *stop == '.');
        if (code != std::errc() || !std::isfinite(token.number) || runs_on)
            return fail(at_, "this is not a number", "put text into quotes");
        token.text = text_.substr(at_, static_cast<std::size_t>(stop - text_.data()) - at_);
        at_ += token.text.size();
        return true;
    }

    bool take_name(SegmentToken& token) {
        token.kind = SegmentToken::Kind::kName;
        std::size_t end = at_;
        while (end < text_.size() && continues_name(text_[end])) ++end;
        token.text = text_.substr(at_, end - at_);
        at_ = end;
        return true;
    }

    bool take_sign(SegmentToken& token) {
        token.kind = SegmentToken::Kind::kSign;
        std::string_view sign = text_.substr(at_, 1);
        for (const std::string_view known : kDoubleSigns)
            if (text_.substr(at_, 2) == known) sign = known;
        for (const Habit& habit : kHabits)
            if (habit.sign == sign)
                return fail(at_, "`" + std::string(sign) + "` is not known here",
                            std::string(habit.hint));
        if (sign.size() == 1 && kSigns.find(sign.front()) == std::string_view::npos)
            return fail(at_, "`" + printable(sign.front()) + "` is not known here",
                        "put text into quotes: 'text'");
        token.text = sign;
        at_ += sign.size();
        return true;
    }

    static std::string printable(char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte >= 0x20 && byte != 0x7f ? std::string(1, c) : std::string("control character");
    }

    std::string_view text_;
    SegmentFault& fault_;
    std::size_t at_ = 0;
    std::vector<SegmentToken> tokens_;
};

}  // namespace

std::optional<std::vector<SegmentToken>> segment_tokens(std::string_view text,
                                                        SegmentFault& fault) {
    if (text.size() > kSegmentBytesMax) {
        fault = {0, CampaignErrorCode::kRange, "the segment is longer than 64 KiB",
                 "put the addresses into a list, and the list into `exclude`"};
        return std::nullopt;
    }
    if (!valid_utf8(text)) {
        fault = {0, CampaignErrorCode::kSegmentSyntax, "the segment is not UTF-8", ""};
        return std::nullopt;
    }
    return Lexer(text, fault).run();
}

}  // namespace posthorn
