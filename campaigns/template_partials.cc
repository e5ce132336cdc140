#include <utility>

#include "campaigns/template_compiler.h"
#include "campaigns/template_run.h"

namespace posthorn {

void TemplateCompiler::include(const TemplateToken& token, std::size_t depth) {
    if (includes_ > kIncludesMax) return;  // said already
    if (++includes_ > kIncludesMax)
        return fault(token.offset, {CampaignErrorCode::kTemplateSyntax,
                                    "the template includes over 1000 partials", ""});
    const TemplatePartial* partial = nullptr;
    if (names_.partials != nullptr)
        for (const TemplatePartial& known : *names_.partials)
            if (known.name == token.inside) partial = &known;
    if (partial == nullptr) return include_missing(token);
    const auto itself = std::find_if(sources_.begin(), sources_.end(), [&](const Source& source) {
        return source.partial == partial;
    });
    if (itself == sources_.end() && depth == kTemplateDepthMax)
        return fault(token.offset, {CampaignErrorCode::kTemplateSyntax,
                                    "partials are nested deeper than 32", "flatten them"});
    if (itself == sources_.end()) return write_out(*partial, token.indent, depth);
    if (blocks_.size() > itself->blocks_below) return call(token, *partial, depth);
    fault(token.offset,
          {CampaignErrorCode::kTemplateSyntax, "the partial includes itself without end",
           "include it inside a section that ends"});
}

void TemplateCompiler::include_missing(const TemplateToken& token) {
    const bool refuse = program_.missing == MissingPolicy::kError;
    fault(token.offset,
          {CampaignErrorCode::kTemplateSyntax,
           "there is no partial '" + std::string(token.inside) + "'",
           partial_hint(token.inside, names_)},
          !refuse);
    if (program_.missing == MissingPolicy::kKeep) literal(token.text);
}

void TemplateCompiler::write_out(const TemplatePartial& partial, std::string_view indent,
                                 std::size_t depth) {
    std::string text;
    bool line_start = true;
    for (char c : partial.text) {
        if (line_start) text.append(indent);
        text.push_back(c);
        line_start = c == '\n';
    }
    sources_.push_back({text, &partial, indent, blocks_.size()});
    compile(text, depth + 1);
    sources_.pop_back();
}

void TemplateCompiler::call(const TemplateToken& token, const TemplatePartial& partial,
                            std::size_t depth) {
    const std::uint32_t at = emit(Op::kCall, 0, kNowhere);
    if (depth == kTemplateDepthMax) return;  // as deep as calls may go
    for (TemplateRoutine& routine : routines_)
        if (routine.partial == &partial && routine.indent == token.indent &&
            routine.position == position_)
            return routine.calls.push_back(at);
    routines_.push_back({&partial, std::string(token.indent), position_, depth, {at}});
}

void TemplateCompiler::compile_routine(std::size_t index) {
    const TemplateRoutine routine = routines_[index];  // more may come while it is compiled
    const std::uint32_t begin = next_instruction();
    position_ = routine.position;
    in_routine_ = true;
    write_out(*routine.partial, routine.indent, routine.depth);
    if (!position_.may_pass_for(routine.position))
        fault(0,
              {CampaignErrorCode::kTemplateSyntax,
               "the partial '" + routine.partial->name +
                   "' includes itself and ends inside a tag or attribute that it did not begin in",
               "end it where it began"});
    emit(Op::kReturn);
    for (const std::uint32_t at : routines_[index].calls) program_.code[at].b = begin;
}

}  // namespace posthorn
