#include "tools/posthorn/json_fields.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace posthorn {

namespace {

const nlohmann::json* find(const nlohmann::json& object, std::string_view key) {
    if (!object.is_object()) return nullptr;
    const auto at = object.find(std::string(key));
    return at == object.end() ? nullptr : &*at;
}

}  // namespace

std::string text_field(const nlohmann::json& object, std::string_view key) {
    const nlohmann::json* value = find(object, key);
    return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

std::uint64_t count_field(const nlohmann::json& object, std::string_view key) {
    const nlohmann::json* value = find(object, key);
    if (value == nullptr || !value->is_number_integer()) return 0;
    if (value->is_number_unsigned()) return value->get<std::uint64_t>();
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, value->get<std::int64_t>()));
}

double number_field(const nlohmann::json& object, std::string_view key) {
    const nlohmann::json* value = find(object, key);
    return value != nullptr && value->is_number() ? value->get<double>() : 0;
}

bool true_field(const nlohmann::json& object, std::string_view key) {
    const nlohmann::json* value = find(object, key);
    return value != nullptr && value->is_boolean() && value->get<bool>();
}

const nlohmann::json& object_field(const nlohmann::json& object, std::string_view key) {
    static const nlohmann::json kEmpty = nlohmann::json::object();
    const nlohmann::json* value = find(object, key);
    return value != nullptr && value->is_object() ? *value : kEmpty;
}

const nlohmann::json& array_field(const nlohmann::json& object, std::string_view key) {
    static const nlohmann::json kEmpty = nlohmann::json::array();
    const nlohmann::json* value = find(object, key);
    return value != nullptr && value->is_array() ? *value : kEmpty;
}

std::string json_line(const nlohmann::json& value) {
    return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string json_line(const nlohmann::ordered_json& value) {
    return value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

nlohmann::json parse_json_object(std::string_view text) {
    nlohmann::json value = nlohmann::json::parse(text, nullptr, false);
    return value.is_object() ? value : nlohmann::json(nlohmann::json::value_t::discarded);
}

}  // namespace posthorn
