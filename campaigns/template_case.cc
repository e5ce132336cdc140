#include "campaigns/template_filters.h"

namespace posthorn {
namespace {

bool in(char32_t c, char32_t low, char32_t high) { return c >= low && c <= high; }

// Latin Extended-A has its pairs side by side: capitals even in most of it, odd in two stretches.
bool is_even_pair(char32_t c) {
    return in(c, 0x100, 0x137) || in(c, 0x14A, 0x177) || in(c, 0x1E00, 0x1E95) ||
           in(c, 0x1EA0, 0x1EFF) || in(c, 0x460, 0x481) || in(c, 0x48A, 0x4BF) ||
           in(c, 0x4D0, 0x52F) || in(c, 0x218, 0x21F);
}
bool is_odd_pair(char32_t c) { return in(c, 0x139, 0x148) || in(c, 0x179, 0x17E); }

}  // namespace

char32_t upper_case(char32_t c) {
    if (in(c, 'a', 'z')) return c - 32;
    if (c < 0x80) return c;
    if (in(c, 0xE0, 0xFE) && c != 0xF7) return c - 32;
    if (c == 0xFF) return 0x178;
    if (c == 0x131) return 'I';
    if (is_even_pair(c)) return c & ~char32_t{1};
    if (is_odd_pair(c)) return c % 2 == 0 ? c - 1 : c;
    if (c == 0x3C2) return 0x3A3;
    if (in(c, 0x3B1, 0x3C9)) return c - 32;
    if (c == 0x3AC) return 0x386;
    if (in(c, 0x3AD, 0x3AF)) return c - 37;
    if (c == 0x3CC) return 0x38C;
    if (in(c, 0x3CD, 0x3CE)) return c - 63;
    if (in(c, 0x430, 0x44F)) return c - 32;
    if (in(c, 0x450, 0x45F)) return c - 80;
    return c;
}

char32_t lower_case(char32_t c) {
    if (in(c, 'A', 'Z')) return c + 32;
    if (c < 0x80) return c;
    if (in(c, 0xC0, 0xDE) && c != 0xD7) return c + 32;
    if (c == 0x178) return 0xFF;
    if (c == 0x130) return 'i';
    if (is_even_pair(c)) return c | 1;
    if (is_odd_pair(c)) return c % 2 == 1 ? c + 1 : c;
    if (in(c, 0x391, 0x3A9)) return c + 32;
    if (c == 0x386) return 0x3AC;
    if (in(c, 0x388, 0x38A)) return c + 37;
    if (c == 0x38C) return 0x3CC;
    if (in(c, 0x38E, 0x38F)) return c + 63;
    if (in(c, 0x410, 0x42F)) return c + 32;
    if (in(c, 0x400, 0x40F)) return c + 80;
    return c;
}

}  // namespace posthorn
