#include "campaigns/template_escape.h"

#include <algorithm>
#include <array>

#include "engine/base/ascii.h"
#include "engine/mail/utf8.h"

namespace posthorn {
namespace {

constexpr char kHex[] = "0123456789ABCDEF";

bool is_letter_or_digit(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}
bool is_unreserved(char c) {
    return is_letter_or_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}
bool is_url_character(char c) {
    return is_unreserved(c) ||
           std::string_view(":/?#[]@!$&'()*+,;=%").find(c) != std::string_view::npos;
}
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f'; }
bool is_kept_control(char c) { return c == '\t' || c == '\n' || c == '\r'; }

bool is_harmless(char c, Escape escape) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x7F || (byte < 0x20 && !is_kept_control(c))) return false;
    switch (escape) {
        case Escape::kNone:
            return true;
        case Escape::kHtml:
            return c != '&' && c != '<' && c != '>' && c != '"' && c != '\'';
        case Escape::kHtmlUnquoted:
            return is_letter_or_digit(c);
        case Escape::kUrlStart:
        case Escape::kUrl:
            return is_url_character(c) && c != '&' && c != '\'';
        case Escape::kUrlPart:
            return is_unreserved(c);
    }
    return false;
}

// harmless[escape][byte]: whether a byte may stay as it is. Bytes above 127 are looked at apart.
using Table = std::array<std::array<bool, 256>, 6>;
const Table& harmless_table() {
    static const Table table = [] {
        Table made{};
        for (std::size_t e = 0; e < made.size(); ++e)
            for (std::size_t c = 0; c < 256; ++c)
                made[e][c] = is_harmless(static_cast<char>(c), static_cast<Escape>(e));
        return made;
    }();
    return table;
}

void append_reference(std::string& out, char c) {
    switch (c) {
        case '&':
            out.append("&amp;");
            return;
        case '<':
            out.append("&lt;");
            return;
        case '>':
            out.append("&gt;");
            return;
        case '"':
            out.append("&quot;");
            return;
        default:
            out.append("&#").append(std::to_string(static_cast<unsigned char>(c))).push_back(';');
    }
}

bool is_url(Escape escape) {
    return escape == Escape::kUrlStart || escape == Escape::kUrl || escape == Escape::kUrlPart;
}

void append_ascii(std::string& out, char c, Escape escape, const std::array<bool, 256>& harmless) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && !is_kept_control(c)) || byte == 0x7F) c = ' ';
    if (harmless[static_cast<unsigned char>(c)])
        out.push_back(c);
    else if (is_url(escape) && !(escape != Escape::kUrlPart && (c == '&' || c == '\'')))
        append_percent_encoded(out, {&c, 1});
    else
        append_reference(out, c);
}

// Some readers of HTML end an attribute without quotes at any of Unicode's blanks.
bool is_wide_blank(char32_t c) {
    return c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
           c == 0x202F || c == 0x205F || c == 0x3000;
}

void append_code_point(std::string& out, char32_t value, Escape escape) {
    const bool control = value >= 0x80 && value < 0xA0;
    const char32_t written = control ? U' ' : value;
    if (escape == Escape::kHtmlUnquoted && (control || is_wide_blank(value))) {
        out.append("&#").append(std::to_string(static_cast<std::uint32_t>(written))).append(";");
    } else if (is_url(escape)) {
        std::string bytes;
        append_utf8(bytes, written);
        append_percent_encoded(out, bytes);
    } else {
        append_utf8(out, written);
    }
}

// As browsers read a scheme: without blanks and controls, in any case.
bool runs_code(std::string_view url) {
    std::string scheme;
    for (char c : url) {
        if (static_cast<unsigned char>(c) <= 0x20) continue;
        if (c == ':' || scheme.size() > 12) break;
        scheme.push_back(ascii_lower(c));
    }
    return scheme == "javascript" || scheme == "vbscript" || scheme == "data";
}

}  // namespace

