// Contents and recipients that the tests of messages, and of what other readers make of them,
// share.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "campaigns/message.h"
#include "engine/queue/audience_row.h"

namespace posthorn::testing_message {

inline TokenKeys test_keys() {
    TokenKey key;
    key.id = 7;
    key.bytes.fill(9);
    return TokenKeys({key});
}

inline MessageContent plain_content() {
    MessageContent content;
    content.campaign_id = "spring-2026";
    content.from = {"news", "acme.test", "Acme", false};
    content.subject.text = "Hi {{first_name | default: \"there\"}}";
    content.text = TemplateSource{"Dear {{first_name}},\nbye\n", ""};
    content.physical_address = "Acme, 1 Main St, Springfield";
    content.unsubscribe = {"https://u.acme.test/u/{{unsubscribe_token}}", "unsub@acme.test", true};
    content.columns = {"first_name", "city"};
    return content;
}

inline MessageContent html_content() {
    MessageContent content = plain_content();
    content.text.reset();
    content.text_auto = true;
    content.preheader = "News for {{city}}";
    content.html = TemplateSource{
        "<html><body class=\"x\"><h1>Dear {{first_name}}</h1>\n<p>All the best to {{city}}.</p>\n"
        "<a href=\"https://acme.test/?c={{city}}\">Shop</a></body></html>\n",
        ""};
    return content;
}

inline std::string row_of(std::string_view address, std::string_view name,
                          const std::vector<std::string>& values) {
    std::string row;
    AudienceRowWriter writer(row, address, name);
    for (const std::string& value : values) writer.text(value);
    return row;
}

inline std::shared_ptr<const Renderer> compiled(const MessageContent& content) {
    const TokenKeys keys = test_keys();
    CompiledContent result = compile_content(content, &keys);
    for (const CampaignError& problem : result.problems)
        EXPECT_EQ(problem.severity, Severity::kWarning) << problem.path << ": " << problem.message;
    return result.renderer;
}

inline RenderRequest request_for(std::string_view row) {
    RenderRequest request;
    request.audience_key = "1|b.test|ann";
    request.row = row;
    request.date = request.attempt_time = wall_from_micros(1'775'113'200'000'000);
    return request;
}

inline RenderedMessage rendered(const MessageContent& content, const std::string& row) {
    RenderedMessage message;
    const auto renderer = compiled(content);
    if (renderer == nullptr) return message;
    const Status status = renderer->render(request_for(row), message);
    EXPECT_TRUE(status) << (status ? "" : status.error().message);
    return message;
}

}  // namespace posthorn::testing_message
