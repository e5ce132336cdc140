#include "campaigns/attachment.h"

#include <algorithm>

#include "engine/base/ascii.h"
#include "engine/mail/encodings.h"
#include "engine/mail/mime.h"

namespace posthorn {
namespace {

struct KnownType {
    std::string_view extension;
    std::string_view media_type;
};
constexpr KnownType kKnownTypes[] = {
    {"csv", "text/csv"},
    {"doc", "application/msword"},
    {"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {"gif", "image/gif"},
    {"htm", "text/html"},
    {"html", "text/html"},
    {"ics", "text/calendar"},
    {"jpeg", "image/jpeg"},
    {"jpg", "image/jpeg"},
    {"json", "application/json"},
    {"mp3", "audio/mpeg"},
    {"mp4", "video/mp4"},
    {"odt", "application/vnd.oasis.opendocument.text"},
    {"ods", "application/vnd.oasis.opendocument.spreadsheet"},
    {"pdf", "application/pdf"},
    {"png", "image/png"},
    {"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    {"rtf", "application/rtf"},
    {"svg", "image/svg+xml"},
    {"txt", "text/plain"},
    {"vcf", "text/vcard"},
    {"webp", "image/webp"},
    {"xls", "application/vnd.ms-excel"},
    {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {"xml", "application/xml"},
    {"zip", "application/zip"},
};

bool is_letter_or_digit(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

// RFC 6838 section 4.2.
bool is_restricted_name(std::string_view name) {
    return !name.empty() && name.size() <= 127 && is_letter_or_digit(name.front()) &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return is_letter_or_digit(c) ||
                      std::string_view("!#$&-^_.+").find(c) != std::string_view::npos;
           });
}

}  // namespace

std::string encoded_attachment(const MessageAttachment& attachment) {
    std::string out = "Content-Type: " + attachment.media_type;
    append_parameter(out, "name", attachment.name);
    out.append("\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: ");
    out.append(attachment.is_inline ? "inline" : "attachment");
    append_parameter(out, "filename", attachment.name);
    if (!attachment.cid.empty()) out.append("\r\nContent-ID: <").append(attachment.cid).append(">");
    out.append("\r\n\r\n");
    append_base64_lines(out, attachment.bytes);
    return out;
}

std::string_view media_type_of(std::string_view file_name) {
    const std::size_t dot = file_name.rfind('.');
    std::string extension(dot == std::string_view::npos ? "" : file_name.substr(dot + 1));
    ascii_lower(extension);
    for (const KnownType& known : kKnownTypes)
        if (known.extension == extension) return known.media_type;
    return "application/octet-stream";
}

bool is_media_type(std::string_view text) {
    const std::size_t slash = text.find('/');
    return slash != std::string_view::npos && is_restricted_name(text.substr(0, slash)) &&
           is_restricted_name(text.substr(slash + 1)) && !text.starts_with("multipart/") &&
           !text.starts_with("message/");
}

bool is_content_id(std::string_view text) {
    return !text.empty() && text.size() <= 128 && std::all_of(text.begin(), text.end(), [](char c) {
        return is_letter_or_digit(c) || std::string_view("._-@+").find(c) != std::string_view::npos;
    });
}

}  // namespace posthorn
