// Reading of JSON that came over a socket or from a store: a field that is absent or of another
// type reads as empty, so that nothing here can fail.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace posthorn {

std::string text_field(const nlohmann::json& object, std::string_view key);
std::uint64_t count_field(const nlohmann::json& object, std::string_view key);
double number_field(const nlohmann::json& object, std::string_view key);
bool true_field(const nlohmann::json& object, std::string_view key);
const nlohmann::json& object_field(const nlohmann::json& object, std::string_view key);
const nlohmann::json& array_field(const nlohmann::json& object, std::string_view key);

// One line, without line end; text that is not UTF-8 is repaired, never refused.
std::string json_line(const nlohmann::json& value);
std::string json_line(const nlohmann::ordered_json& value);

// Nothing on faults of syntax and on anything but an object: a discarded value.
nlohmann::json parse_json_object(std::string_view text);

}  // namespace posthorn
