#include "engine/mail/headers.h"

#include <algorithm>
#include <array>

#include "engine/mail/encodings.h"
#include "engine/mail/mime.h"
#include "engine/mail/utf8.h"

namespace posthorn {
namespace {

constexpr std::size_t kWordBytesMax = 900;  // a longer word cannot fold: it is encoded
constexpr std::size_t kQuotedNameMax = 60;  // a longer name is encoded, because that folds

constexpr std::array<bool, 256> make_atom() {
    std::array<bool, 256> atom{};
    for (std::size_t c = 0x21; c < 0x7F; ++c)
        atom[c] = std::string_view("()<>[]:;@\\,.\"").find(static_cast<char>(c)) ==
                  std::string_view::npos;
    return atom;
}
constexpr std::array<bool, 256> kAtom = make_atom();

bool is_blank_or_control(char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F; }

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_blank_or_control(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank_or_control(text.back())) text.remove_suffix(1);
    return text;
}

// Printable ASCII that no reader takes for an encoded word.
bool is_plain(std::string_view text) {
    for (char c : text)
        if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7F)
            return false;
    return text.find("=?") == std::string_view::npos;
}

bool has_long_word(std::string_view text) {
    std::size_t word = 0;
    for (char c : text) {
        word = c == ' ' ? 0 : word + 1;
        if (word > kWordBytesMax) return true;
    }
    return false;
}

// Folds before a space, where a word would pass the wanted length. Never makes a line of blanks.
void append_folded(std::string& out, std::string_view text, std::size_t column) {
    while (!text.empty()) {
        std::size_t end = text.find_first_not_of(' ');
        end = std::min(text.find(' ', std::min(end, text.size())), text.size());
        if (text.front() == ' ' && column + end > kHeaderLineWanted) {
            out.append("\r\n");
            column = 0;
        }
        out.append(text.substr(0, end));
        column += end;
        text.remove_prefix(end);
    }
}

bool is_phrase_of_atoms(std::string_view name) {
    bool blank = true;  // neither at the ends nor two in a row
    for (char c : name) {
        if (c == ' ' ? blank : !kAtom[static_cast<unsigned char>(c)]) return false;
        blank = c == ' ';
    }
    return !blank;
}

void append_display_name(std::string& out, std::string_view name, std::size_t& column) {
    const std::size_t start = out.size();
    if (name.size() > kQuotedNameMax || !is_plain(name)) {
        append_encoded_words(out, name, EncodedWordPlace::kPhrase, column);
        return;
    }
    if (is_phrase_of_atoms(name)) {
        out.append(name);
    } else {
        out.push_back('"');
        for (char c : name) {
            if (c == '"' || c == '\\') out.push_back('\\');
            out.push_back(c);
        }
        out.push_back('"');
    }
    column += out.size() - start;
}

void append_mailbox(std::string& out, std::string_view name, std::string_view local,
                    std::string_view domain, std::size_t& column) {
    name = trimmed(name);
    const std::size_t at = domain.empty() ? 0 : 1;
    const std::size_t length = local.size() + domain.size() + at + (name.empty() ? 0 : 3);
    if (!name.empty()) append_display_name(out, name, column);
    const bool after_something = !name.empty() || out[out.size() - 2] != ':';
    if (column + length > kHeaderLineWanted && after_something) {
        out.append(name.empty() ? "\r\n " : "\r\n");
        column = name.empty() ? 1 : 0;
    }
    if (!name.empty()) out.append(" <");
    out.append(local);
    if (at != 0) out.push_back('@');
    out.append(domain);
    if (!name.empty()) out.push_back('>');
    column += length;
}

struct Date {
    int year, month, day, weekday;  // weekday: 0 is Sunday
};

// Days since 1970-01-01 into the proleptic Gregorian calendar (Howard Hinnant's civil_from_days).
Date date_of(std::int64_t days) {
    const std::int64_t shifted = days + 719468;
    const std::int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    const std::int64_t of_era = shifted - era * 146097;
    const std::int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    const std::int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    const std::int64_t month = (5 * of_year + 2) / 153;
    Date date;
    date.day = static_cast<int>(of_year - (153 * month + 2) / 5 + 1);
    date.month = static_cast<int>(month < 10 ? month + 3 : month - 9);
    date.year = static_cast<int>(year + era * 400 + (date.month <= 2 ? 1 : 0));
    date.weekday = static_cast<int>(((days + 4) % 7 + 7) % 7);
    return date;
}

}  // namespace

bool valid_header_name(std::string_view name) {
    if (name.empty() || name.size() > 76) return false;
    for (char c : name)
        if (c <= 0x20 || c >= 0x7F || c == ':') return false;
    return true;
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
    value = trimmed(value);
    out.append(name);
    out.append(": ");
    std::size_t column = name.size() + 2;
    if (!is_plain(value) || has_long_word(value))
        append_encoded_words(out, value, EncodedWordPlace::kUnstructured, column);
    else if (column + value.size() <= kHeaderLineWanted)
        out.append(value);
    else
        append_folded(out, value, column);
    out.append("\r\n");
}

void append_structured_header(std::string& out, std::string_view name, std::string_view value) {
    value = trimmed(value);
    out.append(name);
    out.append(": ");
    const std::size_t column = name.size() + 2;
    bool clean = true;
    for (char c : value)
        clean = clean && static_cast<unsigned char>(c) >= 0x20 && c > 0 && c < 0x7F;
    if (clean) {
        append_folded(out, value, column);
    } else {
        std::string kept;
        for (char c : value)
            if (c >= 0x20 && c < 0x7F) kept.push_back(c);
        append_folded(out, kept, column);
    }
    out.append("\r\n");
}

void append_mailbox_header(std::string& out, std::string_view name,
                           std::span<const Address> mailboxes) {
    out.append(name);
    out.append(": ");
    std::size_t column = name.size() + 2;
    for (std::size_t i = 0; i < mailboxes.size(); ++i) {
        if (i > 0) {
            out.append(", ");
            column += 2;
        }
        const Address& mailbox = mailboxes[i];
        append_mailbox(out, mailbox.name, mailbox.local, mailbox.domain, column);
    }
    out.append("\r\n");
}

void append_mailbox_header(std::string& out, std::string_view header, std::string_view name,
                           std::string_view address) {
    out.append(header);
    out.append(": ");
    std::size_t column = header.size() + 2;
    append_mailbox(out, name, address, {}, column);
    out.append("\r\n");
}

void append_date(std::string& out, WallTime time) {
    static constexpr char kDays[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr char kMonths[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const std::int64_t seconds = to_micros(time) / 1'000'000;
    const std::int64_t days = (seconds >= 0 ? seconds : seconds - 86399) / 86400;
    const int of_day = static_cast<int>(seconds - days * 86400);
    const Date date = date_of(days);
    const auto two = [&out](int value) {
        out.push_back(static_cast<char>('0' + value / 10 % 10));
        out.push_back(static_cast<char>('0' + value % 10));
    };
    out.append(kDays[date.weekday]);
    out.append(", ");
    two(date.day);
    out.push_back(' ');
    out.append(kMonths[date.month - 1]);
    out.push_back(' ');
    two(date.year / 100);
    two(date.year);
    out.push_back(' ');
    two(of_day / 3600);
    out.push_back(':');
    two(of_day / 60 % 60);
    out.push_back(':');
    two(of_day % 60);
    out.append(" +0000");
}

}  // namespace posthorn
