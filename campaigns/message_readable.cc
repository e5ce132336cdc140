// A message as its recipient reads it, and whether there is all that it needs.
#include "campaigns/message_scratch.h"

namespace posthorn {

Status CompiledMessage::readable(const RenderRequest& request, ReadableMessage& message) const {
    Scratch& scratch = scratch_of_thread();
    RenderedMessage envelope;
    RETURN_IF_ERROR(read_row(request, envelope, scratch));
    if (parts_.token_wanted) RETURN_IF_ERROR(make_unsubscribe(scratch, envelope.envelope_to));
    message = {};
    message.unsubscribe_url = parts_.token_wanted ? scratch.url : "";
    const auto run = [&](const Program& program, std::string& out, std::string_view where) {
        StringSink sink(program, out, parts_.message_bytes_max);
        return status_of(run_program(program, scratch.slots, scratch.run, sink), program, where);
    };
    message.subject = parts_.constant_subject;
    if (parts_.subject) RETURN_IF_ERROR(run(*parts_.subject, message.subject, "Subject"));
    for (const CompiledPart& part : parts_.parts) {
        const bool is_html = std::string_view(part.media_type) == "text/html";
        RETURN_IF_ERROR(run(part.program, is_html ? message.html : message.text, part.media_type));
    }
    return {};
}

Status CompiledMessage::complete(const RenderRequest& request) const {
    std::optional<AudienceRow> row = AudienceRow::parse(request.row);
    if (!row) return Error{ErrorKind::kCorrupt, "the stored recipient cannot be read"};
    Scratch& scratch = scratch_of_thread();
    fill_slots(*row, scratch);
    const auto look = [&](const Program& program, std::string_view where) {
        return status_of(find_missing(program, scratch.slots, scratch.run), program, where);
    };
    if (parts_.to_name) RETURN_IF_ERROR(look(*parts_.to_name, "to_name"));
    if (parts_.subject) RETURN_IF_ERROR(look(*parts_.subject, "Subject"));
    if (parts_.unsubscribe_url)
        RETURN_IF_ERROR(look(*parts_.unsubscribe_url, "the unsubscribe URL"));
    for (const CompiledHeader& header : parts_.headers)
        RETURN_IF_ERROR(look(header.program, header.name));
    for (const CompiledPart& part : parts_.parts)
        RETURN_IF_ERROR(look(part.program, part.media_type));
    return {};
}

}  // namespace posthorn
