// From the content to what is rendered: every field compiled, everything constant written once.
#include <algorithm>

#include "campaigns/compliance.h"
#include "campaigns/html_text.h"
#include "campaigns/message_parts.h"
#include "campaigns/own_headers.h"
#include "campaigns/template_compiler.h"
#include "engine/base/hash.h"
#include "engine/mail/headers.h"

namespace posthorn {
namespace {

std::string_view trimmed(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
    return text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
}

// HTML with its partials in their places, but for those that include themselves.
class PartialsInPlace {
  public:
    explicit PartialsInPlace(const std::vector<TemplatePartial>& partials) : partials_(partials) {}

    std::string of(std::string_view html) {
        std::string out;
        append(out, html);
        return out;
    }

  private:
    const TemplatePartial* included(std::string_view tag) const {
        std::string_view name = trimmed(tag.substr(2, tag.size() - 4));
        if (!name.starts_with('>')) return nullptr;
        name = trimmed(name.substr(1));
        const auto found = std::find_if(partials_.begin(), partials_.end(),
                                        [&](const auto& partial) { return partial.name == name; });
        return found == partials_.end() ? nullptr : &*found;
    }

    void append(std::string& out, std::string_view html) {
        while (!html.empty()) {
            const std::size_t open = std::min(html.find("{{"), html.size());
            out.append(html.substr(0, open));
            html.remove_prefix(open);
            const std::size_t close = html.find("}}");
            if (close == std::string_view::npos) return void(out.append(html));
            const std::string_view tag = html.substr(0, close + 2);
            html.remove_prefix(tag.size());
            const TemplatePartial* partial = included(tag);
            const bool inside = std::find(around_.begin(), around_.end(), partial) != around_.end();
            if (partial == nullptr || inside || ++count_ > kIncludesMax ||
                out.size() > kTemplateBytesMax) {
                out.append(tag);
                continue;
            }
            around_.push_back(partial);
            append(out, partial->text);
            around_.pop_back();
        }
    }

    const std::vector<TemplatePartial>& partials_;
    std::vector<const TemplatePartial*> around_;  // those that are being put in
    std::size_t count_ = 0;
};

class ContentCompiler {
  public:
    ContentCompiler(const MessageContent& content, const TokenKeys* keys)
        : content_(content),
          keys_(keys),
          reserved_{{"campaign.id", content.campaign_id, false},
                    {"physical_address", content.physical_address, false}},
          names_{&content.columns, &content.vars, &reserved_, &content.partials} {}

    CompiledContent compile();

  private:
    Program compile_text(std::string_view text, TemplateKind kind, const std::string& path,
                         const std::string& file = {});
    void fault(CampaignErrorCode code, const std::string& path, std::string message,
               std::string hint = {}, const std::string& file = {});
    bool can_unsubscribe() const {
        return !content_.unsubscribe.url.empty() || !content_.unsubscribe.mailto.empty();
    }

    void compile_sender();
    void compile_unsubscribe();
    void compile_list_headers();
    void compile_custom_headers();
    void compile_bodies();
    void encode_attachments();
    void compile_part(const TemplateSource& source, PartKind kind, const std::string& path);
    std::string completed(const TemplateSource& source, PartKind kind, const std::string& path,
                          const Program& as_written);
    std::string feedback_id() const;

