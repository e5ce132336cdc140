#include "campaigns/campaign_file_reader.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "campaigns/json_string_place.h"

namespace posthorn {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxErrors = 1000;     // more help nobody
constexpr std::size_t kMaxQuotedBytes = 60;  // of a value repeated in a message

std::string shown(double number) {
    std::string text = std::to_string(number);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
    return text;
}

}  // namespace

void CampaignReading::add(CampaignErrorCode code, const std::string& path, std::size_t offset,
                          std::string message, std::string hint, Severity severity) {
    if (errors_.size() >= kMaxErrors) return;
    CampaignError error;
    error.path = path;
    error.code = code;
    error.message = std::move(message);
    error.hint = std::move(hint);
    error.severity = severity;
    const LineColumn place = line_column(text_, offset);
    error.line = place.line;
    error.column = place.column;
    errors_.push_back({offset, std::move(error)});
}

void CampaignReading::error(CampaignErrorCode code, const std::string& path, std::string message,
                            std::string hint) {
    add(code, path, positions_.place_of(path).value, std::move(message), std::move(hint),
        Severity::kError);
}

void CampaignReading::warning(CampaignErrorCode code, const std::string& path, std::string message,
                              std::string hint) {
    add(code, path, positions_.place_of(path).value, std::move(message), std::move(hint),
        Severity::kWarning);
}

void CampaignReading::key_error(CampaignErrorCode code, const std::string& path,
                                std::string message, std::string hint) {
    add(code, path, positions_.place_of(path).key, std::move(message), std::move(hint),
        Severity::kError);
}

void CampaignReading::error_inside(CampaignErrorCode code, const std::string& path,
                                   std::string_view written, std::string message,
                                   std::string hint) {
    const LineColumn inside = line_column(written, written.size());
    const std::size_t at =
        place_in_json_string(text_, positions_.place_of(path).value, inside.line, inside.column);
    add(code, path, at, std::move(message), std::move(hint), Severity::kError);
}

void CampaignReading::fault_of_syntax(CampaignErrorCode code, const JsonFault& fault) {
    add(code, fault.path, fault.offset, fault.message, fault.hint, Severity::kError);
}

std::vector<CampaignError> CampaignReading::take_errors() {
    std::stable_sort(errors_.begin(), errors_.end(),
                     [](const Placed& a, const Placed& b) { return a.offset < b.offset; });
    std::vector<CampaignError> out;
    out.reserve(errors_.size());
    for (Placed& placed : errors_) out.push_back(std::move(placed.error));
    errors_.clear();
    return out;
}

std::string ObjectReader::path_of(std::string_view key) const {
    std::string path = path_;
    append_pointer(path, key);
    return path;
}

bool ObjectReader::has(std::string_view key) const { return object_.contains(key); }

const Json* ObjectReader::value(std::string_view key) const {
    const auto found = object_.find(key);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
}

const Json* ObjectReader::typed(std::string_view key, bool right, const Json* value,
                                std::string_view wanted) const {
    if (value == nullptr || right) return value;
    reading_.error(CampaignErrorCode::kType, path_of(key),
                   "`" + std::string(key) + "` is " + std::string(wanted) + ", not " +
                       (value->is_object() || value->is_array() ? "an " : "a ") +
                       value->type_name());
    return nullptr;
}

std::optional<std::string> ObjectReader::text(std::string_view key) const {
    const Json* const found = value(key);
    if (typed(key, found && found->is_string(), found, "a string") == nullptr) return std::nullopt;
    return found->get_ref<const std::string&>();
}

std::optional<std::string> ObjectReader::line(std::string_view key) const {
    std::optional<std::string> found = text(key);
    if (!found) return std::nullopt;
    if (has_controls(*found)) {
        reading_.error(CampaignErrorCode::kHeaderInjection, path_of(key),
                       "`" + std::string(key) + "` holds a line break or a control character",
                       "write it on one line");
        return std::nullopt;
    }
    if (found->size() > kMaxLineBytes) {
        reading_.error(CampaignErrorCode::kRange, path_of(key),
                       "`" + std::string(key) + "` is longer than " +
                           std::to_string(kMaxLineBytes) + " bytes");
        return std::nullopt;
    }
    return found;
}

