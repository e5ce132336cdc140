// A personal message of HTML and text, some 10 KB, and the encoding of its bodies.
#include <array>
#include <string>

#include "bench/hot_paths.h"
#include "campaigns/message.h"
#include "engine/base/check.h"
#include "engine/mail/encodings.h"
#include "engine/queue/audience_row.h"

namespace posthorn {
namespace {

constexpr std::uint64_t kMessages = 500;

MessageContent content() {
    MessageContent content;
    content.campaign_id = "spring-2026";
    content.from = {"news", "acme.test", "Acme", false};
    content.subject.text = "Hi {{first_name | default: \"there\"}}, news for {{city}}";
    content.physical_address = "Acme, 1 Main St, Springfield, IL 62701, USA";
    content.unsubscribe = {"https://u.acme.test/u/{{unsubscribe_token}}", "unsub@acme.test", true};
    content.columns = {"first_name", "city", "points"};
    std::string html = "<html><body><h1>Dear {{first_name}}</h1>\n", text;
    for (int i = 0; i < 60; ++i)
        html +=
            "<p>Frühling ist da, und mit ihm Angebote für den Garten, i = " + std::to_string(i) +
            "</p>\n";
    for (int i = 0; i < 50; ++i) text += "Frühling ist da, und mit ihm Angebote für den Garten.\n";
    content.html = TemplateSource{html + "<p>{{points}} points</p></body></html>\n", ""};
    content.text = TemplateSource{"Dear {{first_name}},\n" + text + "{{points}} points\n", ""};
    return content;
}

class Rendering final : public Work {
  public:
    Rendering() {
        TokenKey key;
        key.id = 1;
        key.bytes.fill(5);
        keys_ = std::make_unique<const TokenKeys>(std::vector<TokenKey>{key});
        compiled_ = compile_content(content(), keys_.get());
        for (std::size_t i = 0; i < rows_.size(); ++i) {
            AudienceRowWriter row(rows_[i], "ann.lee@mail17.example.com", "Ann Lee");
            for (const char* value : {i % 2 == 0 ? "Ann" : "Zoë", "Zürich", "1250"})
                row.text(value);
        }
        run();
    }
    void run() override {
        RenderRequest request;
        request.audience_key = "1|mail17.example.com|ann.lee";
        for (std::uint64_t i = 0; i < kMessages; ++i) {
            request.row = rows_[i % rows_.size()];
            CHECK(compiled_.renderer->render(request, message_));
        }
    }

  private:
    std::unique_ptr<const TokenKeys> keys_;
    CompiledContent compiled_;
    std::array<std::string, 16> rows_;
    RenderedMessage message_;
};

class QuotedPrintable final : public Work {
  public:
    QuotedPrintable() {
        while (text_.size() < 10'000)
            text_ += "Frühling ist da, und mit ihm Angebote = alles für den Garten.\n";
        run();
    }
    void run() override {
        for (std::uint64_t i = 0; i < kMessages; ++i) {
            encoded_.clear();
            append_quoted_printable(encoded_, text_);
        }
    }

  private:
    std::string text_, encoded_;
};

}  // namespace

std::vector<HotPath> message_hot_paths() {
    return {{"render", kMessages, [] { return std::make_unique<Rendering>(); }},
            {"quoted_printable", kMessages, [] { return std::make_unique<QuotedPrintable>(); }}};
}

}  // namespace posthorn
