#include "campaigns/template_tokens.h"

#include <algorithm>

namespace posthorn {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

std::string_view trimmed(std::string_view text) {
    const std::size_t start = text.find_first_not_of(kBlanks);
    if (start == std::string_view::npos) return {};
    return text.substr(start, text.find_last_not_of(kBlanks) - start + 1);
}

TemplateToken fault(std::size_t offset, std::string_view text, std::string_view what) {
    return {TokenKind::kFault, text, what, {}, offset};
}

TokenKind kind_of(char sigil) {
    switch (sigil) {
        case '#':
            return TokenKind::kOpen;
        case '^':
            return TokenKind::kInverted;
        case '/':
            return TokenKind::kClose;
        case '>':
            return TokenKind::kPartial;
        case '&':
            return TokenKind::kRaw;
        default:
            return TokenKind::kValue;
    }
}

}  // namespace

TemplateToken TemplateTokens::next() {
    if (has_pending_) {
        has_pending_ = false;
        return pending_;
    }
    for (;;) {
        if (at_ >= source_.size()) return {TokenKind::kEnd, {}, {}, {}, source_.size()};
        const std::size_t before = at_;
        const std::size_t start = std::min(source_.find(open_, at_), source_.size());
        if (start == source_.size()) {
            at_ = start;
            return {TokenKind::kText, source_.substr(before), {}, {}, before};
        }
        TemplateToken tag = take_tag(start);
        std::size_t text_end = start, line_start = 0, line_end = 0;
        const bool prints = tag.kind == TokenKind::kValue || tag.kind == TokenKind::kRaw;
        if (!prints && tag.kind != TokenKind::kFault && stand_alone(start, line_start, line_end) &&
            line_start >= before) {
            if (tag.kind == TokenKind::kPartial)
                tag.indent = source_.substr(line_start, start - line_start);
            text_end = line_start;
            at_ = line_end;
        }
        const bool is_tag = tag.kind != TokenKind::kText;  // text: a comment, new delimiters
        if (text_end == before) {
            if (is_tag) return tag;
            continue;
        }
        pending_ = tag;
        has_pending_ = is_tag;
        return {TokenKind::kText, source_.substr(before, text_end - before), {}, {}, before};
    }
}

// Takes the tag that begins at start and moves behind it.
TemplateToken TemplateTokens::take_tag(std::size_t start) {
    const std::size_t inside_start = start + open_.size();
    const char sigil = inside_start < source_.size() ? source_[inside_start] : ' ';
    std::string close = close_;
    if (sigil == '{' && open_ == "{{") close = "}}}";
    if (sigil == '=') close = "=" + close_;
    const bool has_sigil = std::string_view("#^/>&!={").find(sigil) != std::string_view::npos;
    const std::size_t from = inside_start + (has_sigil ? 1 : 0);
    const std::size_t end = source_.find(close, from);
    if (end == std::string_view::npos) {
        at_ = source_.size();
        return fault(start, source_.substr(start, 20), "the tag is not closed");
    }
    at_ = end + close.size();
    const std::string_view text = source_.substr(start, at_ - start);
    const std::string_view inside = trimmed(source_.substr(from, end - from));
    if (sigil == '!') return {TokenKind::kText, text, {}, {}, start};
    if (sigil == '=') {
        if (set_delimiters(inside)) return {TokenKind::kText, text, {}, {}, start};
        return fault(start, text, "delimiters are written {{=<% %>=}}");
    }
    TokenKind kind = sigil == '{' ? TokenKind::kRaw : kind_of(sigil);
    if (kind == TokenKind::kValue && inside == "else") kind = TokenKind::kElse;
    if (kind == TokenKind::kInverted && inside.empty()) kind = TokenKind::kElse;
    return {kind, text, inside, {}, start};
}

bool TemplateTokens::set_delimiters(std::string_view inside) {
    const std::size_t blank = inside.find_first_of(kBlanks);
    if (blank == std::string_view::npos) return false;
    const std::string_view open = inside.substr(0, blank);
    const std::string_view close = trimmed(inside.substr(blank));
    const bool good = open.size() <= 8 && close.size() <= 8 && !close.empty() &&
                      close.find_first_of(kBlanks) == std::string_view::npos &&
                      inside.find('=') == std::string_view::npos;
    if (!good) return false;
    open_ = open;
    close_ = close;
    return true;
}

// Whether nothing but blanks shares the line with the tag from start to at_.
bool TemplateTokens::stand_alone(std::size_t start, std::size_t& line_start,
                                 std::size_t& line_end) const {
    const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
    line_start = start;
    while (line_start > 0 && is_blank(source_[line_start - 1])) --line_start;
    if (line_start > 0 && source_[line_start - 1] != '\n') return false;
    line_end = at_;
    while (line_end < source_.size() && is_blank(source_[line_end])) ++line_end;
    if (line_end == source_.size()) return true;
    if (source_[line_end] == '\r' && line_end + 1 < source_.size()) ++line_end;
    if (source_[line_end] != '\n') return false;
    ++line_end;
    return true;
}

}  // namespace posthorn
