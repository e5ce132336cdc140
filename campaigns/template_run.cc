#include "campaigns/template_run.h"

#include <algorithm>

namespace posthorn {
namespace {

template <class Parts>
TemplateValue descend(TemplateValue value, const Parts& parts, std::size_t from) {
    for (std::size_t i = from; i < parts.size() && !value.missing(); ++i)
        value = member_of(value, parts[i]);
    return value;
}

// The first frame that has the first part decides (Mustache's context stack).
bool find_in_frames(const TemplateName& name, const std::vector<TemplateFrame>& frames,
                    TemplateValue& found) {
    for (auto frame = frames.rbegin(); frame != frames.rend(); ++frame) {
        const TemplateValue first = member_of(frame->item, name.parts.front());
        if (first.missing()) continue;
        found = descend(first, name.parts, 1);
        return true;
    }
    return false;
}

}  // namespace

bool Program::uses_reserved(std::string_view name) const {
    return std::find(reserved_used.begin(), reserved_used.end(), name) != reserved_used.end();
}

TemplateValue value_of(const TemplateName& name, std::span<const TemplateValue> slots,
                       const std::vector<TemplateFrame>& frames) {
    if (name.is_item) return frames.empty() ? TemplateValue{{}, true} : frames.back().item;
    TemplateValue found;
    if (name.search_frames && find_in_frames(name, frames, found)) return found;
    TemplateValue value{{}, true};
    if (name.slot < slots.size()) value = slots[name.slot];
    if (value.missing()) value = name.fallback();
    return name.path.empty() ? value : descend(value, name.path, 0);
}

std::optional<std::string_view> ready_value(const Program& program, const Instruction& instruction,
                                            std::span<const TemplateValue> slots,
                                            TemplateScratch& scratch) {
    const TemplateName& name = program.names[instruction.a];
    TemplateValue value = value_of(name, slots, scratch.frames);
    const std::span<const FilterCall> calls(program.filters);
    value = apply_filters(calls.subspan(instruction.filters, instruction.filter_count), value,
                          scratch.filtered);
    if (is_absent(value)) {
        if (program.missing == MissingPolicy::kError) return std::nullopt;
        return program.missing == MissingPolicy::kKeep ? name.tag : std::string_view();
    }
    return escaped(printed(value, scratch.printed), instruction.escape, scratch.escaped);
}

std::uint32_t step_control(const Program& program, std::uint32_t at,
                           std::span<const TemplateValue> slots, TemplateScratch& scratch) {
    const Instruction& instruction = program.code[at];
    std::vector<TemplateFrame>& frames = scratch.frames;
    if (instruction.op == Op::kJump) return instruction.b;
    if (instruction.op == Op::kNext) {
        if (frames.back().rest.next(frames.back().item)) return instruction.a;
        frames.pop_back();
        return at + 1;
    }
    const TemplateValue value = value_of(program.names[instruction.a], slots, frames);
    if (instruction.op == Op::kIf) return is_true(value) ? at + 1 : instruction.b;
    if (instruction.op == Op::kUnless) return is_true(value) ? instruction.b : at + 1;
    if (is_list(value)) {
        TemplateFrame frame{{{}, true}, ListElements(value)};
        if (!frame.rest.next(frame.item)) return instruction.b;
        frames.push_back(frame);
        return at + 1;
    }
    if (instruction.op == Op::kEach || !is_true(value)) return instruction.b;
    frames.push_back({value, {}});
    return at + 1;
}

}  // namespace posthorn
