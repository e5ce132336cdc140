// Tags of an HTML text, taken one after the other where they stand. As forgiving as mail readers
// are; entities in values are left as written.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace posthorn {

struct HtmlTag {
    std::string name;  // lower case
    bool closing = false;
    // Names in lower case, cut at 16; values as written, without their quotes.
    std::vector<std::pair<std::string, std::string_view>> attributes;

    // Empty when there is no such attribute, or it has no value.
    std::string_view attribute(std::string_view wanted) const;
    bool has(std::string_view wanted) const;
};

// Whether a tag begins here: <a or </a.
bool begins_html_tag(std::string_view html);

// Takes the tag that begins here; html moves behind it.
HtmlTag take_html_tag(std::string_view& html);

// Takes a comment, a declaration or an instruction that begins here; false: none does.
bool take_html_markup(std::string_view& html);

// Of elements whose content is no text (style, script, …): moves behind the closing tag.
bool holds_no_text(std::string_view name);
void skip_html_element(std::string_view& html, std::string_view name);

}  // namespace posthorn
