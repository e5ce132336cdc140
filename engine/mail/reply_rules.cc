#include "engine/mail/reply_rules.h"

#include <re2/re2.h>
#include <re2/set.h>

#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "engine/mail/rule_patterns.h"

namespace posthorn {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxFaults = 100;  // a file this wrong is not read further

constexpr std::array<std::string_view, 11> kRuleFields = {
    "name", "category", "code",     "enhanced", "stage",  "text",
    "link", "unless",   "provider", "source",   "example"};

// A part of a code pattern: digits, then x's. x alone is any number up to 999.
std::optional<NumberRange> parse_range(std::string_view part) {
    if (part == "x") return NumberRange{0, 999};
    if (part.empty() || part.size() > 3 || part[0] == 'x') return std::nullopt;
    NumberRange range;
    bool wild = false;
    for (const char c : part) {
        const bool digit = c >= '0' && c <= '9';
        if ((!digit && c != 'x') || (digit && wild)) return std::nullopt;
        wild = wild || c == 'x';
        range.low = static_cast<std::uint16_t>(range.low * 10 + (digit ? c - '0' : 0));
        range.high = static_cast<std::uint16_t>(range.high * 10 + (digit ? c - '0' : 9));
    }
    return range;
}

std::optional<NumberRange> parse_code_pattern(std::string_view text) {
    if (text.size() != 3 || text[0] < '2' || text[0] > '5') return std::nullopt;
    return parse_range(text);
}

std::optional<EnhancedPattern> parse_enhanced_pattern(std::string_view text) {
    const std::size_t first = text.find('.');
    if (first == std::string_view::npos) return std::nullopt;
    const std::size_t second = text.find('.', first + 1);
    if (second == std::string_view::npos) return std::nullopt;
    const auto klass = parse_range(text.substr(0, first));
    const auto subject = parse_range(text.substr(first + 1, second - first - 1));
    const auto detail = parse_range(text.substr(second + 1));
    if (first != 1 || !klass || !subject || !detail) return std::nullopt;
    return EnhancedPattern{*klass, *subject, *detail};
}

class FileReader {
  public:
    RuleFile read(std::string_view text) {
        if (text.size() > kMaxRuleFileBytes) {
            fault("", "the rule file is larger than 1 MiB", "keep the rules that are needed");
        } else if (const Json root = parse(text); file_.faults.empty()) {
            read_root(root);
        }
        if (!file_.faults.empty()) file_.rules.clear();
        return std::move(file_);
    }

  private:
    void fault(std::string pointer, std::string message, std::string hint) {
        if (file_.faults.size() < kMaxFaults)
            file_.faults.push_back({std::move(pointer), std::move(message), std::move(hint)});
    }

    // The library throws on bad JSON; only its exception knows the place.
    Json parse(std::string_view text) {
        try {
            return Json::parse(text, nullptr, true, true);
        } catch (const Json::exception& error) {
            fault("", std::string("not JSON: ") + error.what(), "correct the file at that place");
        }
        return Json();
    }

    void read_root(const Json& root) {
        if (!root.is_object()) {
            fault("", "the file is not a JSON object", "start from deploy/reply-rules.json");
            return;
        }
        for (const auto& [key, value] : root.items())
            if (key != "version" && key != "about" && key != "terms" && key != "rules")
                fault("/" + key, "unknown field",
                      "known here: version, about, terms, rules; remove it or correct its name");
        const auto version = root.find("version");
        if (version == root.end() || !version->is_number_integer() || *version != 1)
            fault("/version", "the version is not 1", "write \"version\": 1");
        if (const auto terms = root.find("terms"); terms != root.end()) read_terms(*terms);
        const auto rules = root.find("rules");
        if (rules == root.end() || !rules->is_array() || rules->empty()) {
            fault("/rules", "there are no rules", "write an array of at least one rule");
        } else if (rules->size() > kMaxRules) {
            fault("/rules", "more than 1000 rules", "join rules of one category into one pattern");
        } else {
            for (std::size_t i = 0; i < rules->size(); ++i)
                read_rule((*rules)[i], "/rules/" + std::to_string(i));
        }
    }

    void read_terms(const Json& terms) {
        if (!terms.is_object()) {
            fault("/terms", "not an object", "write {\"name\": \"expression\", ...}");
            return;
        }
        for (const auto& [name, value] : terms.items()) {
            if (const auto text = string_of(value, "/terms/" + name)) terms_[name] = *text;
        }
    }

    std::optional<std::string> string_of(const Json& value, const std::string& pointer) {
        if (value.is_string()) {
            auto text = value.get<std::string>();
            if (text.size() <= kMaxPatternBytes) return text;
            fault(pointer, "longer than 8192 bytes", "split it over several rules");
        } else {
            fault(pointer, "not a string", "put it in double quotes");
        }
        return std::nullopt;
    }

    void read_rule(const Json& object, const std::string& pointer) {
        if (!object.is_object()) {
            fault(pointer, "a rule is not an object", "write {\"name\": ..., \"category\": ...}");
            return;
        }
        ReplyRule rule;
        bool named = false;
        for (const auto& [key, value] : object.items()) {
            const std::string at = pointer + "/" + key;
            named = named || key == "code" || key == "enhanced" || key == "text" || key == "link";
            read_field(rule, key, value, at);
        }
        if (!object.contains("name"))
            fault(pointer + "/name", "the rule has no name", "give it one that reports can show");
        if (!object.contains("category"))
            fault(pointer + "/category", "the rule has no category", "name the reply's category");
        if (!named)
            fault(pointer, "the rule matches everything", "add code, enhanced, text or link");
        file_.rules.push_back(std::move(rule));
    }

