// The text part for an HTML part: headings, paragraphs, lists and tables laid out, links kept as
// "text (url)", entities decoded, style, script and comments dropped. Never fails; what is not
// HTML passes as text. Template tags pass through untouched, so that a template gives a template.
#pragma once

#include <string>
#include <string_view>

namespace posthorn {

// Lines end in LF and are not wrapped; at most one blank line in a row, none at either end.
// Time and output are linear in the input.
std::string html_to_text(std::string_view html);

// Character references (HTML5's numeric ones and the named ones that mail uses) as UTF-8; unknown
// ones stay as written.
void append_decoded_entities(std::string& out, std::string_view html);

}  // namespace posthorn
