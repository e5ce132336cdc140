// The files that a campaign names.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include "campaigns/campaign_file_sections.h"
#include "campaigns/content_hash.h"
#include "engine/mail/utf8.h"

namespace posthorn {

namespace {

namespace fs = std::filesystem;

bool lies_in(const fs::path& file, const fs::path& directory) {
    auto at = file.begin();
    for (const fs::path& part : directory) {
        if (at == file.end() || *at != part) return false;
        ++at;
    }
    return at != file.end();
}

}  // namespace

std::optional<std::string> resolve_file(CampaignReading& reading, const std::string& path,
                                        std::string_view written, bool directory,
                                        CampaignErrorCode missing) {
    if (written.empty() || written.find('\0') != std::string_view::npos) {
        reading.error(missing, path, "this is not the name of a file");
        return std::nullopt;
    }
    const fs::path base(reading.directory);
    const auto outside = [&] {
        reading.error(CampaignErrorCode::kFileOutside, path,
                      in_quotes(written) + " lies outside the campaign file's directory",
                      "move it there, or allow it with --allow-outside");
        return std::nullopt;
    };
    // Before it is touched: what lies outside is refused whether it exists or not.
    if (!reading.options.allow_outside && !lies_in((base / written).lexically_normal(), base))
        return outside();
    std::error_code failure;
    const fs::path real = fs::canonical(base / written, failure);
    const bool right_kind = !failure && (directory ? fs::is_directory(real, failure)
                                                   : fs::is_regular_file(real, failure));
    if (!right_kind) {
        reading.error(missing, path,
                      in_quotes(written) + (failure     ? " cannot be found"
                                            : directory ? " is not a directory"
                                                        : " is not a regular file"),
                      "paths are relative to the campaign file");
        return std::nullopt;
    }
    if (!reading.options.allow_outside && !lies_in(real, base)) return outside();
    return real.string();
}

std::optional<std::string> read_at_most(const std::string& path, std::size_t bytes_max) {
    std::error_code failure;
    const std::uintmax_t size = fs::file_size(path, failure);
    if (failure) return std::nullopt;
    std::string bytes(static_cast<std::size_t>(std::min<std::uintmax_t>(size, bytes_max + 1)),
                      '\0');
    std::ifstream in(path, std::ios::binary);
    in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (!in.is_open() || in.bad()) return std::nullopt;
    bytes.resize(static_cast<std::size_t>(in.gcount()));
    return bytes;
}

std::optional<Content> read_template_file(CampaignReading& reading, const std::string& path,
                                          std::string_view written) {
    const auto file = resolve_file(reading, path, written);
    if (!file) return std::nullopt;
    std::optional<std::string> bytes = read_at_most(*file, kTemplateBytesMax);
    if (!bytes) {
        reading.error(CampaignErrorCode::kFileMissing, path,
                      in_quotes(written) + " cannot be read");
        return std::nullopt;
    }
    if (bytes->size() > kTemplateBytesMax) {
        reading.error(CampaignErrorCode::kRange, path,
                      in_quotes(written) + " is larger than 4 MiB");
        return std::nullopt;
    }
    if (bytes->starts_with("\xEF\xBB\xBF")) bytes->erase(0, 3);
    if (!valid_utf8(*bytes)) {
        reading.error(CampaignErrorCode::kType, path, in_quotes(written) + " is not UTF-8",
                      "save it as UTF-8");
        return std::nullopt;
    }
    std::string hash = sha256_hex(*bytes);
    return Content{*file, std::move(*bytes), std::move(hash)};
}

}  // namespace posthorn
