// Renders messages for a reader that is not ours (read_messages.py): one a line of standard input
// names; each file holds one message, its expectations stand beside it as JSON.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/campaigns/hostile_values.h"
#include "tests/campaigns/message_fixture.h"

namespace {

using posthorn::MessageContent;

struct Sample {
    const char* title;
    MessageContent content;
    std::string name, first_name, city;
};

// A value in every place where one can go, beside attachments.
MessageContent everywhere_content() {
    MessageContent content = posthorn::testing_message::html_content();
    content.to_name = "{{first_name}}";
    content.headers = {{"X-Value", "{{city}}"}};
    content.unsubscribe.url += "?c={{city}}";
    content.html->text =
        "<html><body><h1 title=\"{{city}}\">Dear {{first_name}}</h1>\n"
        "<p class={{city}}>x</p><img alt='{{city}}' src=\"cid:logo\">"
        "<a href=\"https://acme.test/?c={{city}}&n={{first_name}}#{{city}}\">{{city}}</a>"
        "<a href=\"{{city}}\">y</a></body></html>\n";
    content.attachments = {{"logo.png", "image/png", "logo", true, "\x89PNG"},
                           {"Preise für Käufer.csv", "text/csv", "", false, "a,b\n"}};
    return content;
}

std::vector<Sample> samples() {
    using posthorn::testing_message::html_content;
    using posthorn::testing_message::plain_content;
    std::vector<Sample> out;
    std::vector<std::string> values = posthorn::testing_message::hostile_values();
    for (const char* value :
         {"Ann", "Jürgen", "漢字 かな", "O'Neil, \"Bob\"", "\\", "😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀",
          "a very long name that goes on and on and on, past every line of it"})
        values.emplace_back(value);
    for (const std::string& value : values) {
        out.push_back({"plain", plain_content(), value, value, value});
        out.push_back({"html", html_content(), value, value, value});
        MessageContent chinese = html_content();
        chinese.html->text = "<p>漢字かな交じり文の例文です。{{first_name}} {{city}}</p>";
        out.push_back({"base64", chinese, value, value, value});
        out.push_back({"everywhere", everywhere_content(), value, value, value});
    }
    return out;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    const std::filesystem::path directory = argv[1];
    int number = 0;
    for (const Sample& sample : samples()) {
        const std::string row = posthorn::testing_message::row_of("ann@b.test", sample.name,
                                                                  {sample.first_name, sample.city});
        const posthorn::RenderedMessage message =
            posthorn::testing_message::rendered(sample.content, row);
        const std::string stem = std::to_string(number++);
        std::ofstream(directory / (stem + ".eml"), std::ios::binary) << message.bytes;
        const nlohmann::json expected = {{"title", sample.title},
                                         {"name", sample.name},
                                         {"first_name", sample.first_name},
                                         {"city", sample.city}};
        std::ofstream(directory / (stem + ".json"))
            << expected.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
    }
    // What is too large is refused, not cut.
    for (const MessageContent& content :
         {posthorn::testing_message::plain_content(), posthorn::testing_message::html_content()}) {
        const std::string huge(10u << 20, 'x');
        const std::string row =
            posthorn::testing_message::row_of("ann@b.test", "Ann", {huge, huge});
        posthorn::RenderedMessage message;
        if (posthorn::testing_message::compiled(content)->render(
                posthorn::testing_message::request_for(row), message))
            return 1;
    }
    std::printf("%d messages\n", number);
    return 0;
}
