// Names and phrases by which content checks tell: providers of free mail, role accounts, words that
// filters look for, signs of replies and of other senders' template tags. All lower case.
#pragma once

#include <span>
#include <string_view>

namespace posthorn {

bool is_freemail_domain(std::string_view domain);
bool is_role_name(std::string_view local_part);
bool is_link_shortener(std::string_view host);
std::span<const std::string_view> spam_phrases();

// "re:", "fwd:", "aw:" with which a subject begins; empty when it begins with none.
std::string_view reply_prefix(std::string_view subject_in_lower_case);

// A tag in the style of any mailing system, as it stands in the text; empty when there is none.
std::string_view unresolved_tag(std::string_view text);

}  // namespace posthorn
