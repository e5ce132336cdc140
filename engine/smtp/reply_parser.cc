#include "engine/smtp/reply_parser.h"

#include <algorithm>

#include "engine/smtp/limits.h"

namespace posthorn {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool starts_with_code(std::string_view line) {
    return line.size() >= 3 && line[0] >= '2' && line[0] <= '5' && is_digit(line[1]) &&
           is_digit(line[2]) && (line.size() == 3 || line[3] == ' ' || line[3] == '-');
}

}  // namespace

ReplyParser::State ReplyParser::broken(std::string_view complaint) {
    complaint_ = complaint;
    return State::kBroken;
}

ReplyParser::State ReplyParser::parse(std::string_view& bytes) {
    while (complaint_.empty()) {
        const std::size_t end = bytes.find('\n');
        const std::size_t taken = end == std::string_view::npos ? bytes.size() : end + 1;
        if (line_.size() + taken > kReplyLineBytesMax) return broken("reply line too long");
        if (end == std::string_view::npos) {
            line_.append(bytes);
            bytes = {};
            return State::kIncomplete;
        }
        std::string_view line = bytes.substr(0, end);
        bytes.remove_prefix(taken);
        if (!line_.empty()) line = line_.append(line);
        const State state = take_line(line);
        line_.clear();
        if (state != State::kIncomplete) return state;
    }
    return State::kBroken;
}

ReplyParser::State ReplyParser::take_line(std::string_view line) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!starts_with_code(line)) return broken("reply line does not start with a code");
    const auto code =
        static_cast<std::uint16_t>((line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0'));
    if (lines_ == 0) {
        reply_.code = code;
        reply_.enhanced.reset();
        reply_.text.clear();
    } else {
        if (code != reply_.code) return broken("reply lines have different codes");
        reply_.text += '\n';
    }
    const bool last = line.size() == 3 || line[3] == ' ';
    take_text(line.size() == 3 ? std::string_view() : line.substr(4));
    if (last) {
        lines_ = 0;
        return State::kComplete;
    }
    if (++lines_ >= kReplyLinesMax) return broken("reply has too many lines");
    if (reply_.text.size() > kReplyBytesMax) return broken("reply too long");
    return State::kIncomplete;
}

// The text of a line without its enhanced code, whose class is that of the code (RFC 2034).
void ReplyParser::take_text(std::string_view text) {
    const auto enhanced = parse_enhanced_code(text);
    if (enhanced && enhanced->klass == reply_.code / 100) {
        if (!reply_.enhanced) reply_.enhanced = enhanced;
        text.remove_prefix(std::min(text.find(' '), text.size()));
        if (!text.empty()) text.remove_prefix(1);
    }
    reply_.text += text;
}

}  // namespace posthorn
