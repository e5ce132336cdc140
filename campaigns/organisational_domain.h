// The organisational domain of DMARC (RFC 7489 section 3.2) over the Public Suffix List, and what
// it is for: whether two domains are aligned.
#pragma once

#include <string>
#include <string_view>

namespace posthorn {

// "acme.co.uk" of "news.acme.co.uk"; the domain itself where the list knows of nothing above it.
// Domains as A-labels in lower case.
std::string organisational_domain(std::string_view domain);

// Strict: the same domain; relaxed: the same organisational domain (RFC 7489 section 3.1).
bool is_aligned(std::string_view domain, std::string_view from_domain, bool strict);

}  // namespace posthorn
