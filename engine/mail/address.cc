#include "engine/mail/address.h"

#include <idn2.h>

#include <array>
#include <memory>

#include "engine/mail/utf8.h"

namespace posthorn {
namespace {

enum CharacterClass : std::uint8_t { kOther, kAtext, kHigh };

constexpr std::array<std::uint8_t, 256> make_classes() {
    std::array<std::uint8_t, 256> classes{};
    for (int c = 'a'; c <= 'z'; ++c) classes[static_cast<std::size_t>(c)] = kAtext;
    for (int c = 'A'; c <= 'Z'; ++c) classes[static_cast<std::size_t>(c)] = kAtext;
    for (int c = '0'; c <= '9'; ++c) classes[static_cast<std::size_t>(c)] = kAtext;
    for (char c : std::string_view("!#$%&'*+-/=?^_`{|}~"))
        classes[static_cast<unsigned char>(c)] = kAtext;
    for (std::size_t c = 0x80; c < 0x100; ++c) classes[c] = kHigh;
    return classes;
}
constexpr std::array<std::uint8_t, 256> kClasses = make_classes();

CharacterClass class_of(char c) {
    return static_cast<CharacterClass>(kClasses[static_cast<unsigned char>(c)]);
}

// 0: may not stand in a host name; otherwise the character in lower case.
constexpr std::array<char, 256> make_host_characters() {
    std::array<char, 256> out{};
    for (int c = 'a'; c <= 'z'; ++c) out[static_cast<std::size_t>(c)] = static_cast<char>(c);
    for (int c = 'A'; c <= 'Z'; ++c) out[static_cast<std::size_t>(c)] = static_cast<char>(c + 32);
    for (int c = '0'; c <= '9'; ++c) out[static_cast<std::size_t>(c)] = static_cast<char>(c);
    out['-'] = '-';
    return out;
}
constexpr std::array<char, 256> kHostCharacters = make_host_characters();

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }
bool is_space(char c) { return c == ' ' || c == '\t'; }

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

AddressFault fault_of(char c) {
    if (is_control(c)) return AddressFault::kControl;
    switch (c) {
        case '(':
        case ')':
            return AddressFault::kComment;
        case ',':
        case ';':
            return AddressFault::kSeveral;
        case '<':
        case '>':
            return AddressFault::kBrackets;
        default:
            return AddressFault::kLocalSyntax;
    }
}

// C1 controls, and what no name may hold either.
bool has_bad_unicode(std::string_view text, AddressFault& fault) {
    while (!text.empty()) {
        const CodePoint point = take_code_point(text);
        if (!point.valid) fault = AddressFault::kUtf8;
        if (point.value >= 0x80 && point.value < 0xA0) fault = AddressFault::kControl;
        if (point.value == 0x2028 || point.value == 0x2029) fault = AddressFault::kControl;
        if (fault != AddressFault::kNone) return true;
    }
    return false;
}

// Takes a dot-atom and the @ behind it.
AddressFault take_dot_atom(std::string_view& rest, Address& out) {
    std::size_t i = 0, word = 0;
    for (;; ++i) {
        if (i == rest.size()) return AddressFault::kNoAt;
        const char c = rest[i];
        const CharacterClass kind = class_of(c);
        if (kind == kAtext) continue;
        if (kind == kHigh) {
            out.smtputf8 = true;
            continue;
        }
        if (c != '.' && c != '@') {
            const bool later = rest.find('@', i) != std::string_view::npos;
            return later || is_control(c) ? fault_of(c) : AddressFault::kNoAt;
        }
        if (i == word) return i == 0 && c == '@' ? AddressFault::kLocalEmpty : fault_of(c);
        word = i + 1;
        if (c == '@') break;
    }
    if (i > kLocalBytesMax) return AddressFault::kLocalTooLong;
    out.local.assign(rest.data(), i);
    rest.remove_prefix(i + 1);
    return AddressFault::kNone;
}

bool is_dot_atom(std::string_view text) {
    bool word = false;
    for (char c : text) {
        if (c == '.' ? !word : class_of(c) == kOther) return false;
        word = c != '.';
    }
    return word;
}

// Takes a quoted string and the @ behind it; quotes that nothing needs are dropped.
AddressFault take_quoted_local(std::string_view& rest, Address& out) {
    std::string& content = out.local;
    content.clear();
    std::size_t i = 1;
    for (;; ++i) {
        if (i == rest.size()) return AddressFault::kLocalSyntax;
        if (rest[i] == '"') break;
        if (rest[i] == '\\' && ++i == rest.size()) return AddressFault::kLocalSyntax;
        if (is_control(rest[i])) return AddressFault::kControl;
        if (class_of(rest[i]) == kHigh) out.smtputf8 = true;
        content.push_back(rest[i]);
    }
    if (i + 1 == rest.size() || rest[i + 1] != '@') return AddressFault::kNoAt;
    rest.remove_prefix(i + 2);
    if (!is_dot_atom(content)) {
        std::string quoted = "\"";
        for (char c : content) {
            if (c == '"' || c == '\\') quoted.push_back('\\');
            quoted.push_back(c);
        }
        content = quoted + '"';
    }
    return content.size() > kLocalBytesMax ? AddressFault::kLocalTooLong : AddressFault::kNone;
}

AddressFault label_fault(std::string_view label) {
    if (label.empty()) return AddressFault::kLabelEmpty;
    if (label.size() > kLabelBytesMax) return AddressFault::kLabelTooLong;
    if (label.front() == '-' || label.back() == '-') return AddressFault::kDomainSyntax;
    return AddressFault::kNone;
}

AddressFault parse_ascii_domain(std::string_view text, std::string& out) {
    if (text.size() > kDomainBytesMax) return AddressFault::kDomainTooLong;
    out.resize(text.size());
    std::size_t label = 0, labels = 0;
    for (std::size_t i = 0; i <= text.size(); ++i) {
        if (i < text.size() && text[i] != '.') {
            const char lower = kHostCharacters[static_cast<unsigned char>(text[i])];
            if (lower == 0)
                return is_control(text[i]) ? AddressFault::kControl : AddressFault::kDomainSyntax;
            out[i] = lower;
            continue;
        }
        const AddressFault fault = label_fault(text.substr(label, i - label));
        if (fault != AddressFault::kNone) return fault;
        if (i < text.size()) {
            out[i] = '.';
            label = i + 1;
        }
        ++labels;
    }
    if (labels < 2) return AddressFault::kDomainOneLabel;
    // A last label of digits alone is the tail of an IPv4 address, never a domain (RFC 3696).
    if (out.find_first_not_of("0123456789", label) == std::string::npos)
        return AddressFault::kDomainSyntax;
    return AddressFault::kNone;
}

AddressFault parse_idn(std::string_view text, std::string& out) {
    if (text.size() > 4 * kDomainBytesMax) return AddressFault::kDomainTooLong;
    if (!valid_utf8(text)) return AddressFault::kUtf8;
    const std::string input(text);
    std::uint8_t* looked_up = nullptr;
    const int code = idn2_lookup_u8(reinterpret_cast<const std::uint8_t*>(input.c_str()),
                                    &looked_up, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    if (code != IDN2_OK) {
        if (code == IDN2_TOO_BIG_LABEL || code == IDN2_PUNYCODE_BIG_OUTPUT)
            return AddressFault::kLabelTooLong;
        if (code == IDN2_TOO_BIG_DOMAIN) return AddressFault::kDomainTooLong;
        return AddressFault::kDomainIdn;
    }
    const std::string ascii(reinterpret_cast<const char*>(looked_up));
    idn2_free(looked_up);
    return parse_ascii_domain(ascii, out);
}

bool may_stand_bare(char c) {
    return c != ',' && c != ';' && c != ':' && c != '>' && c != '\\' && !is_control(c);
}

// Phrase of bare and quoted words, runs of blanks as one space.
AddressFault parse_name(std::string_view text, std::string& out) {
    out.clear();
    bool quoted = false, blank = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c == '"') {
            quoted = !quoted;
            continue;
        }
        if (quoted && c == '\\' && i + 1 < text.size()) c = text[++i];
        if (c != '\t' && is_control(c)) return AddressFault::kControl;
        if (is_space(c)) {
            blank = !out.empty();
            continue;
        }
        if (!quoted && !may_stand_bare(c))
            return c == ',' || c == ';' ? AddressFault::kSeveral : AddressFault::kName;
        if (blank) out.push_back(' ');
        blank = false;
        out.push_back(c);
    }
    if (quoted) return AddressFault::kName;
    AddressFault fault = AddressFault::kNone;
    if (!is_ascii(out)) has_bad_unicode(out, fault);
    return fault;
}

