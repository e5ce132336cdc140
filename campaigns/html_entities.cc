#include <algorithm>
#include <charconv>
#include <cstdint>

#include "campaigns/html_text.h"
#include "engine/mail/utf8.h"

namespace posthorn {
namespace {

struct Entity {
    std::string_view name;
    char32_t value;
};

// Sorted by name. Spaces of all widths become one plain space, joiners vanish (value 0).
constexpr Entity kEntities[] = {
    {"AElig", 0xC6},    {"Aacute", 0xC1},   {"Acirc", 0xC2},    {"Agrave", 0xC0},
    {"Aring", 0xC5},    {"Atilde", 0xC3},   {"Auml", 0xC4},     {"Ccedil", 0xC7},
    {"Eacute", 0xC9},   {"Ecirc", 0xCA},    {"Egrave", 0xC8},   {"Euml", 0xCB},
    {"Iacute", 0xCD},   {"Icirc", 0xCE},    {"Igrave", 0xCC},   {"Iuml", 0xCF},
    {"Ntilde", 0xD1},   {"OElig", 0x152},   {"Oacute", 0xD3},   {"Ocirc", 0xD4},
    {"Ograve", 0xD2},   {"Oslash", 0xD8},   {"Otilde", 0xD5},   {"Ouml", 0xD6},
    {"Scaron", 0x160},  {"Uacute", 0xDA},   {"Ucirc", 0xDB},    {"Ugrave", 0xD9},
    {"Uuml", 0xDC},     {"Yacute", 0xDD},   {"aacute", 0xE1},   {"acirc", 0xE2},
    {"acute", 0xB4},    {"aelig", 0xE6},    {"agrave", 0xE0},   {"amp", '&'},
    {"apos", '\''},     {"aring", 0xE5},    {"atilde", 0xE3},   {"auml", 0xE4},
    {"bdquo", 0x201E},  {"bull", 0x2022},   {"ccedil", 0xE7},   {"cent", 0xA2},
    {"check", 0x2713},  {"copy", 0xA9},     {"dagger", 0x2020}, {"deg", 0xB0},
    {"divide", 0xF7},   {"eacute", 0xE9},   {"ecirc", 0xEA},    {"egrave", 0xE8},
    {"emsp", ' '},      {"ensp", ' '},      {"euml", 0xEB},     {"euro", 0x20AC},
    {"frac12", 0xBD},   {"frac14", 0xBC},   {"frac34", 0xBE},   {"gt", '>'},
    {"hearts", 0x2665}, {"hellip", 0x2026}, {"iacute", 0xED},   {"icirc", 0xEE},
    {"iexcl", 0xA1},    {"igrave", 0xEC},   {"iquest", 0xBF},   {"iuml", 0xEF},
    {"laquo", 0xAB},    {"larr", 0x2190},   {"ldquo", 0x201C},  {"lsaquo", 0x2039},
    {"lsquo", 0x2018},  {"lt", '<'},        {"mdash", 0x2014},  {"micro", 0xB5},
    {"middot", 0xB7},   {"nbsp", ' '},      {"ndash", 0x2013},  {"ntilde", 0xF1},
    {"oacute", 0xF3},   {"ocirc", 0xF4},    {"oelig", 0x153},   {"ograve", 0xF2},
    {"ordf", 0xAA},     {"ordm", 0xBA},     {"oslash", 0xF8},   {"otilde", 0xF5},
    {"ouml", 0xF6},     {"para", 0xB6},     {"permil", 0x2030}, {"plusmn", 0xB1},
    {"pound", 0xA3},    {"quot", '"'},      {"raquo", 0xBB},    {"rarr", 0x2192},
    {"rdquo", 0x201D},  {"reg", 0xAE},      {"rsaquo", 0x203A}, {"rsquo", 0x2019},
    {"sbquo", 0x201A},  {"scaron", 0x161},  {"sect", 0xA7},     {"shy", 0},
    {"star", 0x2606},   {"sup2", 0xB2},     {"sup3", 0xB3},     {"szlig", 0xDF},
    {"thinsp", ' '},    {"times", 0xD7},    {"trade", 0x2122},  {"uacute", 0xFA},
    {"ucirc", 0xFB},    {"ugrave", 0xF9},   {"uuml", 0xFC},     {"yacute", 0xFD},
    {"yen", 0xA5},      {"yuml", 0xFF},     {"zwj", 0},         {"zwnj", 0},
};
constexpr std::size_t kEntityBytesMax = 12;  // between & and ;

constexpr char32_t kUnknown = 0xFFFFFFFF;

char32_t plain(char32_t c) {
    if (c == 0xA0 || (c >= 0x2000 && c <= 0x200A) || c == 0x202F || c == 0x3000) return ' ';
    if (c == 0xAD || (c >= 0x200B && c <= 0x200F) || c == 0x2060 || c == 0xFEFF || c == 0x34F)
        return 0;
    return c;
}

char32_t numeric(std::string_view digits) {
    int base = 10;
    if (!digits.empty() && (digits.front() == 'x' || digits.front() == 'X')) {
        base = 16;
        digits.remove_prefix(1);
    }
    std::uint32_t value = 0;
    const char* end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, value, base);
    if (error != std::errc() || stop != end || digits.empty()) return kUnknown;
    const bool character = value >= 0x20 && value <= 0x10FFFF && !(value >= 0x7F && value < 0xA0) &&
                           !(value >= 0xD800 && value < 0xE000);
    return character ? plain(value) : U' ';
}

char32_t meaning_of(std::string_view name) {
    if (name.starts_with('#')) return numeric(name.substr(1));
    const auto found = std::lower_bound(
        std::begin(kEntities), std::end(kEntities), name,
        [](const Entity& entity, std::string_view wanted) { return entity.name < wanted; });
    return found != std::end(kEntities) && found->name == name ? found->value : kUnknown;
}

}  // namespace

void append_decoded_entities(std::string& out, std::string_view html) {
    while (!html.empty()) {
        const std::size_t run = std::min(html.find('&'), html.size());
        out.append(html.substr(0, run));
        html.remove_prefix(run);
        if (html.empty()) return;
        const std::size_t end = html.substr(0, kEntityBytesMax + 2).find(';');
        const char32_t value =
            end == std::string_view::npos ? kUnknown : meaning_of(html.substr(1, end - 1));
        if (value == kUnknown) {
            out.push_back('&');
            html.remove_prefix(1);
            continue;
        }
        html.remove_prefix(end + 1);
        // Two braces in a row would be a template tag that nobody wrote.
        if (value == '{' && out.ends_with('{')) out.push_back(' ');
        if (value != 0) append_utf8(out, value);
    }
}

}  // namespace posthorn
