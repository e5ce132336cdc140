// What the record files share: times as offsets, enumerations within their range, errors. Private
// to engine/queue.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/bytes.h"
#include "engine/base/result.h"
#include "engine/base/time.h"

namespace posthorn {

inline constexpr std::uint8_t kRecordFormat = 1;

// Signed numbers near zero as small varints.
void put_signed(std::string& out, std::int64_t value);
std::int64_t read_signed(ByteReader& in);

// A time as its distance from another. Any pair of times comes back as it was.
void put_time(std::string& out, WallTime time, WallTime base = {});
WallTime read_time(ByteReader& in, WallTime base = {});

Error corrupt_record(std::string_view what);

template <class Enum>
bool read_enum(std::uint64_t value, Enum last, Enum& out) {
    if (value > static_cast<std::uint64_t>(last)) return false;
    out = static_cast<Enum>(value);
    return true;
}

template <class Integer>
bool read_integer(ByteReader& in, Integer& out) {
    const std::uint64_t value = in.varint();
    out = static_cast<Integer>(value);
    return in.ok() && out == value;
}

inline bool read_format(ByteReader& in) { return in.u8() == kRecordFormat && in.ok(); }

}  // namespace posthorn
