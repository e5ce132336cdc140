#include "engine/queue/import_manifest.h"

#include "engine/base/bytes.h"
#include "engine/base/hash.h"
#include "engine/queue/durable_file.h"

namespace posthorn {

namespace {

constexpr std::uint8_t kManifestFormat = 1;
constexpr std::size_t kManifestBytesMax = std::size_t{16} << 20;
constexpr std::size_t kHashBytes = 8;

std::optional<ImportManifest> decode(std::string_view bytes) {
    if (bytes.size() < kHashBytes) return std::nullopt;
    const std::string_view body = bytes.substr(0, bytes.size() - kHashBytes);
    if (ByteReader(bytes.substr(body.size())).u64() != hash64(body)) return std::nullopt;
    ByteReader in(body);
    ImportManifest manifest;
    if (in.u8() != kManifestFormat) return std::nullopt;
    manifest.campaign = in.u32();
    const std::uint64_t count = in.varint();
    if (count > in.rest().size()) return std::nullopt;
    for (std::uint64_t i = 0; i < count; ++i) {
        ImportManifest::Run run;
        run.number = in.varint();
        run.bytes = in.varint();
        run.records = in.varint();
        manifest.runs.push_back(run);
    }
    manifest.position = in.string();
    if (!in.at_end()) return std::nullopt;
    return manifest;
}

}  // namespace

Result<std::optional<ImportManifest>> ImportManifest::load(const std::string& path) {
    const auto bytes = read_small_file(path, kManifestBytesMax);
    if (!bytes && bytes.error().kind == ErrorKind::kNotFound)
        return std::optional<ImportManifest>();
    if (!bytes) return bytes.error();
    auto manifest = decode(*bytes);
    if (!manifest)
        return Error{ErrorKind::kCorrupt,
                     path + " is damaged: remove its directory, and the import begins anew"};
    return manifest;
}

Status ImportManifest::save(const std::string& path) const {
    std::string bytes;
    put_u8(bytes, kManifestFormat);
    put_u32(bytes, campaign);
    put_varint(bytes, runs.size());
    for (const Run& run : runs) {
        put_varint(bytes, run.number);
        put_varint(bytes, run.bytes);
        put_varint(bytes, run.records);
    }
    put_string(bytes, position);
    put_u64(bytes, hash64(bytes));
    return write_file_durably(path, bytes);
}

}  // namespace posthorn
