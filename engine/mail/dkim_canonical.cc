#include "engine/mail/dkim_canonical.h"

#include <cstdint>
#include <cstring>

#include "engine/base/ascii.h"

namespace posthorn {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::uint64_t word_at(const char* bytes) {
    std::uint64_t word;
    std::memcpy(&word, bytes, sizeof word);
    return word;
}

// Not 0 if any byte of the word is 0; what else it is says nothing.
std::uint64_t zero_byte(std::uint64_t word) {
    return (word - 0x0101010101010101u) & ~word & 0x8080808080808080u;
}

// Whether a tab or two blanks in a row stand in the line: eight positions at a time.
bool needs_squeezing(std::string_view line) {
    constexpr std::uint64_t kSpaces = 0x2020202020202020u, kTabs = 0x0909090909090909u;
    std::size_t i = 0;
    for (; i + 9 <= line.size(); i += 8) {
        const std::uint64_t here = word_at(line.data() + i), next = word_at(line.data() + i + 1);
        if ((zero_byte((here ^ kSpaces) | (next ^ kSpaces)) | zero_byte(here ^ kTabs)) != 0)
            return true;
    }
    for (; i < line.size(); ++i)
        if (line[i] == '\t' || (line[i] == ' ' && i + 1 < line.size() && is_blank(line[i + 1])))
            return true;
    return false;
}

// Runs of blanks become one space each.
void append_squeezed(std::string& out, std::string_view text) {
    if (!needs_squeezing(text)) {
        out.append(text);
        return;
    }
    bool blank = false;
    for (char c : text) {
        if (!is_blank(c))
            out.push_back(c);
        else if (!blank)
            out.push_back(' ');
        blank = is_blank(c);
    }
}

std::string_view without_blanks_at_end(std::string_view line) {
    while (!line.empty() && is_blank(line.back())) line.remove_suffix(1);
    return line;
}

}  // namespace

void append_relaxed_header(std::string& out, std::string_view field) {
    const std::size_t colon = field.find(':');
    for (char c : without_blanks_at_end(field.substr(0, colon))) out.push_back(ascii_lower(c));
    out.push_back(':');
    if (colon == std::string_view::npos) return;
    bool blank = false, begun = false;
    for (char c : field.substr(colon + 1)) {
        if (c == '\r' || c == '\n') continue;
        if (is_blank(c)) {
            blank = true;
            continue;
        }
        if (blank && begun) out.push_back(' ');
        blank = false;
        begun = true;
        out.push_back(c);
    }
}

void RelaxedBody::append(std::string& out, std::string_view lines) {
    while (!lines.empty()) {
        const std::size_t end = lines.find('\n');
        std::string_view line = lines.substr(0, end);
        lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
        line = without_blanks_at_end(line);
        if (line.empty()) {
            ++breaks_;
            continue;
        }
        for (; breaks_ > 0; --breaks_) out.append("\r\n");
        append_squeezed(out, line);
        breaks_ = 1;
        text_ = true;
    }
}

void RelaxedBody::close(std::string& out) const {
    if (text_) out.append("\r\n");
}

}  // namespace posthorn
