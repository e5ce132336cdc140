// What happened in a world, as a hash of all its events; in words as well when it is traced.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "engine/base/hash.h"
#include "engine/base/time.h"

namespace posthorn::sim {

class Tape {
  public:
    explicit Tape(bool traced) : traced_(traced) {}

    bool traced() const { return traced_; }
    std::uint64_t hash() const { return hash_; }

    // An event: its kind, and numbers or bytes that tell it from others of its kind.
    void note(const Now& now, std::string_view kind, std::uint64_t a, std::uint64_t b = 0,
              std::string_view bytes = {}) {
        hash_ = hash64(kind, hash_ ^ static_cast<std::uint64_t>(to_micros(now.wall)));
        hash_ = hash64(bytes, hash_ + a * 0x9e3779b97f4a7c15ULL + b);
        if (traced_) print(now, kind, a, b, bytes);
    }

  private:
    static void print(const Now& now, std::string_view kind, std::uint64_t a, std::uint64_t b,
                      std::string_view bytes) {
        std::string shown;
        for (const char c : bytes.substr(0, 200)) shown += c < ' ' || c > '~' ? '.' : c;
        std::printf("%12.6f %-18.*s %llu %llu %s\n",
                    static_cast<double>(now.instant.time_since_epoch().count()) / 1e6 - 3'600'000.0,
                    static_cast<int>(kind.size()), kind.data(), static_cast<unsigned long long>(a),
                    static_cast<unsigned long long>(b), shown.c_str());
    }

    bool traced_;
    std::uint64_t hash_ = 0;
};

}  // namespace posthorn::sim
