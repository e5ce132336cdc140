#include <algorithm>
#include <array>

#include "campaigns/message_scratch.h"
#include "campaigns/own_headers.h"
#include "engine/base/hash.h"
#include "engine/mail/encodings.h"
#include "engine/mail/headers.h"

namespace posthorn {
namespace {

constexpr std::size_t kBase64LineBytes = kEncodedLineMax / 4 * 3;

Error refused(std::string why) { return {ErrorKind::kInvalid, std::move(why)}; }

void append_hex(std::string& out, const std::array<char, 16>& bytes) {
    constexpr char kHex[] = "0123456789abcdef";
    for (char c : bytes) {
        out.push_back(kHex[static_cast<unsigned char>(c) >> 4]);
        out.push_back(kHex[static_cast<unsigned char>(c) & 15]);
    }
}

// What no URI may hold, percent-encoded in place.
void clean_uri(std::string& uri) {
    const auto good = [](char c) {
        return c > 0x20 && c < 0x7F && c != '<' && c != '>' && c != '"' && c != '\\';
    };
    std::size_t clean = 0;
    while (clean < uri.size() && good(uri[clean])) ++clean;
    if (clean == uri.size()) return;
    std::string out;
    for (char c : uri) {
        if (good(c))
            out.push_back(c);
        else
            append_percent_encoded(out, {&c, 1});
    }
    uri = std::move(out);
}

// One writer of a body as the sink of a program, with a bound on the whole message.
template <class Body>
class BodySink {
  public:
    BodySink(const std::vector<BodyPiece>& pieces, std::string& out, std::size_t bytes_max)
        : pieces_(pieces), out_(out), bytes_max_(bytes_max), body_(out) {}

    bool text(std::uint32_t index) { return body_.piece(pieces_[index]) && fits(); }
    bool value(std::string_view bytes) {
        personal_from_ = std::min(personal_from_, out_.size());
        return body_.value(bytes) && fits();
    }
    std::size_t personal_from() const { return personal_from_; }
    void close() { body_.close(); }
    bool fits() const { return out_.size() <= bytes_max_; }

  private:
    const std::vector<BodyPiece>& pieces_;
    std::string& out_;
    std::size_t bytes_max_;
    std::size_t personal_from_ = std::string::npos;
    Body body_;
};

// RFC 2046 section 5.1: the header on construction, then a delimiter before each part.
class Multipart {
  public:
    Multipart(std::string& out, const std::array<char, 16>& hash, std::string_view subtype,
              Boundary boundary)
        : out_(out), hash_(hash), boundary_(boundary) {
        out_.append("Content-Type: multipart/").append(subtype).append(";\r\n boundary=\"");
        append_boundary(out_, {hash_.data(), hash_.size()}, boundary_);
        out_.append("\"\r\n\r\n");
    }

    void delimit() const { write("\r\n"); }
    void close() const { write("--\r\n"); }

  private:
    void write(std::string_view end) const {
        out_.append("--");
        append_boundary(out_, {hash_.data(), hash_.size()}, boundary_);
        out_.append(end);
    }