std::optional<bool> ObjectReader::boolean(std::string_view key) const {
    const Json* const found = value(key);
    if (typed(key, found && found->is_boolean(), found, "true or false") == nullptr)
        return std::nullopt;
    return found->get<bool>();
}

std::optional<std::uint64_t> ObjectReader::integer(std::string_view key, std::uint64_t low,
                                                   std::uint64_t high) const {
    const Json* const found = value(key);
    if (typed(key, found && found->is_number_integer(), found, "a whole number") == nullptr)
        return std::nullopt;
    const bool negative = found->is_number_integer() && !found->is_number_unsigned();
    const std::uint64_t number = negative ? 0 : found->get<std::uint64_t>();
    if (!negative && number >= low && number <= high) return number;
    reading_.error(CampaignErrorCode::kRange, path_of(key), found->dump() + " is out of range",
                   std::to_string(low) + " to " + std::to_string(high));
    return std::nullopt;
}

std::optional<double> ObjectReader::number(std::string_view key, double low, double high) const {
    const Json* const found = value(key);
    if (typed(key, found && found->is_number(), found, "a number") == nullptr) return std::nullopt;
    const double number = found->get<double>();
    if (number >= low && number <= high) return number;
    reading_.error(CampaignErrorCode::kRange, path_of(key), found->dump() + " is out of range",
                   shown(low) + " to " + shown(high));
    return std::nullopt;
}

std::optional<Duration> ObjectReader::duration(std::string_view key) const {
    const auto written = text(key);
    if (!written) return std::nullopt;
    const auto parsed = parse_duration(*written);
    if (!parsed)
        reading_.error(CampaignErrorCode::kBadDuration, path_of(key),
                       in_quotes(*written) + " is not a duration",
                       "a number and s, m, h or d: 90s");
    return parsed;
}

std::optional<Rate> ObjectReader::rate(std::string_view key) const {
    const auto written = text(key);
    if (!written) return std::nullopt;
    const auto parsed = parse_rate(*written);
    if (parsed) return parsed;
    // "500/sec", "500 per minute": the number and the unit's first letter are clear enough.
    std::string hint = "use 500/s, 500/m, 500/h or 500/d";
    const std::size_t digits = written->find_first_not_of("0123456789");
    const std::size_t unit =
        digits == std::string::npos ? std::string::npos : written->find_first_of("smhd", digits);
    if (digits != std::string::npos && digits > 0 && unit != std::string::npos) {
        const std::string likely = written->substr(0, digits) + "/" + (*written)[unit];
        if (parse_rate(likely)) hint = "use " + likely;
    }
    reading_.error(CampaignErrorCode::kBadRate, path_of(key),
                   in_quotes(*written) + " is not a rate", hint);
    return std::nullopt;
}

std::optional<ObjectReader> ObjectReader::object(std::string_view key) const {
    const Json* const found = value(key);
    if (typed(key, found && found->is_object(), found, "an object") == nullptr) return std::nullopt;
    return ObjectReader(reading_, *found, path_of(key));
}

const Json* ObjectReader::array(std::string_view key) const {
    const Json* const found = value(key);
    return typed(key, found && found->is_array(), found, "an array");
}

std::optional<std::size_t> ObjectReader::choice(
    std::string_view key, std::initializer_list<std::string_view> names) const {
    const auto written = text(key);
    if (!written) return std::nullopt;
    std::string hint = "one of";
    std::size_t index = 0;
    for (const std::string_view name : names) {
        if (name == *written) return index;
        hint += " " + std::string(name);
        ++index;
    }
    reading_.error(CampaignErrorCode::kEnum, path_of(key),
                   in_quotes(*written) + " is not a value of `" + std::string(key) + "`", hint);
    return std::nullopt;
}

bool has_controls(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return (byte < 0x20 && byte != '\t') || byte == 0x7f;
    });
}

std::string in_quotes(std::string_view text) {
    std::string out = "'";
    if (text.size() > kMaxQuotedBytes) {
        std::size_t end = kMaxQuotedBytes;
        while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
        out.append(text.substr(0, end));
        out += "…";
    } else {
        out.append(text);
    }
    return out + "'";
}

}  // namespace posthorn
