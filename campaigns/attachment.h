// A file that goes along with every message of a campaign: encoded once (RFC 2045 base64, RFC 2183
// disposition, RFC 2231 name, RFC 2392 Content-ID), copied into each message as it is.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace posthorn {

inline constexpr std::size_t kMaxAttachments = 50;
inline constexpr std::size_t kAttachmentBytesMax = 10u << 20;  // of one file, before encoding

struct MessageAttachment {
    std::string name;        // shown to recipients
    std::string media_type;  // "image/png"
    std::string cid;         // by which the HTML names it, without brackets; may be empty
    bool is_inline = false;
    std::string bytes;
};

// The whole body part: headers, empty line, base64 lines.
std::string encoded_attachment(const MessageAttachment& attachment);

// Of a file by its name's extension; application/octet-stream when it is not known.
std::string_view media_type_of(std::string_view file_name);

bool is_media_type(std::string_view text);  // type/subtype, without parameters
bool is_content_id(std::string_view text);  // letters, digits and ._-@+, 1 to 128

}  // namespace posthorn
