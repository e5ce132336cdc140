// CHECK: assertions of invariants, on in every build. A failed check is a bug in Posthorn, never
// bad input; it prints the condition and its place and aborts, so that no wrong outcome is
// recorded.
#pragma once

namespace posthorn {

[[noreturn]] void check_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace posthorn

#define CHECK(condition)                                              \
    do {                                                              \
        if (!(condition)) [[unlikely]]                                \
            ::posthorn::check_failed(#condition, __FILE__, __LINE__); \
    } while (false)