// Of the < that opens the address, outside quotes.
std::size_t find_bracket(std::string_view text) {
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '"') quoted = !quoted;
        if (text[i] == '<' && !quoted) return i;
        if (text[i] == '\\' && quoted) ++i;
    }
    return std::string_view::npos;
}

}  // namespace

void Address::append_to(std::string& out) const {
    out.append(local);
    out.push_back('@');
    out.append(domain);
}

std::string Address::to_string() const {
    std::string out;
    append_to(out);
    return out;
}

AddressFault parse_domain(std::string_view text, std::string& out) {
    if (text.empty()) return AddressFault::kDomainEmpty;
    if (text.front() == '[') return AddressFault::kDomainLiteral;
    return is_ascii(text) ? parse_ascii_domain(text, out) : parse_idn(text, out);
}

AddressFault parse_address(std::string_view text, Address& out) {
    text = trimmed(text);
    out.name.clear();
    out.smtputf8 = false;
    if (text.empty()) return AddressFault::kEmpty;
    if (text.size() > kMailboxBytesMax) return AddressFault::kTooLong;
    AddressFault fault =
        text.front() == '"' ? take_quoted_local(text, out) : take_dot_atom(text, out);
    if (fault != AddressFault::kNone) return fault;
    if (out.smtputf8 && has_bad_unicode(out.local, fault)) return fault;
    fault = parse_domain(text, out.domain);
    if (fault != AddressFault::kNone) return fault;
    return out.local.size() + 1 + out.domain.size() > kAddressBytesMax ? AddressFault::kTooLong
                                                                       : AddressFault::kNone;
}

