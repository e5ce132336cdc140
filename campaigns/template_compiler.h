// The compiler of templates: from tags to a program, in one pass. Blocks are kept on a stack and
// their jumps filled in when they close. Partials are written out where they are included; only one
// that stands inside itself is compiled apart, once for every indentation and place in the HTML,
// and called. Internal to compile_template().
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "campaigns/template_expression.h"
#include "campaigns/template_tokens.h"

namespace posthorn {

enum class BlockKind : std::uint8_t { kIf, kUnless, kEach, kSection, kInverted };

struct TemplateBlock {
    BlockKind kind;
    std::string_view name;  // what closes it
    std::size_t offset;
    std::uint32_t begin;                     // its instruction
    std::uint32_t jump_to_end = 0xFFFFFFFF;  // the kJump before its else
    HtmlPosition position;                   // where the HTML stood
    bool has_else() const { return jump_to_end != 0xFFFFFFFF; }
    bool loops() const { return kind == BlockKind::kEach || kind == BlockKind::kSection; }
};

// A partial that is called.
struct TemplateRoutine {
    const TemplatePartial* partial;
    std::string indent;
    HtmlPosition position;  // where it is called, and where it has to end
    std::size_t depth;
    std::vector<std::uint32_t> calls;  // instructions
};

inline constexpr std::size_t kIncludesMax = 1000;  // of partials, in all

class TemplateCompiler {
  public:
    TemplateCompiler(TemplateKind kind, const TemplateNames& names, const TemplatePlace& place,
                     std::vector<CampaignError>& faults, Program& program)
        : kind_(kind), names_(names), place_(place), faults_(faults), program_(program) {}

    void compile(std::string_view source, std::size_t depth);
    void finish();

  private:
    void literal(std::string_view text);
    void flush_text();
    std::uint32_t emit(Op op, std::uint32_t a = 0, std::uint32_t b = 0);
    std::uint32_t next_instruction();

    void value(const TemplateToken& token, bool raw);
    void fold(const Resolved& resolved, const TagExpression& expression, Escape escape);
    void unknown(std::string_view name, const TemplateToken& token, bool refuse);
    Escape escape_for(const Resolved& resolved, const TagExpression& expression, bool raw) const;
    void note_use(const Resolved& resolved, std::string_view name);

    void open(const TemplateToken& token);
    void open_block(const TemplateToken& token, BlockKind kind, std::string_view closes_with,
                    std::string_view name);
    void otherwise(const TemplateToken& token);
    void close(const TemplateToken& token, std::size_t blocks_below);
    void include(const TemplateToken& token, std::size_t depth);
    void include_missing(const TemplateToken& token);
    void write_out(const TemplatePartial& partial, std::string_view indent, std::size_t depth);
    void call(const TemplateToken& token, const TemplatePartial& partial, std::size_t depth);
    void compile_routine(std::size_t index);
    bool in_loop() const;

    void fault(std::size_t offset, TagFault what, bool is_warning = false);

    TemplateKind kind_;
    const TemplateNames& names_;
    const TemplatePlace& place_;
    std::vector<CampaignError>& faults_;
    Program& program_;
    std::string text_;  // literal text not yet emitted
    std::vector<TemplateBlock> blocks_;
    HtmlPosition position_;
    // The template or partial at hand, the outermost first.
    struct Source {
        std::string_view text;
        const TemplatePartial* partial;  // null: the template itself
        std::string_view indent;
        std::size_t blocks_below;
    };
    std::vector<Source> sources_;
    std::vector<TemplateRoutine> routines_;
    bool in_routine_ = false;
    std::size_t includes_ = 0;
};

}  // namespace posthorn