    void read_field(ReplyRule& rule, const std::string& key, const Json& value,
                    const std::string& at) {
        if (key == "name") {
            read_name(rule, value, at);
        } else if (key == "category") {
            const auto text = string_of(value, at);
            const auto category = text ? parse_category(*text) : std::nullopt;
            if (category && *category != Category::kNone)
                rule.category = *category;
            else if (text)
                fault(at, "no such category: " + *text,
                      "use a name of the table of categories, e.g. invalid_mailbox");
        } else if (key == "code") {
            read_list(value, at, rule.codes, parse_code_pattern, "use 550, 55x or 5xx");
        } else if (key == "enhanced") {
            read_list(value, at, rule.enhanced, parse_enhanced_pattern,
                      "use three parts such as 5.1.1, 5.1.x or 5.7.50x");
        } else if (key == "stage") {
            read_list(value, at, rule.stages, parse_stage,
                      "use connect, ehlo, starttls, auth, mail, rcpt, data or dot");
        } else if (key == "text" || key == "unless" || key == "link") {
            auto& pattern = key == "text" ? rule.text : key == "link" ? rule.link : rule.unless;
            read_pattern(pattern, value, at);
        } else if (key == "example") {
            if (auto text = string_of(value, at)) rule.example = std::move(*text);
        } else if (key == "provider" || key == "source") {
            string_of(value, at);
        } else {
            std::string known;
            for (const std::string_view field : kRuleFields)
                known += (known.empty() ? "" : ", ") + std::string(field);
            fault(at, "unknown field", "known here: " + known);
        }
    }

    void read_name(ReplyRule& rule, const Json& value, const std::string& at) {
        const auto text = string_of(value, at);
        if (!text) return;
        const auto valid = [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
        };
        bool good = !text->empty() && text->size() <= 64;
        for (const char c : *text) good = good && valid(c);
        if (!good) {
            fault(at, "not a name of a rule", "use 1 to 64 of a-z, 0-9 and -");
        } else if (!names_.insert(*text).second) {
            fault(at, "a second rule named " + *text, "names are unique; choose another");
        }
        rule.name = *text;
    }

    template <class T, class Parse>
    void read_list(const Json& value, const std::string& at, std::vector<T>& out, Parse parse,
                   const char* hint) {
        const auto read_one = [&](const Json& item, const std::string& pointer) {
            const auto text = string_of(item, pointer);
            if (!text) return;
            if (const auto parsed = parse(*text))
                out.push_back(*parsed);
            else
                fault(pointer, "cannot be read: " + *text, hint);
        };
        if (!value.is_array()) {
            read_one(value, at);
        } else if (value.empty()) {
            fault(at, "an empty list never matches", "remove it to match any");
        } else {
            for (std::size_t i = 0; i < value.size(); ++i)
                read_one(value[i], at + "/" + std::to_string(i));
        }
    }

    void read_pattern(std::string& out, const Json& value, const std::string& at) {
        const auto text = string_of(value, at);
        if (!text) return;
        const std::optional<std::string> expanded = expand(*text, at);
        if (!expanded) return;
        if (expanded->size() > kMaxPatternBytes) {
            fault(at, "longer than 8192 bytes with its terms", "split it over several rules");
            return;
        }
        std::string error;
        RE2::Set probe(rule_pattern_options(), RE2::UNANCHORED);
        if (text->empty()) {
            fault(at, "an empty pattern", "remove it to match any text");
        } else if (probe.Add(*expanded, &error) < 0) {
            fault(at, "not an RE2 expression: " + error,
                  "see the RE2 syntax; it has no look-around and no back references");
        } else {
            out = *expanded;
        }
    }

    std::optional<std::string> expand(std::string_view text, const std::string& at) {
        std::string out;
        while (true) {
            const std::size_t open = text.find("{{");
            out += text.substr(0, open);
            if (open == std::string_view::npos) return out;
            const std::size_t close = text.find("}}", open);
            const std::string name(
                text.substr(open + 2, close == std::string_view::npos ? 0 : close - open - 2));
            const auto term = terms_.find(name);
            if (term == terms_.end()) {
                fault(at, "no such term: {{" + name + "}}", "define it under /terms");
                return std::nullopt;
            }
            out += "(?:" + term->second + ")";
            if (out.size() > kMaxPatternBytes) return out;
            text.remove_prefix(close + 2);
        }
    }

    RuleFile file_;
    std::map<std::string, std::string> terms_;
    std::set<std::string> names_;
};

}  // namespace

RuleFile parse_rule_file(std::string_view json) { return FileReader().read(json); }

std::string to_string(const std::vector<RuleFault>& faults) {
    std::string out;
    for (const RuleFault& fault : faults) {
        if (!out.empty()) out += '\n';
        out += (fault.pointer.empty() ? "/" : fault.pointer) + ": " + fault.message + " (" +
               fault.hint + ")";
    }
    return out;
}

}  // namespace posthorn
