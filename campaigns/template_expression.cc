#include "campaigns/template_expression.h"

#include <algorithm>
#include <charconv>

namespace posthorn {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::string_view kBuiltInNames[kBuiltInCount] = {"unsubscribe_url", "unsubscribe_token",
                                                           "recipient.email", "recipient.name",
                                                           "recipient.domain"};

std::string_view trimmed(std::string_view text) {
    const std::size_t start = text.find_first_not_of(kBlanks);
    if (start == std::string_view::npos) return {};
    return text.substr(start, text.find_last_not_of(kBlanks) - start + 1);
}

// Up to the next | outside quotes; text moves behind it.
std::string_view take_section(std::string_view& text) {
    char quote = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quote != 0 && c == '\\') {
            ++i;
        } else if (quote != 0) {
            if (c == quote) quote = 0;
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '|') {
            const std::string_view taken = text.substr(0, i);
            text.remove_prefix(i + 1);
            return trimmed(taken);
        }
    }
    const std::string_view taken = text;
    text = {};
    return trimmed(taken);
}

bool is_name(std::string_view name) {
    if (name.empty() || name.size() > 256) return false;
    for (char c : name)
        if (static_cast<unsigned char>(c) < 0x20 ||
            std::string_view("{}|<>\"'()=#^/&!,;").find(c) != std::string_view::npos)
            return false;
    return name == "." ||
           (name.front() != '.' && name.back() != '.' && name.find("..") == std::string_view::npos);
}

bool parse_quoted(std::string_view text, std::string& out) {
    const char quote = text.front();
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == quote) return i + 1 == text.size();
        if (text[i] == '\\' && i + 1 < text.size()) ++i;
        out.push_back(text[i]);
    }
    return false;
}

bool parse_argument(std::string_view text, FilterCall& call) {
    if (text.empty()) return false;
    if (text.front() == '"' || text.front() == '\'') return parse_quoted(text, call.text);
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number < 0 ||
        number > 1'000'000)
        return false;
    call.text = text;
    call.number = number;
    return true;
}

std::optional<FilterCall> parse_call(std::string_view text, TagFault& fault) {
    const std::size_t colon = std::min(text.find(':'), text.size());
    const std::string_view name = trimmed(text.substr(0, colon));
    const bool has_argument = colon < text.size();
    const std::optional<Filter> filter = parse_filter(name);
    if (!filter) {
        fault = {CampaignErrorCode::kTemplateUnknownFilter,
                 "there is no filter '" + std::string(name) + "'", filter_hint(name)};
        return std::nullopt;
    }
    FilterCall call{*filter, {}, -1};
    if (has_argument && !parse_argument(trimmed(text.substr(colon + 1)), call)) {
        fault.message =
            "the value behind '" + std::string(name) + ":' is neither in quotes nor a number";
        fault.hint = "write it in double quotes";
        return std::nullopt;
    }
    const std::string_view wrong = argument_fault(call, has_argument);
    if (wrong.empty()) return call;
    fault.message = wrong;
    return std::nullopt;
}

std::vector<std::string> parts_of(std::string_view name) {
    if (name == ".") return {"."};
    std::vector<std::string> parts;
    for (;;) {
        const std::size_t dot = std::min(name.find('.'), name.size());
        parts.emplace_back(name.substr(0, dot));
        if (dot == name.size()) return parts;
        name.remove_prefix(dot + 1);
    }
}

const TemplateConstant* find_constant(const std::vector<TemplateConstant>* constants,
                                      std::string_view name) {
    if (constants == nullptr) return nullptr;
    for (const TemplateConstant& constant : *constants)
        if (constant.name == name) return &constant;
    return nullptr;
}

void set_fallback(TemplateName& name, const TemplateConstant& constant) {
    name.fallback_bytes = constant.value;
    name.fallback_is_json = constant.is_json;
}

bool resolve_reserved(std::string_view name, const TemplateNames& names, Resolved& out) {
    const TemplateConstant* const reserved = find_constant(names.reserved, name);
    if (reserved == nullptr) return false;
    set_fallback(out.name, *reserved);
    out.kind = NameKind::kConstant;
    out.reserved = true;
    return true;
}

