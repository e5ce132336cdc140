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

// Of a kValue instruction, filtered.
TemplateValue value_for(const Program& program, const Instruction& instruction,
                        std::span<const TemplateValue> slots, TemplateScratch& scratch) {
    const TemplateValue value = value_of(program.names[instruction.a], slots, scratch.frames);
    const std::span<const FilterCall> calls(program.filters);
    return apply_filters(calls.subspan(instruction.filters, instruction.filter_count), value,
                         scratch.filtered);
}

}  // namespace

bool Program::uses_reserved(std::string_view name) const {
    return std::find(reserved_used.begin(), reserved_used.end(), name) != reserved_used.end();
}

TemplateValue value_of(const TemplateName& name, std::span<const TemplateValue> slots,
                       const std::vector<TemplateFrame>& frames) {
    if (name.is_item && !frames.empty()) return frames.back().item;
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
    const TemplateValue value = value_for(program, instruction, slots, scratch);
    if (is_absent(value)) {
        if (program.missing == MissingPolicy::kError) return std::nullopt;
        const std::string_view tag = program.names[instruction.a].tag;
        return program.missing == MissingPolicy::kKeep ? tag : std::string_view();
    }
    return escaped(printed(value, scratch.printed), instruction.escape, scratch.escaped);
}

RunOutcome find_missing(const Program& program, std::span<const TemplateValue> slots,
                        TemplateScratch& scratch) {
    if (program.missing != MissingPolicy::kError) return {};
    scratch.frames.clear();
    scratch.returns.clear();
    std::size_t steps = 0;
    for (std::uint32_t at = 0; at < program.code.size();) {
        if (++steps > kTemplateStepsMax) return {RunState::kTooLong, 0};
        const Instruction& instruction = program.code[at];
        if (instruction.op == Op::kText || instruction.op == Op::kValue) {
            if (instruction.op == Op::kValue &&
                is_absent(value_for(program, instruction, slots, scratch)))
                return {RunState::kMissing, instruction.a};
            ++at;
            continue;
        }
        at = step_control(program, at, slots, scratch);
        if (at == kNowhere) return {RunState::kTooDeep, 0};
    }
    return {};
}

std::uint32_t step_control(const Program& program, std::uint32_t at,
                           std::span<const TemplateValue> slots, TemplateScratch& scratch) {
    const Instruction& instruction = program.code[at];
    std::vector<TemplateFrame>& frames = scratch.frames;
    if (instruction.op == Op::kJump) return instruction.b;
    if (instruction.op == Op::kCall) {
        if (scratch.returns.size() == kTemplateDepthMax || instruction.b == kNowhere)
            return kNowhere;
        scratch.returns.push_back(at + 1);
        return instruction.b;
    }
    if (instruction.op == Op::kReturn) {
        if (scratch.returns.empty()) return static_cast<std::uint32_t>(program.code.size());
        const std::uint32_t behind = scratch.returns.back();
        scratch.returns.pop_back();
        return behind;
    }
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
