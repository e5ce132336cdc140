// The tags of a template, one after the other, with Mustache's rules for tags that stand alone on
// their line, and changes of delimiters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace posthorn {

enum class TokenKind : std::uint8_t {
    kEnd,
    kText,
    kValue,     // {{x}}
    kRaw,       // {{{x}}} {{&x}}
    kOpen,      // {{#x}} {{#if x}}
    kInverted,  // {{^x}}
    kElse,      // {{else}} {{^}}
    kClose,     // {{/x}}
    kPartial,   // {{>x}}
    kFault,     // inside is what is wrong; nothing follows
};

struct TemplateToken {
    TokenKind kind = TokenKind::kEnd;
    std::string_view text;    // as written
    std::string_view inside;  // the tag without its delimiters, sigil and blanks
    std::string_view indent;  // of a partial that stands alone
    std::size_t offset = 0;   // of text
};

// Comments and changes of delimiters are taken on the way. Views live as long as the source.
class TemplateTokens {
  public:
    explicit TemplateTokens(std::string_view source) : source_(source) {}

    TemplateToken next();

  private:
    TemplateToken take_tag(std::size_t start);
    bool set_delimiters(std::string_view inside);
    bool stand_alone(std::size_t start, std::size_t& line_start, std::size_t& line_end) const;

    std::string_view source_;
    std::size_t at_ = 0;
    std::string open_ = "{{", close_ = "}}";
    TemplateToken pending_;  // a tag found behind text
    bool has_pending_ = false;
};

}  // namespace posthorn
