// What of an import is safe on disk: the complete runs, and where its list stood after the last of
// them. Written whole or not at all.
//
//   manifest := u8(1) u32(campaign) varint(count) run{count} string(position) u64(hash64)
//   run      := varint(number) varint(bytes) varint(records)
//
// The hash is that of all bytes before it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/queue/model.h"

namespace posthorn {

struct ImportManifest {
    struct Run {
        std::uint64_t number = 0;
        std::uint64_t bytes = 0;
        std::uint64_t records = 0;
        friend bool operator==(const Run&, const Run&) = default;
    };
    CampaignNumber campaign = 0;
    std::vector<Run> runs;
    std::string position;  // the caller's own

    // nullopt: nothing is safe yet.
    static Result<std::optional<ImportManifest>> load(const std::string& path);
    Status save(const std::string& path) const;

    friend bool operator==(const ImportManifest&, const ImportManifest&) = default;
};

}  // namespace posthorn
