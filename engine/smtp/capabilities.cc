#include "engine/smtp/capabilities.h"

#include <algorithm>
#include <charconv>

namespace posthorn {

namespace {

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

// The next word of a line, separated by spaces or tabs; empty at the end.
std::string_view take_word(std::string_view& line) {
    const std::size_t start = line.find_first_not_of(" \t");
    if (start == std::string_view::npos) return line = {};
    const std::size_t end = std::min(line.find_first_of(" \t", start), line.size());
    const std::string_view word = line.substr(start, end - start);
    line.remove_prefix(end);
    return word;
}

}  // namespace

std::optional<std::uint64_t> parse_decimal(std::string_view digits) {
    std::uint64_t value = 0;
    const char* end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, value);
    if (error != std::errc() || stop != end || digits.empty()) return std::nullopt;
    return value;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return upper(x) == upper(y); });
}

namespace {

void add_limits(Capabilities& capabilities, std::string_view line) {
    for (std::string_view word = take_word(line); !word.empty(); word = take_word(line)) {
        const std::size_t equals = word.find('=');
        if (equals == std::string_view::npos) continue;
        const auto value = parse_decimal(word.substr(equals + 1));
        if (!value || *value == 0) continue;
        const std::string_view name = word.substr(0, equals);
        if (equal_ignoring_case(name, "MAILMAX")) capabilities.mail_max = value;
        if (equal_ignoring_case(name, "RCPTMAX")) capabilities.rcpt_max = value;
        if (equal_ignoring_case(name, "RCPTDOMAINMAX")) capabilities.domain_max = value;
    }
}

void add_auth(Capabilities& capabilities, std::string_view line) {
    if (capabilities.auth.empty()) capabilities.auth = " ";
    for (std::string_view word = take_word(line); !word.empty(); word = take_word(line)) {
        for (const char c : word) capabilities.auth += upper(c);
        capabilities.auth += ' ';
    }
}

}  // namespace

void Capabilities::add(std::string_view line) {
    const std::string_view keyword = take_word(line);
    const auto is = [keyword](std::string_view name) { return equal_ignoring_case(keyword, name); };
    if (is("PIPELINING")) {
        pipelining = true;
    } else if (is("CHUNKING")) {
        chunking = true;
    } else if (is("8BITMIME")) {
        eight_bit_mime = true;
    } else if (is("SMTPUTF8")) {
        smtputf8 = true;
    } else if (is("ENHANCEDSTATUSCODES")) {
        enhanced_status_codes = true;
    } else if (is("STARTTLS")) {
        starttls = true;
    } else if (is("SIZE")) {
        size = true;
        const auto limit = parse_decimal(take_word(line));
        if (limit && *limit > 0) size_max = limit;  // 0 says: no fixed limit
    } else if (is("AUTH")) {
        add_auth(*this, line);
    } else if (is("LIMITS")) {
        add_limits(*this, line);
    }
}

bool Capabilities::offers_auth(std::string_view mechanism) const {
    return auth.find(" " + std::string(mechanism) + " ") != std::string::npos;
}

Capabilities parse_capabilities(const Reply& ehlo_reply) {
    Capabilities capabilities;
    std::string_view rest = ehlo_reply.text;
    bool first = true;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        std::string_view line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (first) {
            capabilities.host = take_word(line);
        } else {
            capabilities.add(line);
        }
        first = false;
    }
    return capabilities;
}

}  // namespace posthorn
