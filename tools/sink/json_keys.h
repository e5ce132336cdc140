// Reads JSON objects key by key: every key that nobody asked for is an error with the nearest name
// that somebody did, and every fault is collected with its place as JSON pointer.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace posthorn::sink {

using Faults = std::vector<std::string>;

// The name of least edit distance, if it is near enough to be meant.
std::optional<std::string_view> nearest(std::string_view word,
                                        const std::vector<std::string_view>& names);

class JsonKeys {
  public:
    // Both outlive it. What is no object has a fault and no keys.
    JsonKeys(const nlohmann::json& object, std::string pointer, Faults& faults);
    ~JsonKeys();  // tells the unknown keys
    JsonKeys(const JsonKeys&) = delete;
    JsonKeys& operator=(const JsonKeys&) = delete;

    const nlohmann::json* find(std::string_view key);  // null if it is not there
    std::string pointer(std::string_view key) const;
    void fault(std::string_view key, std::string_view what);

    std::optional<std::string> text(std::string_view key);
    std::optional<bool> flag(std::string_view key);
    std::optional<double> number(std::string_view key, double low, double high);
    std::optional<std::uint32_t> whole(std::string_view key, std::uint32_t high);
    std::optional<double> share(std::string_view key) { return number(key, 0, 1); }

    // The index of the text among names.
    std::optional<std::size_t> choice(std::string_view key,
                                      const std::vector<std::string_view>& names);

    // Each object of an array, with its own JsonKeys.
    template <class Read>
    void each(std::string_view key, Read read) {
        for (std::size_t i = 0, count = array_size(key); i < count; ++i) {
            JsonKeys keys(element(key, i), pointer(key) + "/" + std::to_string(i), faults_);
            read(keys);
        }
    }

  private:
    std::size_t array_size(std::string_view key);
    const nlohmann::json& element(std::string_view key, std::size_t index) const;

    const nlohmann::json& object_;
    std::string pointer_;
    Faults& faults_;
    std::vector<std::string_view> known_;
};

}  // namespace posthorn::sink
