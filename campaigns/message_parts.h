// A compiled content: what compile_content makes and CompiledMessage renders from. Immutable once
// made; shared by all threads.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "campaigns/message.h"
#include "campaigns/template_program.h"
#include "campaigns/template_run.h"
#include "engine/mail/mime.h"
#include "engine/queue/audience_row.h"

namespace posthorn {

// Why a program's run did not end well; where names the part of the message.
Status status_of(const RunOutcome& outcome, const Program& program, std::string_view where);

inline constexpr std::size_t kHeaderValueBytesMax = 8192;    // of one rendered header
inline constexpr std::size_t kUnsubscribeUrlBytesMax = 900;  // it cannot fold, a line ends at 998

struct CompiledPart {
    const char* media_type = "text/plain";
    Program program;
    std::vector<BodyPiece> pieces;  // the program's texts
    TransferEncoding encoding = TransferEncoding::k7bit;
};

struct CompiledHeader {
    std::string name;
    Program program;
};

struct MessageParts {
    std::string campaign_id;
    std::string from_domain;
    std::string envelope_from;                     // unless there are
    std::optional<ReturnPathSealer> return_paths;  // one for each recipient
    bool smtputf8 = false;                         // whoever the recipient is

    std::string sender_headers;  // From, Reply-To: lines, the same for everybody
    std::string list_headers;    // List-Id to MIME-Version, and custom headers without variables
    std::optional<Program> to_name;
    std::optional<Program> subject;  // otherwise in sender_headers
    std::string constant_subject;
    std::vector<CompiledHeader> headers;
    std::optional<std::size_t> own_headers;  // the slot of a recipient's own, over the others

    std::optional<Program> unsubscribe_url;
    std::string unsubscribe_mailto;  // "mailto:…?subject=unsubscribe", empty: none
    std::optional<TokenSealer> sealer;
    bool token_wanted = false;

    // Of the campaign, so that bodies share what stands before their first value.
    std::array<char, 16> boundary_hash{};
    std::shared_ptr<const DkimSigner> signer;
    std::vector<CompiledPart> parts;    // text, then HTML
    std::vector<std::string> related;   // body parts that the HTML names, encoded
    std::vector<std::string> attached;  // the other attachments, encoded
    std::size_t columns = 0;
    std::size_t message_bytes_max = 0;
};

class CompiledMessage final : public MessageRenderer {
  public:
    explicit CompiledMessage(MessageParts parts) : parts_(std::move(parts)) {}

    Status render(const RenderRequest& request, RenderedMessage& message) const override;
    Status envelope(const RenderRequest& request, RenderedMessage& message) const override;
    Status readable(const RenderRequest& request, ReadableMessage& message) const override;
    Status complete(const RenderRequest& request) const override;

  private:
    struct Scratch;
    static Scratch& scratch_of_thread();

    Status read_row(const RenderRequest& request, RenderedMessage& message, Scratch& scratch) const;
    void fill_slots(AudienceRow& row, Scratch& scratch) const;
    Status make_unsubscribe(Scratch& scratch, const std::string& address) const;
    Status write_headers(const RenderRequest& request, RenderedMessage& message,
                         Scratch& scratch) const;
    Status write_templated(const std::string& name, const Program& program, std::string& out,
                           Scratch& scratch) const;
    void write_list_unsubscribe(std::string& out, Scratch& scratch) const;
    Status write_body(std::string& out, Scratch& scratch) const;
    Status write_alternatives(std::string& out, Scratch& scratch) const;
    Status write_with_related(const CompiledPart& part, std::string& out, Scratch& scratch) const;
    Status write_part(const CompiledPart& part, std::string& out, Scratch& scratch) const;
    struct BodyEnd {
        bool too_big = false;
        std::size_t personal_from = 0;  // where in out the first value stands; npos: nowhere
    };
    template <class Body>
    RunOutcome run_body(const CompiledPart& part, std::string& out, Scratch& scratch,
                        BodyEnd& end) const;
    Status sign(const RenderRequest& request, RenderedMessage& message,
                const Scratch& scratch) const;

    MessageParts parts_;
};

}  // namespace posthorn
