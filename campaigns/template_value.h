// What a template prints and asks about: text, or a JSON value read in place. No tree is built and
// nothing is allocated; nesting is skipped, never recursed into. Malformed JSON reads as missing.
#pragma once

#include <string>
#include <string_view>

#include "engine/queue/audience_row.h"

namespace posthorn {

using TemplateValue = RowVariable;

// False: missing, empty, "false", "0"; JSON false, null, zero, "", [].
bool is_true(const TemplateValue& value);

bool is_list(const TemplateValue& value);
bool is_object(const TemplateValue& value);

// Missing or JSON null.
bool is_absent(const TemplateValue& value);

// The member of a JSON object; missing when there is none, or value is no object.
TemplateValue member_of(const TemplateValue& value, std::string_view key);

// As it is printed: text itself, a JSON string unescaped into scratch, any other JSON as written.
std::string_view printed(const TemplateValue& value, std::string& scratch);

// The elements of a JSON array, in order. Views live as long as the array's bytes.
class ListElements {
  public:
    ListElements() = default;
    explicit ListElements(const TemplateValue& list);

    bool next(TemplateValue& element);

  private:
    std::string_view rest_;
};

// Appends text as a JSON string; < > & are written as \u00XX, so that it may stand in HTML.
void append_json_string(std::string& out, std::string_view text);

}  // namespace posthorn
