#include "engine/smtp/line_scan.h"

#include <bit>
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace posthorn {

std::size_t find_odd_octet_slowly(std::string_view text, char before) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if ((c == '\n') != (before == '\r') || (c == '.' && before == '\n')) return i;
        before = c;
    }
    return text.size();
}

#if defined(__SSE2__)

namespace {

constexpr std::size_t kStep = 64;

// One bit for each of 64 octets: set where it equals c.
std::uint64_t equal_mask(const __m128i* octets, char c) {
    const __m128i wanted = _mm_set1_epi8(c);
    std::uint64_t mask = 0;
    for (int i = 3; i >= 0; --i) {
        const int part = _mm_movemask_epi8(_mm_cmpeq_epi8(octets[i], wanted));
        mask = (mask << 16) | static_cast<std::uint64_t>(part);
    }
    return mask;
}

}  // namespace

std::size_t find_odd_octet(std::string_view text, char before) {
    std::uint64_t cr_before = before == '\r' ? 1 : 0;
    std::uint64_t lf_before = before == '\n' ? 1 : 0;
    std::size_t at = 0;
    for (; text.size() - at >= kStep; at += kStep) {
        __m128i octets[4];
        const auto* from = reinterpret_cast<const __m128i*>(text.data() + at);
        for (int i = 0; i < 4; ++i) octets[i] = _mm_loadu_si128(from + i);
        const std::uint64_t cr = equal_mask(octets, '\r');
        const std::uint64_t lf = equal_mask(octets, '\n');
        const std::uint64_t dot = equal_mask(octets, '.');
        const std::uint64_t after_cr = (cr << 1) | cr_before;
        const std::uint64_t after_lf = (lf << 1) | lf_before;
        const std::uint64_t odd = (lf ^ after_cr) | (dot & after_lf);
        if (odd != 0) return at + static_cast<std::size_t>(std::countr_zero(odd));
        cr_before = cr >> 63;
        lf_before = lf >> 63;
    }
    if (at > 0) before = text[at - 1];
    return at + find_odd_octet_slowly(text.substr(at), before);
}

#else

std::size_t find_odd_octet(std::string_view text, char before) {
    return find_odd_octet_slowly(text, before);
}

#endif

}  // namespace posthorn
