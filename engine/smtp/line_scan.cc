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

// One bit for each of 64 octets: set where it equals c. Written out, because -O2 keeps loops and
// with them the octets in memory.
std::uint64_t equal_mask(const __m128i (&octets)[4], char c) {
    const __m128i wanted = _mm_set1_epi8(c);
    const auto part = [&](int i) -> std::uint64_t {
        return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(octets[i], wanted)));
    };
    return part(0) | part(1) << 16 | part(2) << 32 | part(3) << 48;
}

}  // namespace

std::size_t find_odd_octet(std::string_view text, char before) {
    std::uint64_t cr_before = before == '\r' ? 1 : 0;
    std::uint64_t lf_before = before == '\n' ? 1 : 0;
    std::size_t at = 0;
    for (; text.size() - at >= kStep; at += kStep) {
        const auto* from = reinterpret_cast<const __m128i*>(text.data() + at);
        const __m128i octets[4] = {_mm_loadu_si128(from), _mm_loadu_si128(from + 1),
                                   _mm_loadu_si128(from + 2), _mm_loadu_si128(from + 3)};
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