bool resolve_root(std::string_view root, const TemplateNames& names, Resolved& out) {
    const TemplateConstant* constant = find_constant(names.constants, root);
    if (constant != nullptr) {
        set_fallback(out.name, *constant);
        out.kind = NameKind::kConstant;
    }
    if (names.columns == nullptr) return constant != nullptr;
    const auto column = std::find(names.columns->begin(), names.columns->end(), root);
    if (column == names.columns->end()) return constant != nullptr;
    out.kind = NameKind::kColumn;
    out.name.slot = static_cast<std::uint32_t>(
        kBuiltInCount + static_cast<std::size_t>(column - names.columns->begin()));
    return true;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t kept = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, kept});
        }
    }
    return row.back();
}

template <class Names>
std::string hint_among(std::string_view wrong, const Names& names) {
    std::string_view best;
    std::size_t best_distance = std::max<std::size_t>(2, wrong.size() / 3) + 1;
    std::string all;
    std::size_t listed = 0;
    for (const auto& name : names) {
        const std::size_t distance = edit_distance(wrong, name);
        if (distance < best_distance) {
            best_distance = distance;
            best = name;
        }
        if (listed++ < 12) all.append(all.empty() ? "" : ", ").append(name);
    }
    if (!best.empty()) return "did you mean '" + std::string(best) + "'?";
    return all.empty() ? "" : "known: " + all;
}

}  // namespace

std::optional<TagExpression> parse_expression(std::string_view inside, TagFault& fault) {
    TagExpression expression;
    expression.name = take_section(inside);
    if (!is_name(expression.name)) {
        fault.message = expression.name.empty()
                            ? "the tag has no name"
                            : "'" + std::string(expression.name.substr(0, 60)) + "' is not a name";
        if (expression.name.find('(') != std::string_view::npos)
            fault.hint = "filters are written {{name | filter: \"value\"}}";
        return std::nullopt;
    }
    while (!inside.empty()) {
        std::optional<FilterCall> call = parse_call(take_section(inside), fault);
        if (!call) return std::nullopt;
        expression.filters.push_back(*std::move(call));
    }
    return expression;
}

Resolved resolve(std::string_view name, const TemplateNames& names) {
    Resolved out;
    out.name.parts = parts_of(name);
    for (std::size_t i = 0; i < kBuiltInCount; ++i) {
        if (kBuiltInNames[i] != name) continue;
        out.kind = NameKind::kBuiltIn;
        out.built_in = static_cast<BuiltIn>(i);
        out.name.slot = static_cast<std::uint32_t>(i);
        return out;
    }
    if (resolve_reserved(name, names, out)) return out;
    if (resolve_root(out.name.parts.front(), names, out))
        out.name.path.assign(out.name.parts.begin() + 1, out.name.parts.end());
    return out;
}

std::string name_hint(std::string_view wrong, const TemplateNames& names) {
    const bool has_dot = wrong.find('.') != std::string_view::npos;
    if (has_dot && names.columns != nullptr &&
        std::find(names.columns->begin(), names.columns->end(), wrong) != names.columns->end())
        return "a dot looks inside a variable: give the column a name without one";
    std::vector<std::string_view> known;
    if (names.columns != nullptr) known.assign(names.columns->begin(), names.columns->end());
    for (const auto* constants : {names.constants, names.reserved})
        if (constants != nullptr)
            for (const TemplateConstant& constant : *constants) known.push_back(constant.name);
    known.insert(known.end(), std::begin(kBuiltInNames), std::end(kBuiltInNames));
    return hint_among(wrong, known);
}

std::string filter_hint(std::string_view wrong) { return hint_among(wrong, filter_names()); }

std::string partial_hint(std::string_view wrong, const TemplateNames& names) {
    std::vector<std::string_view> known;
    if (names.partials != nullptr)
        for (const TemplatePartial& partial : *names.partials) known.push_back(partial.name);
    return known.empty() ? "partials are the files of template.partials_dir"
                         : hint_among(wrong, known);
}

}  // namespace posthorn
