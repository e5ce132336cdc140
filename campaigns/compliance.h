// What the law (CAN-SPAM) and the large providers ask of bulk mail beyond its headers: in every
// part a visible way to unsubscribe and a postal address.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "campaigns/message.h"
#include "campaigns/template_program.h"

namespace posthorn {

enum class PartKind { kText, kHtml };

// What a compiled part lacks; an address written out in the template counts.
struct FooterNeeds {
    bool unsubscribe = false;
    bool address = false;
    bool any() const { return unsubscribe || address; }
};
FooterNeeds footer_needs(const MessageContent& content, const Program& part);

// The template with a footer: at its end, in HTML before </body>.
std::string with_footer(std::string_view part, PartKind kind, const FooterNeeds& needs);

// The template with the preheader, itself a template, hidden behind <body>.
std::string with_preheader(std::string_view html, std::string_view preheader);

}  // namespace posthorn