    const MessageContent& content_;
    const TokenKeys* keys_;
    std::vector<TemplateConstant> reserved_;
    TemplateNames names_;
    MessageParts parts_;
    std::vector<CampaignError> problems_;
};

void ContentCompiler::fault(CampaignErrorCode code, const std::string& path, std::string message,
                            std::string hint, const std::string& file) {
    CampaignError error;
    error.path = path;
    error.code = code;
    error.message = std::move(message);
    error.hint = std::move(hint);
    error.file = file;
    problems_.push_back(std::move(error));
}

Program ContentCompiler::compile_text(std::string_view text, TemplateKind kind,
                                      const std::string& path, const std::string& file) {
    Program program =
        compile_template(text, kind, content_.missing, names_, {path, file}, problems_);
    const bool unsubscribes =
        program.uses(BuiltIn::kUnsubscribeUrl) || program.uses(BuiltIn::kUnsubscribeToken);
    parts_.token_wanted = parts_.token_wanted || unsubscribes;
    if (program.uses(BuiltIn::kUnsubscribeUrl) && !can_unsubscribe())
        fault(CampaignErrorCode::kComplianceUnsubscribe, path,
              "{{unsubscribe_url}} is used, but the campaign has no way to unsubscribe",
              "add compliance.unsubscribe.url or mailto", file);
    return program;
}

CompiledContent ContentCompiler::compile() {
    parts_.campaign_id = content_.campaign_id;
    parts_.columns = content_.columns.size();
    parts_.boundary_hash = hash128("boundary " + content_.campaign_id);
    parts_.signer = content_.signer;
    parts_.message_bytes_max = content_.message_bytes_max;
    compile_sender();
    compile_bodies();
    encode_attachments();
    compile_unsubscribe();
    compile_list_headers();
    compile_custom_headers();
    parts_.list_headers.append("MIME-Version: 1.0\r\n");
    CompiledContent compiled;
    compiled.problems = std::move(problems_);
    if (!has_errors(compiled.problems))
        compiled.renderer = std::make_shared<const CompiledMessage>(std::move(parts_));
    return compiled;
}

void ContentCompiler::compile_sender() {
    const Address& from = content_.from;
    const Address& return_path = content_.return_path ? *content_.return_path : from;
    parts_.from_domain = from.domain;
    parts_.envelope_from = return_path.to_string();
    if (!content_.return_path) parts_.return_paths = content_.return_paths;
    parts_.smtputf8 =
        from.smtputf8 || return_path.smtputf8 || (content_.reply_to && content_.reply_to->smtputf8);
    append_mailbox_header(parts_.sender_headers, "From", {&from, 1});
    if (content_.reply_to)
        append_mailbox_header(parts_.sender_headers, "Reply-To", {&*content_.reply_to, 1});
    if (!content_.to_name.empty())
        parts_.to_name = compile_text(content_.to_name, TemplateKind::kHeader, "/to_name");
    Program subject = compile_text(content_.subject.text, TemplateKind::kHeader, "/subject",
                                   content_.subject.file);
    if (!subject.is_constant()) {
        parts_.subject = std::move(subject);
        return;
    }
    parts_.constant_subject = subject.constant_text();
    append_header(parts_.sender_headers, "Subject", parts_.constant_subject);
}

void ContentCompiler::compile_unsubscribe() {
    const Unsubscribe& unsubscribe = content_.unsubscribe;
    if (!unsubscribe.url.empty()) {
        const std::string path = "/compliance/unsubscribe/url";
        parts_.unsubscribe_url = compile_text(unsubscribe.url, TemplateKind::kUrl, path);
        if (parts_.unsubscribe_url->uses(BuiltIn::kUnsubscribeUrl))
            fault(CampaignErrorCode::kTemplateSyntax, path, "the URL is made of itself",
                  "use {{unsubscribe_token}}");
    }
    if (!unsubscribe.mailto.empty()) {
        const std::size_t at = unsubscribe.mailto.rfind('@');
        parts_.unsubscribe_mailto = "mailto:";
        append_percent_encoded(parts_.unsubscribe_mailto, unsubscribe.mailto.substr(0, at));
        if (at != std::string::npos)
            parts_.unsubscribe_mailto.append(unsubscribe.mailto.substr(at));
        parts_.unsubscribe_mailto.append("?subject=unsubscribe");
    }
    parts_.token_wanted = parts_.token_wanted || can_unsubscribe();
    if (keys_ != nullptr && parts_.token_wanted)
        parts_.sealer = keys_->sealer(TokenPurpose::kUnsubscribe, content_.campaign_id);
}

// campaign:tag:kind:sender (the large providers' feedback loops): no blanks, no further colons.
std::string ContentCompiler::feedback_id() const {
    std::string tag = content_.tags.empty() ? "none" : content_.tags.front();
    for (char& c : tag) {
        const bool word = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                          (c >= 'a' && c <= 'z') || c == '-' || c == '_' || c == '.';
        if (!word) c = '-';
    }
    const bool marketing = content_.kind == CampaignKind::kMarketing;
    return content_.campaign_id + ":" + tag.substr(0, 64) +
           (marketing ? ":marketing:" : ":transactional:") + content_.from.domain;
}

void ContentCompiler::compile_list_headers() {
    std::string& out = parts_.list_headers;
    const Unsubscribe& unsubscribe = content_.unsubscribe;
    if (unsubscribe.one_click && unsubscribe.url.starts_with("https://"))
        out.append("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n");
    if (content_.kind == CampaignKind::kMarketing || !content_.list_id.empty()) {
        const std::string list_id = content_.list_id.empty()
                                        ? content_.campaign_id + "." + content_.from.domain
                                        : content_.list_id;
        append_structured_header(out, "List-Id", "<" + list_id + ">");
    }
    append_structured_header(out, "Feedback-ID", feedback_id());
}

void ContentCompiler::compile_custom_headers() {
    const auto own = std::find(content_.columns.begin(), content_.columns.end(), kOwnHeadersColumn);
    if (own != content_.columns.end())
        parts_.own_headers =
            kBuiltInCount + static_cast<std::size_t>(own - content_.columns.begin());
    for (const auto& [name, value] : content_.headers) {
        const std::string path = "/headers/" + name;
        if (!valid_header_name(name) || !header_permitted(name)) {
            fault(CampaignErrorCode::kHeaderForbidden, path,
                  "'" + name + "' is not for a campaign to set",
                  "Posthorn writes it, or it is not a header's name");
            continue;
        }
        Program program = compile_text(value, TemplateKind::kHeader, path);
        if (program.is_constant() && !parts_.own_headers)
            append_header(parts_.list_headers, name, program.constant_text());
        else
            parts_.headers.push_back({name, std::move(program)});
    }
}

void ContentCompiler::compile_bodies() {
    if (content_.text) {
        compile_part(*content_.text, PartKind::kText, "/text");
    } else if (content_.text_auto && content_.html) {
        // Faults of the HTML are reported once, by its own compilation.
        const std::size_t known = problems_.size();
        std::vector<TemplatePartial> partials = content_.partials;
        for (TemplatePartial& partial : partials) partial.text = html_to_text(partial.text);
        names_.partials = &partials;
        compile_part({html_to_text(PartialsInPlace(content_.partials).of(content_.html->text)),
                      content_.html->file},
                     PartKind::kText, "/text");
        names_.partials = &content_.partials;
        std::vector<CampaignError> of_text(problems_.begin() + static_cast<std::ptrdiff_t>(known),
                                           problems_.end());
        problems_.resize(known);
        compile_part(*content_.html, PartKind::kHtml, "/html");
        if (problems_.size() == known)
            problems_.insert(problems_.end(), of_text.begin(), of_text.end());
        return;
    }
    if (content_.html) compile_part(*content_.html, PartKind::kHtml, "/html");
    if (parts_.parts.empty())
        fault(CampaignErrorCode::kRequired, "", "the campaign has neither HTML nor text",
              "add html, html_file or text");
}

void ContentCompiler::encode_attachments() {
    std::size_t bytes = 0;
    for (const MessageAttachment& attachment : content_.attachments) {
        const bool named = content_.html && attachment.is_inline && !attachment.cid.empty();
        std::vector<std::string>& encoded = named ? parts_.related : parts_.attached;
        encoded.push_back(encoded_attachment(attachment));
        bytes += encoded.back().size();
    }
    if (bytes > content_.message_bytes_max)
        fault(CampaignErrorCode::kMessageTooBig, "/attachments",
              "the attachments take " + std::to_string(bytes >> 20) + " MiB of every message",
              std::to_string(content_.message_bytes_max >> 20) +
                  " MiB are the limit: put them on a web page and link to them");
}

void ContentCompiler::compile_part(const TemplateSource& source, PartKind kind,
                                   const std::string& path) {
    const TemplateKind as = kind == PartKind::kHtml ? TemplateKind::kHtml : TemplateKind::kText;
    const std::size_t known = problems_.size();
    CompiledPart part;
    part.media_type = kind == PartKind::kHtml ? "text/html" : "text/plain";
    part.program = compile_text(source.text, as, path, source.file);
    const bool sound = std::none_of(
        problems_.begin() + static_cast<std::ptrdiff_t>(known), problems_.end(),
        [](const CampaignError& problem) { return problem.severity == Severity::kError; });
    const std::string complete = completed(source, kind, path, part.program);
    if (sound && complete != source.text) {
        std::vector<CampaignError> seen_already(problems_);
        part.program = compile_text(complete, as, path, source.file);
        problems_ = std::move(seen_already);
    }
    std::size_t bytes = 0;
    for (const std::string& text : part.program.texts) {
        part.pieces.emplace_back(text);
        bytes += text.size();
    }
    if (bytes > content_.message_bytes_max)
        fault(CampaignErrorCode::kMessageTooBig, path, "the message is too large", "", source.file);
    part.encoding = smallest_encoding(part.pieces);
    parts_.parts.push_back(std::move(part));
}

// The source with footer and preheader; notes what a footer may not be added for.
std::string ContentCompiler::completed(const TemplateSource& source, PartKind kind,
                                       const std::string& path, const Program& as_written) {
    std::string text = source.text;
    const FooterNeeds needs = footer_needs(content_, as_written);
    const bool changes_delimiters = text.find("{{=") != std::string::npos;
    if (needs.any() && content_.footer != FooterPolicy::kOff) {
        if (content_.footer == FooterPolicy::kAuto && !changes_delimiters) {
            text = with_footer(text, kind, needs);
        } else {
            if (needs.unsubscribe)
                fault(CampaignErrorCode::kComplianceUnsubscribe, path,
                      "the template shows no way to unsubscribe", "add {{unsubscribe_url}}",
                      source.file);
            if (needs.address)
                fault(CampaignErrorCode::kComplianceAddress, path,
                      "the template shows no postal address", "add {{physical_address}}",
                      source.file);
        }
    }
    if (kind == PartKind::kHtml && !content_.preheader.empty()) {
        compile_text(content_.preheader, TemplateKind::kHtml, "/preheader");
        text = with_preheader(text, content_.preheader);
    }
    return text;
}

}  // namespace

CompiledContent compile_content(const MessageContent& content, const TokenKeys* keys) {
    return ContentCompiler(content, keys).compile();
}

}  // namespace posthorn
