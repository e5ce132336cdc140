// A compiled template: instructions over literal texts, names and filter calls. Immutable; run by
// template_run.h. The literal texts are public, so that a body can keep them encoded.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "campaigns/template.h"
#include "campaigns/template_escape.h"
#include "campaigns/template_filters.h"

namespace posthorn {

// A name: where its value is found. Frames (the elements and objects of enclosing sections) come
// first where there are any, then the slot, then the fallback.
struct TemplateName {
    static constexpr std::uint32_t kNoSlot = 0xFFFFFFFF;

    std::uint32_t slot = kNoSlot;
    bool search_frames = false;
    bool is_item = false;            // {{.}}
    std::vector<std::string> parts;  // as looked up in frames
    std::vector<std::string> path;   // members inside the slot's value
    std::string fallback_bytes;      // of a constant, or a column's default
    bool fallback_is_json = true;    // JSON without bytes: there is none
    std::string tag;                 // as written, for errors and MissingPolicy::kKeep

    TemplateValue fallback() const { return {fallback_bytes, fallback_is_json}; }
};

enum class Op : std::uint8_t {
    kText,     // a: text
    kValue,    // a: name, escaped as escape after filter_count calls from filters
    kIf,       // a: name; goes on at b when it is false
    kUnless,   // a: name; goes on at b when it is true
    kSection,  // a: name; false: goes on at b. A list: its elements in turn; else once, with it
    kEach,     // a: name; as kSection, but only elements of a list
    kNext,     // a: the instruction after kSection or kEach; next element, or leaves the section
    kJump,     // goes on at b
    kCall,     // goes on at b until kReturn: a partial within itself
    kReturn,   // behind the kCall, or to the end
};

struct Instruction {
    Op op = Op::kText;
    Escape escape = Escape::kNone;
    std::uint16_t filter_count = 0;
    std::uint32_t a = 0, b = 0, filters = 0;
};

class Program {
  public:
    // At most one text: the same for every recipient.
    bool is_constant() const {
        return code.empty() || (code.size() == 1 && code[0].op == Op::kText);
    }
    std::string_view constant_text() const {
        return code.empty() ? std::string_view() : std::string_view(texts[code[0].a]);
    }
    bool uses(BuiltIn name) const { return (built_ins >> static_cast<unsigned>(name) & 1) != 0; }
    bool uses_reserved(std::string_view name) const;

    std::vector<Instruction> code;
    std::vector<std::string> texts;
    std::vector<TemplateName> names;
    std::vector<FilterCall> filters;
    MissingPolicy missing = MissingPolicy::kError;
    std::uint32_t built_ins = 0;
    std::vector<std::string> reserved_used;
};

}  // namespace posthorn
