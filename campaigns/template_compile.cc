#include <utility>

#include "campaigns/template_compiler.h"
#include "engine/mail/utf8.h"

namespace posthorn {
namespace {

std::string in_braces(std::string_view name) { return "{{" + std::string(name) + "}}"; }

}  // namespace

void TemplateCompiler::fault(std::size_t offset, TagFault what, bool is_warning) {
    CampaignError error;
    error.path = place_.path;
    error.file = place_.file;
    error.code = what.code;
    error.message = std::move(what.message);
    error.hint = std::move(what.hint);
    const Source& source = sources_.back();
    if (source.partial != nullptr) {
        error.message = "partial '" + source.partial->name + "': " + error.message;
        if (!source.partial->file.empty()) error.file = source.partial->file;
    }
    error.severity = is_warning ? Severity::kWarning : Severity::kError;
    const std::string_view before = source.text.substr(0, offset);
    error.line = static_cast<std::uint32_t>(std::count(before.begin(), before.end(), '\n') + 1);
    const std::size_t line = before.rfind('\n');
    std::string_view in_line = line == std::string_view::npos ? before : before.substr(line + 1);
    in_line.remove_prefix(std::min(in_line.size(), source.indent.size()));
    for (error.column = 1; !in_line.empty(); ++error.column) take_code_point(in_line);
    faults_.push_back(std::move(error));
}

void TemplateCompiler::literal(std::string_view text) {
    text_.append(text);
    if (kind_ == TemplateKind::kHtml) position_.text_passed(text);
}

void TemplateCompiler::flush_text() {
    if (text_.empty()) return;
    program_.code.push_back(
        {Op::kText, Escape::kNone, 0, static_cast<std::uint32_t>(program_.texts.size()), 0, 0});
    program_.texts.push_back(std::move(text_));
    text_.clear();
}

std::uint32_t TemplateCompiler::next_instruction() {
    flush_text();
    return static_cast<std::uint32_t>(program_.code.size());
}

std::uint32_t TemplateCompiler::emit(Op op, std::uint32_t a, std::uint32_t b) {
    const std::uint32_t at = next_instruction();
    program_.code.push_back({op, Escape::kNone, 0, a, b, 0});
    return at;
}

void TemplateCompiler::finish() {
    if (!routines_.empty()) emit(Op::kReturn);
    for (std::size_t i = 0; i < routines_.size(); ++i) compile_routine(i);
    flush_text();
}

void TemplateCompiler::compile(std::string_view source, std::size_t depth) {
    if (depth == 0) sources_.push_back({source, nullptr, {}, 0});
    const std::size_t blocks_below = blocks_.size();
    TemplateTokens tokens(source);
    for (bool more = true; more;) {
        const TemplateToken token = tokens.next();
        switch (token.kind) {
            case TokenKind::kEnd:
                more = false;
                break;
            case TokenKind::kText:
                literal(token.text);
                break;
            case TokenKind::kValue:
            case TokenKind::kRaw:
                value(token, token.kind == TokenKind::kRaw);
                break;
            case TokenKind::kOpen:
                open(token);
                break;
            case TokenKind::kInverted:
                open_block(token, BlockKind::kInverted, token.inside, token.inside);
                break;
            case TokenKind::kElse:
                otherwise(token);
                break;
            case TokenKind::kClose:
                close(token, blocks_below);
                break;
            case TokenKind::kPartial:
                include(token, depth);
                break;
            case TokenKind::kFault:
                fault(token.offset,
                      {CampaignErrorCode::kTemplateSyntax, std::string(token.inside), ""});
                more = false;
                break;
        }
    }
    for (; blocks_.size() > blocks_below; blocks_.pop_back())
        fault(blocks_.back().offset,
              {CampaignErrorCode::kTemplateSyntax,
               "{{#" + std::string(blocks_.back().name) + "}} is never closed",
               "add {{/" + std::string(blocks_.back().name) + "}}"});
}

bool TemplateCompiler::in_loop() const {
    return in_routine_ || std::any_of(blocks_.begin(), blocks_.end(),
                                      [](const TemplateBlock& b) { return b.loops(); });
}

void TemplateCompiler::note_use(const Resolved& resolved, std::string_view name) {
    if (resolved.kind == NameKind::kBuiltIn)
        program_.built_ins |= 1u << static_cast<unsigned>(resolved.built_in);
    if (resolved.reserved) program_.reserved_used.emplace_back(name);
}

Escape TemplateCompiler::escape_for(const Resolved& resolved, const TagExpression& expression,
                                    bool raw) const {
    if (raw || kind_ == TemplateKind::kText || kind_ == TemplateKind::kHeader) return Escape::kNone;
    const Escape here = kind_ == TemplateKind::kUrl ? Escape::kUrlPart : position_.escape_here();
    const bool encoded =
        !expression.filters.empty() && expression.filters.back().filter == Filter::kUrlencode;
    const bool in_url =
        here == Escape::kUrlStart || here == Escape::kUrl || here == Escape::kUrlPart;
    if (encoded && in_url) return Escape::kNone;
    // Posthorn's own URL is one already: only HTML's characters matter.
    const bool own_url =
        resolved.kind == NameKind::kBuiltIn && resolved.built_in == BuiltIn::kUnsubscribeUrl;
    return own_url && here == Escape::kUrlStart ? Escape::kHtml : here;
}

void TemplateCompiler::unknown(std::string_view name, const TemplateToken& token, bool refuse) {
    fault(token.offset,
          {CampaignErrorCode::kTemplateUnknownVar,
           "no column or variable is called '" + std::string(name) + "'", name_hint(name, names_)},
          !refuse);
}

void TemplateCompiler::value(const TemplateToken& token, bool raw) {
    TagFault wrong;
    const std::optional<TagExpression> expression = parse_expression(token.inside, wrong);
    if (!expression) return fault(token.offset, std::move(wrong));
    Resolved resolved = resolve(expression->name, names_);
    resolved.name.tag = in_braces(token.inside);
    resolved.name.is_item = expression->name == ".";
    resolved.name.search_frames = in_loop();
    const Escape escape = escape_for(resolved, *expression, raw);
    note_use(resolved, expression->name);
    if (resolved.name.is_item && resolved.kind == NameKind::kUnknown && !in_loop())
        return fault(token.offset, {CampaignErrorCode::kTemplateSyntax,
                                    "{{.}} stands outside a section", "use it inside {{#each}}"});
    const bool has_default =
        std::any_of(expression->filters.begin(), expression->filters.end(),
                    [](const FilterCall& call) { return call.filter == Filter::kDefault; });
    const bool constant =
        resolved.kind == NameKind::kConstant || resolved.kind == NameKind::kUnknown;
    if (resolved.kind == NameKind::kUnknown && !in_loop())
        unknown(expression->name, token, program_.missing == MissingPolicy::kError && !has_default);
    if (constant && !in_loop()) return fold(resolved, *expression, escape);

    const std::uint32_t at = emit(Op::kValue, static_cast<std::uint32_t>(program_.names.size()));
    Instruction& instruction = program_.code[at];
    instruction.escape = escape;
    instruction.filters = static_cast<std::uint32_t>(program_.filters.size());
    instruction.filter_count = static_cast<std::uint16_t>(expression->filters.size());
    program_.names.push_back(std::move(resolved.name));
    program_.filters.insert(program_.filters.end(), expression->filters.begin(),
                            expression->filters.end());
    position_.value_passed();
}

// The same for every recipient: becomes literal text now.
void TemplateCompiler::fold(const Resolved& resolved, const TagExpression& expression,
                            Escape escape) {
    TemplateValue value = resolved.name.fallback();
    for (const std::string& part : resolved.name.path) value = member_of(value, part);
    std::string filtered[3], print, escape_scratch;
    value = apply_filters(expression.filters, value, filtered);
    if (is_absent(value) && program_.missing == MissingPolicy::kKeep)
        text_.append(resolved.name.tag);
    else
        text_.append(escaped(printed(value, print), escape, escape_scratch));
    position_.value_passed();
}

void TemplateCompiler::open(const TemplateToken& token) {
    const std::size_t blank = std::min(token.inside.find_first_of(" \t"), token.inside.size());
    const std::string_view word = token.inside.substr(0, blank);
    std::string_view rest = token.inside.substr(blank);
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
    if (word == "if") return open_block(token, BlockKind::kIf, word, rest);
    if (word == "unless") return open_block(token, BlockKind::kUnless, word, rest);
    if (word == "each") return open_block(token, BlockKind::kEach, word, rest);
    open_block(token, BlockKind::kSection, token.inside, token.inside);
}

void TemplateCompiler::open_block(const TemplateToken& token, BlockKind kind,
                                  std::string_view closes_with, std::string_view name) {
    TagFault wrong;
    const std::optional<TagExpression> expression = parse_expression(name, wrong);
    if (!expression) fault(token.offset, std::move(wrong));
    if (expression && !expression->filters.empty())
        fault(token.offset,
              {CampaignErrorCode::kTemplateSyntax, "a section takes a name without filters",
               "put the filter where the value is printed"});
    if (blocks_.size() == kTemplateDepthMax)
        fault(token.offset, {CampaignErrorCode::kTemplateSyntax,
                             "sections are nested deeper than 32", "flatten the template"});
    Resolved resolved = resolve(expression ? expression->name : "", names_);
    resolved.name.is_item = expression && expression->name == ".";
    resolved.name.search_frames = in_loop();
    if (expression) {
        note_use(resolved, expression->name);
        if (resolved.kind == NameKind::kUnknown && !in_loop())
            unknown(expression->name, token, false);
    }
    const Op op = kind == BlockKind::kIf        ? Op::kIf
                  : kind == BlockKind::kEach    ? Op::kEach
                  : kind == BlockKind::kSection ? Op::kSection
                                                : Op::kUnless;
    const std::uint32_t at = emit(op, static_cast<std::uint32_t>(program_.names.size()));
    program_.names.push_back(std::move(resolved.name));
    blocks_.push_back({kind, closes_with, token.offset, at, 0xFFFFFFFF, position_});
}

void TemplateCompiler::otherwise(const TemplateToken& token) {
    if (blocks_.empty() || blocks_.back().has_else())
        return fault(token.offset,
                     {CampaignErrorCode::kTemplateSyntax, "{{else}} stands outside a section",
                      "it belongs between {{#if x}} and {{/if}}, once"});
    TemplateBlock& block = blocks_.back();
    if (block.loops()) emit(Op::kNext, block.begin + 1);
    block.jump_to_end = emit(Op::kJump);
    program_.code[block.begin].b = next_instruction();
    position_ = block.position;
}

void TemplateCompiler::close(const TemplateToken& token, std::size_t blocks_below) {
    if (blocks_.size() == blocks_below)
        return fault(token.offset, {CampaignErrorCode::kTemplateSyntax,
                                    "{{/" + std::string(token.inside) + "}} closes nothing", ""});
    const TemplateBlock block = blocks_.back();
    if (block.name != token.inside)
        fault(token.offset, {CampaignErrorCode::kTemplateSyntax,
                             "{{/" + std::string(token.inside) + "}} where {{/" +
                                 std::string(block.name) + "}} is expected",
                             ""});
    blocks_.pop_back();
    if (block.has_else()) {
        program_.code[block.jump_to_end].b = next_instruction();
        return;
    }
    if (block.loops()) emit(Op::kNext, block.begin + 1);
    program_.code[block.begin].b = next_instruction();
}

Program compile_template(std::string_view text, TemplateKind kind, MissingPolicy missing,
                         const TemplateNames& names, const TemplatePlace& place,
                         std::vector<CampaignError>& faults) {
    Program program;
    program.missing = missing;
    if (text.size() > kTemplateBytesMax || !valid_utf8(text)) {
        CampaignError error;
        error.path = place.path;
        error.file = place.file;
        error.code = CampaignErrorCode::kTemplateSyntax;
        error.message = text.size() > kTemplateBytesMax ? "the template is larger than 4 MiB"
                                                        : "the template is not UTF-8";
        faults.push_back(std::move(error));
        return program;
    }
    TemplateCompiler compiler(kind, names, place, faults, program);
    compiler.compile(text, 0);
    compiler.finish();
    return program;
}

}  // namespace posthorn