AddressFault parse_mailbox(std::string_view text, Address& out) {
    text = trimmed(text);
    if (text.size() > kMailboxBytesMax) return AddressFault::kTooLong;
    if (text.empty() || text.back() != '>') {
        const AddressFault fault = parse_address(text, out);
        const bool open = fault != AddressFault::kNone && fault != AddressFault::kControl &&
                          find_bracket(text) != std::string_view::npos;
        return open ? AddressFault::kBrackets : fault;
    }
    const std::size_t open = find_bracket(text);
    if (open == std::string_view::npos) return AddressFault::kBrackets;
    const std::string_view inner = text.substr(open + 1, text.size() - open - 2);
    if (!inner.empty() && (is_space(inner.front()) || is_space(inner.back())))
        return AddressFault::kBrackets;
    const AddressFault fault = parse_address(inner, out);
    return fault != AddressFault::kNone ? fault : parse_name(text.substr(0, open), out.name);
}

Result<Address> parse_mailbox(std::string_view text) {
    Address address;
    const AddressFault fault = parse_mailbox(text, address);
    if (fault == AddressFault::kNone) return address;
    return Error{ErrorKind::kInvalid, "'" + std::string(text.substr(0, 100)) +
                                          "' is not an address: " + std::string(reason(fault))};
}

std::string unicode_domain(std::string_view domain) {
    const std::string input(domain);
    char* decoded = nullptr;
    if (idn2_to_unicode_8z8z(input.c_str(), &decoded, 0) != IDN2_OK) return input;
    std::string out(decoded);
    idn2_free(decoded);
    return out;
}

}  // namespace posthorn
