#include "engine/mail/reply_line.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "engine/base/ascii.h"
#include "engine/mail/reply_text.h"

namespace posthorn {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alnum(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_blank(char c) { return static_cast<unsigned char>(c) <= ' '; }

std::string_view trim(std::string_view text) {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

// A reply code at this place, not part of a longer word. Elsewhere than at the front only 4yz and
// 5yz: nobody quotes a success.
bool code_at(std::string_view line, std::size_t at) {
    if (at + 3 > line.size() || line[at] < (at == 0 ? '2' : '4') || line[at] > '5') return false;
    if (line[at + 1] < '0' || line[at + 1] > '7' || !is_digit(line[at + 2])) return false;
    if (at > 0 && (is_alnum(line[at - 1]) || line[at - 1] == '.')) return false;
    if (at + 3 == line.size()) return true;
    const char next = line[at + 3];
    if (next == ':' && at > 0 && line[at - 1] == ':') return false;  // part of an IPv6 address
    if (next == '-') return true;
    return is_blank(next) || next == ':' || next == ',' || next == '\\' || next == ')' ||
           next == ']' || next == ';' || next == '"';
}

// How far "x.y.z" at the front of text reaches, with what may stand around it: "5.1.1 ",
// "(#5.1.1)",
// "[5.1.1]:". Zero when there is none.
std::size_t take_enhanced(std::string_view text, std::optional<EnhancedCode>& out) {
    std::size_t at = 0;
    while (at < text.size() && std::string_view(" \t:-#").find(text[at]) != std::string_view::npos)
        ++at;
    const std::size_t start = at;
    while (at < text.size() && (is_digit(text[at]) || text[at] == '.')) ++at;
    std::string_view word = text.substr(start, at - start);
    const bool ends = at == text.size() || !is_alnum(text[at]);
    const auto code = ends ? parse_enhanced_code(word) : std::nullopt;
    if (!code) return 0;
    out = code;
    while (at < text.size() && (text[at] == ':' || text[at] == ';')) ++at;
    return at;
}

// Words after which a number is a reply code even in the middle of a sentence.
bool announced(std::string_view before) {
    while (!before.empty() && is_blank(before.back())) before.remove_suffix(1);
    if (before.empty()) return true;
    if (std::string_view(":;[(<\"'>-|").find(before.back()) != std::string_view::npos) return true;
    std::string tail;
    for (const char c : before.substr(before.size() - std::min<std::size_t>(before.size(), 16)))
        tail += ascii_lower(c);
    for (const std::string_view word : {"said", "was", "code", "error", "reply", "response", "smtp",
                                        "status", "responded", "returned", "with", "remote"})
        if (tail.size() >= word.size() && tail.ends_with(word)) return true;
    return false;
}

// Where the reply begins: the first announced code followed by an enhanced code, else the first
// announced code.
std::size_t find_reply(std::string_view line) {
    std::size_t first = std::string_view::npos;
    for (std::size_t at = 0; at + 3 <= line.size(); ++at) {
        if (!is_digit(line[at]) || !code_at(line, at) || !announced(line.substr(0, at))) continue;
        std::optional<EnhancedCode> enhanced;
        if (at == 0 || take_enhanced(line.substr(at + 3), enhanced) > 0) return at;
        if (first == std::string_view::npos) first = at;
    }
    return first;
}

// Drops the codes that head further lines of a reply when all lines were written as one.
std::string without_repeats(std::string_view text, std::string_view code) {
    std::string out;
    while (true) {
        const std::size_t at = text.find(code);
        if (at == std::string_view::npos) break;
        const std::string_view rest = text.substr(at + 3);
        std::optional<EnhancedCode> ignored;
        const bool separated = at == 0 || is_blank(text[at - 1]) || text[at - 1] == '.';
        const bool continues = !rest.empty() && (rest.front() == '-' || rest.front() == ' ');
        const std::size_t skipped = continues ? take_enhanced(rest, ignored) : 0;
        if (separated && (skipped > 0 || (continues && rest.front() == '-'))) {
            out += trim(text.substr(0, at));
            text = trim(rest.substr(std::max<std::size_t>(skipped, 1)));
            if (!out.empty()) out += ' ';
        } else {
            out += text.substr(0, at + 3);
            text = rest;
        }
    }
    out += text;
    return out;
}

std::optional<EnhancedCode> find_enhanced(std::string_view text) {
    for (std::size_t at = 0; at + 5 <= text.size(); ++at) {
        if (text[at] < '2' || text[at] > '5' || text[at + 1] != '.') continue;
        if (at > 0 && (is_alnum(text[at - 1]) || text[at - 1] == '.')) continue;
        const std::string_view part = text.substr(at, 12);
        std::size_t end = 0;
        while (end < part.size() && (is_digit(part[end]) || part[end] == '.')) ++end;
        while (end > 0 && part[end - 1] == '.') --end;
        if (const auto code = parse_enhanced_code(part.substr(0, end))) return code;
    }
    return std::nullopt;
}

bool contains_folded(std::string_view text, std::string_view word) {
    const auto equal = [](char a, char b) { return ascii_lower(a) == b; };
    return std::search(text.begin(), text.end(), word.begin(), word.end(), equal) != text.end();
}

}  // namespace

std::optional<EnhancedCode> enhanced_code_in(std::string_view text) {
    text = text.substr(0, kMaxReplyBytesRead);
    const std::size_t at = text.find('#');
    return at == std::string_view::npos ? std::nullopt : find_enhanced(text.substr(at));
}

Reply parse_reply_line(std::string_view line) {
    line = trim(line.substr(0, kMaxReplyBytesRead));
    while (!line.empty() && (line.front() == '"' || line.front() == '\'')) line.remove_prefix(1);
    while (!line.empty() && (line.back() == '"' || line.back() == '\'')) line.remove_suffix(1);
    Reply reply;
    const std::size_t at = find_reply(line);
    if (at == std::string_view::npos) {
        reply.text = line;
        reply.enhanced = find_enhanced(line);
        return reply;
    }
    const std::string_view code = line.substr(at, 3);
    reply.code =
        static_cast<std::uint16_t>((code[0] - '0') * 100 + (code[1] - '0') * 10 + (code[2] - '0'));
    std::string_view rest = line.substr(at + 3);
    rest.remove_prefix(take_enhanced(rest, reply.enhanced));
    while (!rest.empty() && (is_blank(rest.front()) || rest.front() == ':' || rest.front() == '-'))
        rest.remove_prefix(1);
    reply.text = without_repeats(rest, code);
    return reply;
}

Stage stage_of_line(std::string_view line) {
    line = line.substr(0, kMaxReplyBytesRead);
    constexpr std::array<std::pair<std::string_view, Stage>, 21> kSigns = {{
        {"in reply to rcpt to", Stage::kRcpt},
        {"in reply to mail from", Stage::kMail},
        {"in reply to end of data", Stage::kDot},
        {"in reply to data", Stage::kData},
        {"in reply to helo", Stage::kEhlo},
        {"in reply to ehlo", Stage::kEhlo},
        {"in reply to starttls", Stage::kStartTls},
        {"after rcpt to", Stage::kRcpt},
        {"after pipelined rcpt to", Stage::kRcpt},
        {"after mail from", Stage::kMail},
        {"after pipelined mail from", Stage::kMail},
        {"after end of data", Stage::kDot},
        {"after sending data block", Stage::kDot},
        {"after pipelined end of data", Stage::kDot},
        {"after data", Stage::kData},
        {"after ehlo", Stage::kEhlo},
        {"after helo", Stage::kEhlo},
        {"after starttls", Stage::kStartTls},
        {"after initial connection", Stage::kConnect},
        {"refused to talk to me", Stage::kConnect},
        {"[rcpt_to]", Stage::kRcpt},
    }};
    for (const auto& [sign, stage] : kSigns)
        if (contains_folded(line, sign)) return stage;
    return Stage::kNone;
}

}  // namespace posthorn
