#include "tools/posthorn/classify.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

#include "engine/base/random.h"
#include "tools/posthorn/command.h"

namespace posthorn {
namespace {

// What posthorn classify says to an input, by way of files.
std::string answers_to(const std::string& input, bool json = false) {
    std::FILE* const in = std::tmpfile();
    std::FILE* const out = std::tmpfile();
    EXPECT_EQ(std::fwrite(input.data(), 1, input.size(), in), input.size());
    std::rewind(in);
    ::lseek(::fileno(in), 0, SEEK_SET);
    EXPECT_EQ(run_classify(::fileno(in), ::fileno(out), *Classifier::with_default_rules(),
                           Stage::kRcpt, json),
              kDone);
    std::string answers(static_cast<std::size_t>(::lseek(::fileno(out), 0, SEEK_END)), '\0');
    EXPECT_EQ(::pread(::fileno(out), answers.data(), answers.size(), 0),
              static_cast<ssize_t>(answers.size()));
    std::fclose(in);
    std::fclose(out);
    return answers;
}

TEST(Classify, EachLineIsAnsweredOnALineOfItsOwn) {
    EXPECT_EQ(answers_to(""), "");
    EXPECT_EQ(answers_to("550 5.1.1 no such user\r\n452 4.2.2 over quota"),
              "invalid_mailbox\tsuppress\nmailbox_full\tretry\n");
    EXPECT_EQ(answers_to("\n550 5.1.1 no such user\n").find("invalid_mailbox\tsuppress\n"),
              answers_to("\n").size());
    EXPECT_TRUE(answers_to("550 5.1.1 no such user\n", true)
                    .starts_with(R"({"category":"invalid_mailbox","action":"suppress","rule":)"));
}

TEST(Classify, ManyLinesAreAnsweredInTheirOrder) {
    const auto classifier = Classifier::with_default_rules();
    const std::vector<std::string> texts = {"550 5.1.1 no such user ",
                                            "452 4.2.2 mailbox full ",
                                            "421 4.7.0 try again later ",
                                            "554 5.7.1 message looks like spam ",
                                            std::string(3000, 'x'),
                                            "250 ok",
                                            ""};
    Random random(1);
    std::string input, wanted;
    while (input.size() < 700'000) {  // some reads, and shares for every core
        std::string line = texts[random.below(texts.size())];
        if (random.chance(0.5) && !line.empty()) line += std::to_string(random.below(1000));
        const Verdict verdict = classifier->classify_line(line, Stage::kRcpt);
        wanted += std::string(name_of(verdict.category)) + "\t" +
                  std::string(name_of(verdict.action)) + "\n";
        input += line + (random.chance(0.2) ? "\r\n" : "\n");
    }
    EXPECT_EQ(answers_to(input), wanted);
}

TEST(Classify, ALineWithoutEndIsReadAsFarAsItsSenseReaches) {
    const std::string endless = "550 5.1.1 no such user " + std::string(1'000'000, 'x');
    EXPECT_EQ(answers_to(endless), "invalid_mailbox\tsuppress\n");
    EXPECT_EQ(answers_to(endless + "\n452 4.2.2 over quota\n"),
              "invalid_mailbox\tsuppress\nmailbox_full\tretry\n");
}

}  // namespace
}  // namespace posthorn
