// Typed reading of a parsed campaign file: what is not as it should be is noted with its place and
// reading goes on, so that one pass finds every fault. Internal to the loader.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "campaigns/campaign_errors.h"
#include "campaigns/campaign_file.h"
#include "campaigns/json_position.h"
#include "engine/base/units.h"

namespace posthorn {

// One reading of one file: its text, the places in it, the faults found so far.
class CampaignReading {
  public:
    CampaignReading(std::string_view text, const LoadOptions& options)
        : options(options), text_(text), positions_(JsonPositions::scan(text)) {}

    const LoadOptions& options;
    std::string directory;  // of the file, canonical; what it names is relative to this

    const JsonPositions& positions() const { return positions_; }

    void error(CampaignErrorCode code, const std::string& path, std::string message,
               std::string hint = "");
    void warning(CampaignErrorCode code, const std::string& path, std::string message,
                 std::string hint = "");
    void key_error(CampaignErrorCode code, const std::string& path, std::string message,
                   std::string hint = "");  // the place is that of the key, not of its value
    // The place is within a string's value, of which `written` is the text before it, unescaped.
    void error_inside(CampaignErrorCode code, const std::string& path, std::string_view written,
                      std::string message, std::string hint);
    void fault_of_syntax(CampaignErrorCode code, const JsonFault& fault);

    std::vector<CampaignError> take_errors();  // in the order of the file

  private:
    void add(CampaignErrorCode code, const std::string& path, std::size_t offset,
             std::string message, std::string hint, Severity severity);

    struct Placed {
        std::size_t offset;
        CampaignError error;
    };

    std::string_view text_;
    JsonPositions positions_;
    std::vector<Placed> errors_;
};

// One object of the file. Absent keys and nulls give nothing; wrong ones are noted and give
// nothing.
class ObjectReader {
  public:
    ObjectReader(CampaignReading& reading, const nlohmann::ordered_json& object, std::string path)
        : reading_(reading), object_(object), path_(std::move(path)) {}

    CampaignReading& reading() const { return reading_; }
    const nlohmann::ordered_json& json() const { return object_; }
    const std::string& path() const { return path_; }
    std::string path_of(std::string_view key) const;

    bool has(std::string_view key) const;  // present, null counts
    const nlohmann::ordered_json* value(std::string_view key) const;

    std::optional<std::string> text(std::string_view key) const;
    std::optional<std::string> line(std::string_view key) const;  // no controls: goes to a header
    std::optional<bool> boolean(std::string_view key) const;
    std::optional<std::uint64_t> integer(std::string_view key, std::uint64_t low,
                                         std::uint64_t high) const;
    std::optional<double> number(std::string_view key, double low, double high) const;
    std::optional<Duration> duration(std::string_view key) const;
    std::optional<Rate> rate(std::string_view key) const;
    std::optional<ObjectReader> object(std::string_view key) const;
    const nlohmann::ordered_json* array(std::string_view key) const;

    // The index of the value among names.
    std::optional<std::size_t> choice(std::string_view key,
                                      std::initializer_list<std::string_view> names) const;

  private:
    const nlohmann::ordered_json* typed(std::string_view key, bool right,
                                        const nlohmann::ordered_json* value,
                                        std::string_view wanted) const;

    CampaignReading& reading_;
    const nlohmann::ordered_json& object_;
    std::string path_;
};

inline constexpr std::size_t kMaxLineBytes = 4096;  // of a header's text before encoding

// True if the text holds CR, LF, NUL or another control but TAB.
bool has_controls(std::string_view text);

// The value shortened for a message, in single quotes.
std::string in_quotes(std::string_view text);

}  // namespace posthorn
