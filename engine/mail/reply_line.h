// Finds the SMTP reply in one line of text: a bare reply, or one wrapped the way bounces, logs and
// delivery reports do it ("host x[ip] said: 550 …", "SMTP error from remote mail server after RCPT
// TO:<…>: …: 550 …", "smtp; 550 …", quotes and brackets around it).
#pragma once

#include <optional>
#include <string_view>

#include "engine/mail/reply.h"

namespace posthorn {

// code is 0 when the line has none: text is then the whole line, and enhanced what it mentions.
// Lines of any length and bytes; the first 8192 bytes are read.
Reply parse_reply_line(std::string_view line);

// The enhanced code that a text names as qmail and IronPort do, "#5.1.1" or "(#5.1.1)".
std::optional<EnhancedCode> enhanced_code_in(std::string_view text);

// The stage that the line says was answered ("in reply to RCPT TO command", "after end of data"),
// kNone if it does not say.
Stage stage_of_line(std::string_view line);

}  // namespace posthorn
