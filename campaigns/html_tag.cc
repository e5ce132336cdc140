#include "campaigns/html_tag.h"

#include <algorithm>

#include "engine/base/ascii.h"

namespace posthorn {
namespace {

constexpr std::size_t kAttributeNameMax = 16;
constexpr std::size_t kTemplateTagMax = 1024;  // looked through for its end

bool is_letter(char c) { return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z'; }
bool is_name(char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == ':'; }

// Where the first of these characters stands that is no part of a template tag: a tag's quotes and
// blanks are its own.
std::size_t find_outside_tags(std::string_view html, std::size_t at, std::string_view ends) {
    while (at < html.size() && ends.find(html[at]) == std::string_view::npos) {
        const bool opens = html.substr(at).starts_with("{{");
        const std::size_t close =
            opens ? html.substr(at, kTemplateTagMax).find("}}", 2) : std::string_view::npos;
        at += close == std::string_view::npos ? 1 : close + 2;
    }
    return std::min(at, html.size());
}

std::string_view take_value(std::string_view& html) {
    const char quote = html.empty() ? ' ' : html.front();
    if (quote == '"' || quote == '\'') {
        const std::size_t end = find_outside_tags(html, 1, {&quote, 1});
        const std::string_view value = html.substr(1, end - 1);
        html.remove_prefix(std::min(end + 1, html.size()));
        return value;
    }
    const std::size_t end = find_outside_tags(html, 0, "> \t\r\n");
    const std::string_view value = html.substr(0, end);
    html.remove_prefix(end);
    return value;
}

// Takes one attribute, or one character that begins none.
void take_attribute(std::string_view& html, HtmlTag& tag) {
    std::string name;
    while (!html.empty() && is_name(html.front())) {
        if (name.size() < kAttributeNameMax) name.push_back(ascii_lower(html.front()));
        html.remove_prefix(1);
    }
    if (name.empty()) {
        html.remove_prefix(1);
        return;
    }
    std::string_view value;
    std::string_view behind = html;
    behind.remove_prefix(std::min(behind.find_first_not_of(" \t\r\n"), behind.size()));
    if (!behind.empty() && behind.front() == '=') {
        behind.remove_prefix(1);
        behind.remove_prefix(std::min(behind.find_first_not_of(" \t\r\n"), behind.size()));
        value = take_value(behind);
        html = behind;
    }
    tag.attributes.emplace_back(std::move(name), value);
}

}  // namespace

std::string_view HtmlTag::attribute(std::string_view wanted) const {
    for (const auto& [known, value] : attributes)
        if (known == wanted) return value;
    return {};
}

bool HtmlTag::has(std::string_view wanted) const {
    return std::any_of(attributes.begin(), attributes.end(),
                       [wanted](const auto& known) { return known.first == wanted; });
}

bool begins_html_tag(std::string_view html) {
    if (html.size() < 2 || html.front() != '<') return false;
    return is_letter(html[1]) || (html[1] == '/' && html.size() > 2 && is_letter(html[2]));
}

HtmlTag take_html_tag(std::string_view& html) {
    HtmlTag tag;
    html.remove_prefix(1);
    tag.closing = html.front() == '/';
    if (tag.closing) html.remove_prefix(1);
    while (!html.empty() && is_name(html.front())) {
        tag.name.push_back(ascii_lower(html.front()));
        html.remove_prefix(1);
    }
    while (!html.empty() && html.front() != '>') take_attribute(html, tag);
    if (!html.empty()) html.remove_prefix(1);
    return tag;
}

bool take_html_markup(std::string_view& html) {
    if (html.starts_with("<!--")) {
        const std::size_t end = html.find("-->", 4);
        html.remove_prefix(end == std::string_view::npos ? html.size() : end + 3);
        return true;
    }
    if (!html.starts_with("<!") && !html.starts_with("<?")) return false;
    html.remove_prefix(std::min(html.find('>'), html.size() - 1) + 1);
    return true;
}

bool holds_no_text(std::string_view name) {
    return name == "style" || name == "script" || name == "title" || name == "template" ||
           name == "noscript";
}

void skip_html_element(std::string_view& html, std::string_view name) {
    for (std::size_t at = html.find("</"); at != std::string_view::npos;
         at = html.find("</", at + 2)) {
        const std::string_view found = html.substr(at + 2, name.size());
        if (!std::equal(found.begin(), found.end(), name.begin(), name.end(),
                        [](char a, char b) { return ascii_lower(a) == b; }))
            continue;
        html.remove_prefix(std::min(html.find('>', at), html.size() - 1) + 1);
        return;
    }
    html = {};
}

}  // namespace posthorn
