// How a value must be written where its tag stands, decided while compiling from the HTML around
// the tag, and the writing itself. Every way of writing turns controls (but tab and line ends)
// into spaces and what is not UTF-8 into U+FFFD.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace posthorn {

enum class Escape : std::uint8_t {
    kNone,          // as it is
    kHtml,          // & < > " ' as character references
    kHtmlUnquoted,  // in an attribute without quotes: everything but letters and digits
    kUrlStart,      // a URL or its beginning: what may not stand in one is percent-encoded, for
                    // HTML; one that would run code (javascript:, vbscript:, data:) becomes #
    kUrl,           // further on in a URL, before its query
    kUrlPart,       // in the query or fragment: all but letters, digits and -._~ percent-encoded
};

// The value itself when there is nothing to change, otherwise scratch, which is overwritten.
// value does not lie in scratch.
std::string_view escaped(std::string_view value, Escape escape, std::string& scratch);

void append_percent_encoded(std::string& out, std::string_view bytes);

// Follows the literal text of an HTML template from tag to tag.
class HtmlPosition {
  public:
    void text_passed(std::string_view html);
    void value_passed();  // a value stands here

    Escape escape_here() const;

    // Whether a value behind what leads from start to here may be escaped as it would be at start:
    // it is the same place, or no attribute's value was left or entered. (In a tag more is escaped
    // than between tags; a < may be none.)
    bool may_pass_for(const HtmlPosition& start) const {
        return *this == start || (between_tags() && start.outside_values());
    }
    friend bool operator==(const HtmlPosition&, const HtmlPosition&) = default;

  private:
    enum class State : std::uint8_t {
        kText,
        kTagOpen,  // behind <
        kTagName,
        kInTag,        // between attributes
        kName,         // of an attribute
        kBeforeValue,  // behind =
        kDoubleQuoted,
        kSingleQuoted,
        kUnquoted,
        kMarkup,  // <! up to >
        kComment,
    };

    void step(char c);
    void step_in_tag(char c);
    void step_in_value(char c, char end);
    void step_in_markup(char c);
    void begin_value(State state);
    bool names_a_url() const;
    bool between_tags() const { return state_ == State::kText || state_ == State::kTagOpen; }
    bool outside_values() const {
        return between_tags() || state_ == State::kTagName || state_ == State::kInTag ||
               state_ == State::kName;
    }

    State state_ = State::kText;
    std::string name_;           // of the attribute, lower case, cut at 16
    std::string markup_;         // the first characters behind <!
    int dashes_ = 0;             // in a row, in a comment
    bool value_begun_ = false;   // something of the attribute's value has passed
    bool value_inside_ = false;  // a template value is part of it
    bool in_query_ = false;
};

}  // namespace posthorn