    std::string& out_;
    const std::array<char, 16>& hash_;
    Boundary boundary_;
};

}  // namespace

Status status_of(const RunOutcome& outcome, const Program& program, std::string_view where) {
    switch (outcome.state) {
        case RunState::kDone:
            return {};
        case RunState::kMissing:
            return refused(std::string(where) + ": " + program.names[outcome.name].tag +
                           " has no value");
        case RunState::kRefused:
        case RunState::kTooLong:
            return refused(std::string(where) + " becomes too long");
        case RunState::kTooDeep:
            return refused(std::string(where) + ": a partial includes itself more than 32 deep");
    }
    return {};
}

CompiledMessage::Scratch& CompiledMessage::scratch_of_thread() {
    thread_local Scratch scratch;
    return scratch;
}

Status CompiledMessage::render(const RenderRequest& request, RenderedMessage& message) const {
    Scratch& scratch = scratch_of_thread();
    message.bytes.clear();
    message.eight_bit = false;
    RETURN_IF_ERROR(read_row(request, message, scratch));
    if (parts_.token_wanted) RETURN_IF_ERROR(make_unsubscribe(scratch, message.envelope_to));
    RETURN_IF_ERROR(write_headers(request, message, scratch));
    RETURN_IF_ERROR(write_body(message.bytes, scratch));
    if (parts_.signer) RETURN_IF_ERROR(sign(request, message, scratch));
    if (message.bytes.size() > parts_.message_bytes_max) return refused("the message is too large");
    return {};
}

Status CompiledMessage::sign(const RenderRequest& request, RenderedMessage& message,
                             const Scratch& scratch) const {
    constexpr std::string_view kEndOfHeaders = "\r\n\r\n";
    DkimBody body;
    body.at = message.bytes.find(kEndOfHeaders) + kEndOfHeaders.size();
    body.shared = std::min(scratch.personal_from, message.bytes.size()) - body.at;
    return parts_.signer->sign(message.bytes, body, request.attempt_time);
}

Status CompiledMessage::envelope(const RenderRequest& request, RenderedMessage& message) const {
    message.bytes.clear();
    message.eight_bit = false;
    return read_row(request, message, scratch_of_thread());
}

// The row's views fill the slots; they live as long as the request.
Status CompiledMessage::read_row(const RenderRequest& request, RenderedMessage& message,
                                 Scratch& scratch) const {
    std::optional<AudienceRow> row = AudienceRow::parse(request.row);
    if (!row) return Error{ErrorKind::kCorrupt, "the stored recipient cannot be read"};
    const AddressFault fault = parse_address(row->address(), scratch.address);
    if (fault != AddressFault::kNone)
        return refused("not an address: " + std::string(reason(fault)));
    message.envelope_to.clear();
    scratch.address.append_to(message.envelope_to);
    message.envelope_from.clear();
    if (!parts_.return_paths ||
        !parts_.return_paths->append(message.envelope_from, request.audience_key))
        message.envelope_from = parts_.envelope_from;
    message.smtputf8 = parts_.smtputf8 || scratch.address.smtputf8;

    fill_slots(*row, scratch);
    scratch.slots[static_cast<std::size_t>(BuiltIn::kRecipientDomain)] = {scratch.address.domain,
                                                                          false};
    return {};
}

void CompiledMessage::fill_slots(AudienceRow& row, Scratch& scratch) const {
    scratch.slots.resize(kBuiltInCount + parts_.columns);
    const auto slot = [&scratch](BuiltIn name) -> TemplateValue& {
        return scratch.slots[static_cast<std::size_t>(name)];
    };
    slot(BuiltIn::kUnsubscribeUrl) = slot(BuiltIn::kUnsubscribeToken) = {{}, false};
    slot(BuiltIn::kRecipientEmail) = {row.address(), false};
    slot(BuiltIn::kRecipientName) = {row.name(), false};
    slot(BuiltIn::kRecipientDomain) = {{}, false};
    for (std::size_t i = 0; i < parts_.columns; ++i) scratch.slots[kBuiltInCount + i] = row.next();
}

Status CompiledMessage::make_unsubscribe(Scratch& scratch, const std::string& address) const {
    scratch.token.clear();
    if (parts_.sealer)
        parts_.sealer->append(scratch.token, address);
    else
        scratch.token = "token";
    scratch.slots[static_cast<std::size_t>(BuiltIn::kUnsubscribeToken)] = {scratch.token, false};
    scratch.url.clear();
    if (parts_.unsubscribe_url) {
        StringSink sink(*parts_.unsubscribe_url, scratch.url, kUnsubscribeUrlBytesMax);
        const RunOutcome outcome =
            run_program(*parts_.unsubscribe_url, scratch.slots, scratch.run, sink);
        RETURN_IF_ERROR(status_of(outcome, *parts_.unsubscribe_url, "the unsubscribe URL"));
        clean_uri(scratch.url);
        if (scratch.url.size() > kUnsubscribeUrlBytesMax)
            return refused("the unsubscribe URL becomes too long");
    } else if (!parts_.unsubscribe_mailto.empty()) {
        scratch.url = parts_.unsubscribe_mailto;
        if (parts_.sealer) scratch.url.append("%20").append(scratch.token);
    }
    scratch.slots[static_cast<std::size_t>(BuiltIn::kUnsubscribeUrl)] = {scratch.url, false};
    return {};
}

Status CompiledMessage::write_headers(const RenderRequest& request, RenderedMessage& message,
                                      Scratch& scratch) const {
    std::string& out = message.bytes;
    out.append("Date: ");
    append_date(out, request.date);
    out.append("\r\n").append(parts_.sender_headers);

    const TemplateValue& name = scratch.slots[static_cast<std::size_t>(BuiltIn::kRecipientName)];
    scratch.name.assign(name.bytes);
    if (parts_.to_name) {
        scratch.name.clear();
        StringSink sink(*parts_.to_name, scratch.name, kHeaderValueBytesMax);
        RETURN_IF_ERROR(status_of(run_program(*parts_.to_name, scratch.slots, scratch.run, sink),
                                  *parts_.to_name, "to_name"));
    }
    if (scratch.name.size() > kHeaderValueBytesMax) return refused("the name is too long");
    append_mailbox_header(out, "To", scratch.name, message.envelope_to);
    if (parts_.subject) RETURN_IF_ERROR(write_templated("Subject", *parts_.subject, out, scratch));

    scratch.hashed.assign(parts_.campaign_id).push_back('\0');
    scratch.hashed.append(request.audience_key);
    scratch.hash = hash128(scratch.hashed);
    out.append("Message-ID: <");
    append_hex(out, scratch.hash);
    out.push_back('@');
    out.append(parts_.from_domain).append(">\r\n");
    write_list_unsubscribe(out, scratch);
    out.append(parts_.list_headers);
    if (!parts_.own_headers) {
        for (const CompiledHeader& header : parts_.headers)
            RETURN_IF_ERROR(write_templated(header.name, header.program, out, scratch));
        return {};
    }
    const TemplateValue& own = scratch.slots[*parts_.own_headers];
    for (const CompiledHeader& header : parts_.headers)
        if (!has_own_header(own, header.name))
            RETURN_IF_ERROR(write_templated(header.name, header.program, out, scratch));
    append_own_headers(out, own);
    return {};
}

Status CompiledMessage::write_templated(const std::string& name, const Program& program,
                                        std::string& out, Scratch& scratch) const {
    scratch.value.clear();
    StringSink sink(program, scratch.value, kHeaderValueBytesMax);
    RETURN_IF_ERROR(
        status_of(run_program(program, scratch.slots, scratch.run, sink), program, name));
    append_header(out, name, scratch.value);
    return {};
}

void CompiledMessage::write_list_unsubscribe(std::string& out, Scratch& scratch) const {
    if (!parts_.unsubscribe_url && parts_.unsubscribe_mailto.empty()) return;
    std::string& value = scratch.value;
    value.clear();
    if (parts_.unsubscribe_url) value.append("<").append(scratch.url).append(">");
    if (!parts_.unsubscribe_mailto.empty()) {
        if (!value.empty()) value.append(", ");
        value.append("<").append(parts_.unsubscribe_mailto);
        if (parts_.sealer) value.append("%20").append(scratch.token);
        value.append(">");
    }
    append_structured_header(out, "List-Unsubscribe", value);
}

// mixed of (alternative of text and (related of HTML and what it names)) and attachments; each
// multipart only where it has more than one part.
Status CompiledMessage::write_body(std::string& out, Scratch& scratch) const {
    scratch.personal_from = std::string::npos;
    if (parts_.attached.empty()) return write_alternatives(out, scratch);
    const Multipart mixed(out, parts_.boundary_hash, "mixed", Boundary::kMixed);
    mixed.delimit();
    RETURN_IF_ERROR(write_alternatives(out, scratch));
    for (const std::string& attachment : parts_.attached) {
        mixed.delimit();
        out.append(attachment);
    }
    mixed.close();
    return {};
}

Status CompiledMessage::write_alternatives(std::string& out, Scratch& scratch) const {
    if (parts_.parts.size() == 1) return write_with_related(parts_.parts.front(), out, scratch);
    const Multipart alternative(out, parts_.boundary_hash, "alternative", Boundary::kAlternative);
    for (const CompiledPart& part : parts_.parts) {
        alternative.delimit();
        RETURN_IF_ERROR(write_with_related(part, out, scratch));
    }
    alternative.close();
    return {};
}

Status CompiledMessage::write_with_related(const CompiledPart& part, std::string& out,
                                           Scratch& scratch) const {
    const bool is_root = &part == &parts_.parts.back() && !parts_.related.empty();
    if (!is_root) return write_part(part, out, scratch);
    const Multipart related(out, parts_.boundary_hash, "related;\r\n type=\"text/html\"",
                            Boundary::kRelated);
    related.delimit();
    RETURN_IF_ERROR(write_part(part, out, scratch));
    for (const std::string& named : parts_.related) {
        related.delimit();
        out.append(named);
    }
    related.close();
    return {};
}

template <class Body>
RunOutcome CompiledMessage::run_body(const CompiledPart& part, std::string& out, Scratch& scratch,
                                     BodyEnd& end) const {
    BodySink<Body> sink(part.pieces, out, parts_.message_bytes_max);
    const RunOutcome outcome = run_program(part.program, scratch.slots, scratch.run, sink);
    if (outcome.state == RunState::kDone) sink.close();
    end = {!sink.fits(), sink.personal_from()};
    return outcome;
}

Status CompiledMessage::write_part(const CompiledPart& part, std::string& out,
                                   Scratch& scratch) const {
    out.append("Content-Type: ").append(part.media_type).append("; charset=utf-8\r\n");
    out.append("Content-Transfer-Encoding: ");
    const std::size_t start = out.size();
    const auto begin = [&](TransferEncoding encoding) {
        out.resize(start);
        out.append(name_of(encoding)).append("\r\n\r\n");
    };
    RunOutcome outcome;
    BodyEnd end;
    const auto done = [&](std::size_t personal_from) {
        scratch.personal_from = std::min(scratch.personal_from, personal_from);
        return status_of(outcome, part.program, part.media_type);
    };
    if (part.encoding == TransferEncoding::kBase64) {
        begin(TransferEncoding::kBase64);
        scratch.plain.clear();
        outcome = run_body<PlainBody>(part, scratch.plain, scratch, end);
        const std::size_t lines_before = end.personal_from / kBase64LineBytes;
        const std::size_t personal_from =
            end.personal_from == std::string::npos
                ? std::string::npos
                : out.size() + lines_before * (kEncodedLineMax + sizeof("\r\n") - 1);
        if (outcome.state == RunState::kDone) append_base64_lines(out, scratch.plain);
        return done(personal_from);
    }
    if (part.encoding == TransferEncoding::k7bit) {
        begin(TransferEncoding::k7bit);
        outcome = run_body<SevenBitBody>(part, out, scratch, end);
        if (outcome.state != RunState::kRefused || end.too_big) return done(end.personal_from);
    }
    begin(TransferEncoding::kQuotedPrintable);
    outcome = run_body<QuotedPrintableBody>(part, out, scratch, end);
    return done(end.personal_from);
}

}  // namespace posthorn
