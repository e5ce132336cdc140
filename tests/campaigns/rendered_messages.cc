// Renders messages for a reader that is not ours (read_messages.py): one a line of standard input
// names; each file holds one message, its expectations stand beside it as JSON.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/campaigns/message_fixture.h"

namespace {

using posthorn::MessageContent;

struct Sample {
    const char* title;
    MessageContent content;
    std::string name, first_name, city;
};

std::vector<Sample> samples() {
    using posthorn::testing_message::html_content;
    using posthorn::testing_message::plain_content;
    std::vector<Sample> out;
    const std::string hostile[] = {
        "Ann",
        "Jürgen",
        "漢字 かな",
        "O'Neil, \"Bob\"",
        "x\r\nBcc: evil@evil.test",
        "<evil@evil.test>, y@z.test",
        "=?utf-8?q?Bcc=3A?=",
        "\\",
        "😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀",
        "a very long name that goes on and on and on, past every line of it"};
    for (const std::string& value : hostile) {
        out.push_back({"plain", plain_content(), value, value, value});
        out.push_back({"html", html_content(), value, value, value});
        MessageContent chinese = html_content();
        chinese.html->text = "<p>漢字かな交じり文の例文です。{{first_name}} {{city}}</p>";
        out.push_back({"base64", chinese, value, value, value});
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
        std::ofstream(directory / (stem + ".json")) << expected.dump();
    }
    std::printf("%d messages\n", number);
    return 0;
}
