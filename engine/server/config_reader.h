// Typed reading of one object of posthorn.json: a wrong value is noted with its place and reading
// goes on. Used only by the configuration's loader.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/time.h"
#include "engine/server/config.h"
#include "engine/server/json_tree.h"

namespace posthorn {

class ConfigObject {
  public:
    // object is of kind kObject and outlives this, as errors does.
    ConfigObject(const JsonTree& object, std::string path, std::vector<ConfigError>& errors)
        : object_(object), path_(std::move(path)), errors_(errors) {}

    // ---- The value of a key; nothing when it is absent or wrong. Each key asked for is known.
    const JsonTree* any(std::string_view key);
    std::optional<std::string> text(std::string_view key);
    std::optional<bool> boolean(std::string_view key);
    std::optional<std::uint32_t> integer(std::string_view key, std::uint32_t low,
                                         std::uint32_t high);
    std::optional<Duration> duration(std::string_view key, Duration low);
    std::optional<double> percent(std::string_view key);
    std::optional<std::string> choice(std::string_view key,
                                      std::initializer_list<std::string_view> values);
    std::optional<ConfigObject> object(std::string_view key);
    const std::vector<JsonTree>* array(std::string_view key);

    void not_carried_out(std::string_view key);
    void error(const JsonTree& value, std::string_view key, std::string code, std::string message,
               std::string hint);

    // Every key that nobody asked for is an error; call last.
    void check_unknown();

    std::string path_of(std::string_view key) const { return path_ + "/" + std::string(key); }
    std::vector<ConfigError>& errors() { return errors_; }
    TextPlace place() const { return object_.place; }

  private:
    const JsonTree::Member* find(std::string_view key);
    const JsonTree* typed(std::string_view key, JsonTree::Kind kind);

    const JsonTree& object_;
    std::string path_;
    std::vector<ConfigError>& errors_;
    std::vector<std::string> known_;
};

// A whole file, named `what` in words: its object to the reader, its faults of syntax and those
// that the reader notes to errors, in the order of their places.
void read_object(std::string_view text, std::string_view what, std::vector<ConfigError>& errors,
                 const std::function<void(ConfigObject)>& read);

}  // namespace posthorn
