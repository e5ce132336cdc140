// Header fields (RFC 5322, RFC 2047), written so that no value can add a field, an address or a
// line: CR, LF, NUL and all other controls become spaces, bytes that are not UTF-8 become U+FFFD,
// what is not printable ASCII goes into encoded words, and lines fold at 78 (998 at the most).
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "engine/base/time.h"
#include "engine/mail/address.h"

namespace posthorn {

inline constexpr std::size_t kHeaderLineWanted = 78;  // RFC 5322 section 2.1.1

// Printable ASCII without the colon, at most 76 (RFC 5322 section 2.2).
bool valid_header_name(std::string_view name);

// "Name: value" CRLF with unstructured text. Blanks around the value are dropped.
void append_header(std::string& out, std::string_view name, std::string_view value);

// "Name: value" CRLF for structured values of our own making (URIs in brackets, message ids): no
// encoded words; folds at spaces; controls and bytes above 127 are dropped.
void append_structured_header(std::string& out, std::string_view name, std::string_view value);

// "Name: mailbox, mailbox" CRLF.
void append_mailbox_header(std::string& out, std::string_view name,
                           std::span<const Address> mailboxes);

// The same for one address, which is printed as given, and a name that may hold anything.
void append_mailbox_header(std::string& out, std::string_view header, std::string_view name,
                           std::string_view address);

// "Thu, 02 Apr 2026 07:00:00 +0000", without the field's name.
void append_date(std::string& out, WallTime time);

}  // namespace posthorn
