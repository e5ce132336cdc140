// The content of a campaign, and what becomes of it: checked and compiled once, then rendered into
// one message per recipient. Headers follow RFC 5322, 2045-2047, 2369, 2919 and 8058; what the law
// and the large providers ask of bulk mail is added here (CAN-SPAM footer, List-Unsubscribe).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "campaigns/attachment.h"
#include "campaigns/campaign_errors.h"
#include "campaigns/return_path.h"
#include "campaigns/template.h"
#include "campaigns/unsubscribe_token.h"
#include "engine/delivery/renderer.h"
#include "engine/mail/address.h"
#include "engine/mail/dkim_signer.h"

namespace posthorn {

enum class CampaignKind : std::uint8_t { kMarketing, kTransactional };
enum class FooterPolicy : std::uint8_t { kAuto, kRequire, kOff };

// A text that may hold template tags, and where it was written, for errors.
struct TemplateSource {
    std::string text;
    std::string file;  // "mail.html", or empty for text inside the campaign file
};

struct Unsubscribe {
    std::string url;     // template; may hold {{unsubscribe_token}}; empty: none
    std::string mailto;  // address, without "mailto:"; empty: none
    bool one_click = true;
};

struct MessageContent {
    std::string campaign_id;
    CampaignKind kind = CampaignKind::kMarketing;
    Address from;
    std::optional<Address> reply_to;
    std::optional<Address> return_path;  // default: by return_paths, else from
    std::string to_name;                 // template; empty: the row's name
    TemplateSource subject;
    std::string preheader;  // template; hidden at the start of the HTML
    std::optional<TemplateSource> html;
    std::optional<TemplateSource> text;  // none with text_auto: made from the HTML
    bool text_auto = false;
    std::vector<std::pair<std::string, std::string>> headers;  // name, template
    std::string list_id;                                       // default: id.from-domain
    std::vector<std::string> tags;
    std::string physical_address;
    Unsubscribe unsubscribe;
    FooterPolicy footer = FooterPolicy::kAuto;
    std::vector<MessageAttachment> attachments;
    std::optional<ReturnPathSealer> return_paths;  // used where there is no return_path
    std::shared_ptr<const DkimSigner> signer;      // null: messages are not signed

    std::vector<std::string> columns;       // of the audience rows, by position
    std::vector<TemplateConstant> vars;     // defaults under the columns
    std::vector<TemplatePartial> partials;  // by name
    MissingPolicy missing = MissingPolicy::kError;
    std::size_t message_bytes_max = 10u << 20;
};

// What a recipient gets to read, before it is encoded.
struct ReadableMessage {
    std::string subject, text, html;
    std::string unsubscribe_url;  // as it stands in List-Unsubscribe; empty: there is none
};

class MessageRenderer : public Renderer {
  public:
    // Not for delivery: it allocates.
    virtual Status readable(const RenderRequest& request, ReadableMessage& message) const = 0;

    // Whether the row has every value that its message needs: "html: {{x}} has no value". A small
    // part of what rendering costs.
    virtual Status complete(const RenderRequest& request) const = 0;
};

struct CompiledContent {
    std::shared_ptr<const MessageRenderer> renderer;  // null when any problem is an error
    std::vector<CampaignError> problems;              // all of them, in the order of the fields
};

// keys may be null where tokens are not wanted (posthorn check): then {{unsubscribe_token}} renders
// as the word "token". The renderer keeps what it needs; any number of threads may render at once.
CompiledContent compile_content(const MessageContent& content, const TokenKeys* keys);

// Whether a campaign may set this header itself; the others are Posthorn's to write.
bool header_permitted(std::string_view name);

}  // namespace posthorn
