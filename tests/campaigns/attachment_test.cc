#include "campaigns/attachment.h"

#include <gmock/gmock.h>

#include "tests/campaigns/message_fixture.h"

namespace posthorn {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing_message::html_content;
using testing_message::plain_content;
using testing_message::rendered;
using testing_message::row_of;

const std::string kRow = row_of("ann@b.test", "Ann", {"Ann", "Graz"});

MessageAttachment logo() { return {"logo.png", "image/png", "logo", true, "\x89PNG"}; }
MessageAttachment terms() { return {"terms.pdf", "application/pdf", "", false, "%PDF-1.7"}; }

// The structure of a message: multiparts and the media types in them.
std::string structure(const std::string& bytes) {
    std::string out;
    for (std::size_t at = bytes.find("Content-Type: "); at != std::string::npos;
         at = bytes.find("Content-Type: ", at + 1)) {
        const std::size_t start = at + 14;
        out += bytes.substr(start, bytes.find_first_of(";\r", start) - start) + " ";
    }
    return out;
}

TEST(Attachment, TheStructureIsWhatReadersExpect) {
    MessageContent content = html_content();
    EXPECT_EQ(structure(rendered(content, kRow).bytes),
              "multipart/alternative text/plain text/html ");
    content.attachments = {terms()};
    EXPECT_EQ(structure(rendered(content, kRow).bytes),
              "multipart/mixed multipart/alternative text/plain text/html application/pdf ");
    content.attachments = {logo()};
    EXPECT_EQ(structure(rendered(content, kRow).bytes),
              "multipart/alternative text/plain multipart/related text/html image/png ");
    content.attachments = {terms(), logo()};
    EXPECT_EQ(structure(rendered(content, kRow).bytes),
              "multipart/mixed multipart/alternative text/plain multipart/related text/html "
              "image/png application/pdf ");
    content = plain_content();
    content.attachments = {logo()};
    EXPECT_EQ(structure(rendered(content, kRow).bytes), "multipart/mixed text/plain image/png ");
}

TEST(Attachment, APartSaysItsNameItsIdAndHowItIsShown) {
    EXPECT_EQ(encoded_attachment(logo()),
              "Content-Type: image/png; name=logo.png\r\n"
              "Content-Transfer-Encoding: base64\r\n"
              "Content-Disposition: inline; filename=logo.png\r\n"
              "Content-ID: <logo>\r\n\r\niVBORw==\r\n");
    MessageAttachment named = terms();
    named.name = "Bedingungen für Käufer.pdf";
    EXPECT_THAT(encoded_attachment(named), HasSubstr("filename*=UTF-8''Bedingungen%20f%C3%BCr"));
    named.name = "a\r\nBcc: x\".pdf";
    EXPECT_THAT(encoded_attachment(named), Not(HasSubstr("\r\nBcc")));
}

TEST(Attachment, TypesFollowTheExtension) {
    EXPECT_EQ(media_type_of("a.PDF"), "application/pdf");
    EXPECT_EQ(media_type_of("photo.jpeg"), "image/jpeg");
    EXPECT_EQ(media_type_of("archive.tar.xyz"), "application/octet-stream");
    EXPECT_EQ(media_type_of("pdf"), "application/octet-stream");
    EXPECT_TRUE(is_media_type("application/vnd.ms-excel"));
    for (const char* wrong : {"", "image", "image/", "/png", "a/b/c", "a b/c", "a/b;c=d",
                              "multipart/mixed", "a/b\r\nx"})
        EXPECT_FALSE(is_media_type(wrong)) << wrong;
    EXPECT_TRUE(is_content_id("logo@acme.test"));
    for (const char* wrong : {"", "<logo>", "a b", "a\r\nb", "ä"})
        EXPECT_FALSE(is_content_id(wrong)) << wrong;
}

TEST(Attachment, AMessageOverTheLimitIsRefusedBeforeItIsSent) {
    MessageContent content = html_content();
    content.message_bytes_max = 1u << 20;
    content.attachments = {terms()};
    content.attachments[0].bytes.assign(1u << 20, 'x');
    const CompiledContent compiled = compile_content(content, nullptr);
    ASSERT_EQ(compiled.problems.size(), 1u);
    EXPECT_EQ(compiled.problems[0].code, CampaignErrorCode::kMessageTooBig);
    EXPECT_EQ(compiled.problems[0].path, "/attachments");
    EXPECT_EQ(compiled.renderer, nullptr);
}

TEST(Attachment, NoLineIsLongerThanTheStandardAllows) {
    MessageContent content = html_content();
    content.attachments = {terms(), logo()};
    content.attachments[0].name = std::string(200, 'n') + ".pdf";
    content.attachments[0].bytes.assign(100'000, '\0');
    const std::string bytes = rendered(content, kRow).bytes;
    for (std::size_t at = 0; at < bytes.size();) {
        const std::size_t end = bytes.find("\r\n", at);
        ASSERT_NE(end, std::string::npos);
        EXPECT_LE(end - at, 998u);
        at = end + 2;
    }
}

}  // namespace
}  // namespace posthorn
