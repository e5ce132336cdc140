// Runs a compiled template into a sink with
//   bool text(std::uint32_t index);      // a literal text of the program
//   bool value(std::string_view bytes);  // a value, filtered and escaped
// which may refuse with false. Allocates nothing once scratch has grown, plain values given.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "campaigns/template_program.h"
#include "campaigns/template_value.h"

namespace posthorn {

inline constexpr std::size_t kTemplateStepsMax = 1'000'000;  // bounds sections inside sections

struct TemplateFrame {
    TemplateValue item;
    ListElements rest;
};

// Reused from run to run.
struct TemplateScratch {
    std::string printed, filtered[3], escaped;
    std::vector<TemplateFrame> frames;
    std::vector<std::uint32_t> returns;  // behind the calls at hand
};

enum class RunState : std::uint8_t { kDone, kMissing, kRefused, kTooLong, kTooDeep };

struct RunOutcome {
    RunState state = RunState::kDone;
    std::uint32_t name = 0;  // of the program: what was missing
};

// Slots by number: the built-ins, then the columns.
TemplateValue value_of(const TemplateName& name, std::span<const TemplateValue> slots,
                       const std::vector<TemplateFrame>& frames);

// The value of a kValue instruction, ready to be written; nullopt when it is missing and that is
// an error.
std::optional<std::string_view> ready_value(const Program& program, const Instruction& instruction,
                                            std::span<const TemplateValue> slots,
                                            TemplateScratch& scratch);

// Where to go on after an instruction that is neither text nor value; kNowhere: calls are too deep.
inline constexpr std::uint32_t kNowhere = 0xFFFFFFFF;
std::uint32_t step_control(const Program& program, std::uint32_t at,
                           std::span<const TemplateValue> slots, TemplateScratch& scratch);

template <class Sink>
RunOutcome run_program(const Program& program, std::span<const TemplateValue> slots,
                       TemplateScratch& scratch, Sink& sink) {
    scratch.frames.clear();
    scratch.returns.clear();
    std::size_t steps = 0;
    for (std::uint32_t at = 0; at < program.code.size();) {
        if (++steps > kTemplateStepsMax) return {RunState::kTooLong, 0};
        const Instruction& instruction = program.code[at];
        if (instruction.op == Op::kText) {
            if (!sink.text(instruction.a)) return {RunState::kRefused, 0};
            ++at;
        } else if (instruction.op == Op::kValue) {
            const auto value = ready_value(program, instruction, slots, scratch);
            if (!value) return {RunState::kMissing, instruction.a};
            if (value->size() > kTemplateValueBytesMax) return {RunState::kTooLong, 0};
            if (!sink.value(*value)) return {RunState::kRefused, 0};
            ++at;
        } else {
            at = step_control(program, at, slots, scratch);
            if (at == kNowhere) return {RunState::kTooDeep, 0};
        }
    }
    return {};
}

// What run_program would find missing, without writing anything.
RunOutcome find_missing(const Program& program, std::span<const TemplateValue> slots,
                        TemplateScratch& scratch);

// Appends texts and values as they are, up to a limit.
class StringSink {
  public:
    StringSink(const Program& program, std::string& out, std::size_t bytes_max)
        : program_(program), out_(out), bytes_max_(bytes_max) {}

    bool text(std::uint32_t index) { return value(program_.texts[index]); }
    bool value(std::string_view bytes) {
        out_.append(bytes);
        return out_.size() <= bytes_max_;
    }

  private:
    const Program& program_;
    std::string& out_;
    std::size_t bytes_max_;
};

}  // namespace posthorn