void append_percent_encoded(std::string& out, std::string_view bytes) {
    for (char c : bytes) {
        if (is_unreserved(c)) {
            out.push_back(c);
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        const char encoded[] = {'%', kHex[byte >> 4], kHex[byte & 15]};
        out.append(encoded, 3);
    }
}

std::string_view escaped(std::string_view value, Escape escape, std::string& scratch) {
    if (escape == Escape::kUrlStart && runs_code(value)) return "#";
    const std::array<bool, 256>& harmless = harmless_table()[static_cast<std::size_t>(escape)];
    std::size_t clean = 0;
    while (clean < value.size() && harmless[static_cast<unsigned char>(value[clean])]) ++clean;
    if (clean == value.size()) return value;
    scratch.assign(value.substr(0, clean));
    std::string_view rest = value.substr(clean);
    while (!rest.empty()) {
        const char c = rest.front();
        if (static_cast<unsigned char>(c) < 0x80) {
            append_ascii(scratch, c, escape, harmless);
            rest.remove_prefix(1);
        } else {
            append_code_point(scratch, take_code_point(rest).value, escape);
        }
    }
    return scratch;
}

void HtmlPosition::text_passed(std::string_view html) {
    for (char c : html) step(c);
}

void HtmlPosition::value_passed() {
    if (state_ == State::kBeforeValue) begin_value(State::kUnquoted);
    if (state_ == State::kTagOpen) state_ = State::kTagName;
    value_begun_ = value_inside_ = true;
}

Escape HtmlPosition::escape_here() const {
    switch (state_) {
        case State::kTagOpen:
        case State::kTagName:
        case State::kInTag:
        case State::kName:
        case State::kBeforeValue:
        case State::kUnquoted:
            return names_a_url() && in_query_ ? Escape::kUrlPart : Escape::kHtmlUnquoted;
        case State::kDoubleQuoted:
        case State::kSingleQuoted:
            if (!names_a_url()) return Escape::kHtml;
            if (in_query_) return Escape::kUrlPart;
            return value_begun_ ? Escape::kUrl : Escape::kUrlStart;
        case State::kText:
        case State::kMarkup:
        case State::kComment:
            return Escape::kHtml;
    }
    return Escape::kHtml;
}

void HtmlPosition::step(char c) {
    switch (state_) {
        case State::kText:
            if (c == '<') state_ = State::kTagOpen;
            return;
        case State::kTagOpen:
            markup_.clear();
            dashes_ = 0;
            state_ = c == '!'                            ? State::kMarkup
                     : c == '/' || is_letter_or_digit(c) ? State::kTagName
                                                         : State::kText;
            return;
        case State::kTagName:
            if (c == '>') state_ = State::kText;
            if (is_blank(c) || c == '/') state_ = State::kInTag;
            return;
        case State::kInTag:
        case State::kName:
        case State::kBeforeValue:
            return step_in_tag(c);
        case State::kDoubleQuoted:
            return step_in_value(c, '"');
        case State::kSingleQuoted:
            return step_in_value(c, '\'');
        case State::kUnquoted:
            if (c == '>') {
                state_ = State::kText;
                return;
            }
            return step_in_value(is_blank(c) ? ' ' : c, ' ');
        case State::kMarkup:
        case State::kComment:
            return step_in_markup(c);
    }
}

void HtmlPosition::step_in_tag(char c) {
    if (c == '>') {
        state_ = State::kText;
    } else if (c == '=') {
        state_ = State::kBeforeValue;
    } else if (state_ == State::kBeforeValue) {
        if (is_blank(c)) return;
        begin_value(c == '"'    ? State::kDoubleQuoted
                    : c == '\'' ? State::kSingleQuoted
                                : State::kUnquoted);
        if (state_ == State::kUnquoted) step_in_value(c, ' ');
    } else if (is_blank(c) || c == '/') {
        state_ = State::kInTag;
    } else {
        if (state_ == State::kInTag) name_.clear();
        state_ = State::kName;
        if (name_.size() < 16) name_.push_back(ascii_lower(c));
    }
}

void HtmlPosition::step_in_value(char c, char end) {
    if (c == end) {
        state_ = State::kInTag;
        return;
    }
    value_begun_ = true;
    // Behind a template value the URL may be in its query already: & and = tell.
    if (c == '?' || c == '#' || (value_inside_ && (c == '&' || c == '='))) in_query_ = true;
}

// Conditional comments (<!--[if mso]>) hold markup that some readers see: they are stepped through.
void HtmlPosition::step_in_markup(char c) {
    if (state_ == State::kComment) {
        if (c == '>' && dashes_ >= 2) state_ = State::kText;
        dashes_ = c == '-' ? dashes_ + 1 : 0;
        return;
    }
    if (c == '>') {
        state_ = State::kText;
    } else if (markup_.size() < 3) {
        markup_.push_back(c);
        if (markup_.size() == 3 && markup_.starts_with("--") && c != '[') state_ = State::kComment;
        dashes_ = state_ == State::kComment && c == '-' ? 1 : 0;
    }
}

void HtmlPosition::begin_value(State state) {
    state_ = state;
    value_begun_ = value_inside_ = in_query_ = false;
}

bool HtmlPosition::names_a_url() const {
    return name_ == "href" || name_ == "src" || name_ == "action" || name_ == "background" ||
           name_ == "formaction" || name_ == "poster" || name_ == "cite";
}

}  // namespace posthorn
