// Anything a server may answer and anything a rule file may hold. The first byte chooses: an
// even one reads the rest as a reply at a stage, an odd one as a rule file and, if it has no
// fault, as the text its rules are asked about.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "engine/base/check.h"
#include "engine/mail/classifier.h"
#include "engine/mail/reply_line.h"
#include "engine/mail/reply_text.h"

namespace posthorn {
namespace {

void ask(const Classifier& classifier, std::string_view text, Stage stage) {
    const Verdict verdict = classifier.classify_line(text, stage);
    CHECK(!verdict.rule.empty());
    const Reply reply = parse_reply_line(text);
    CHECK(verdict.action != Action::kSuppress || !reply.transient());
    const bool session = stage == Stage::kConnect || stage == Stage::kMail;
    CHECK(verdict.action != Action::kSuppress || !session);
    CHECK(normalise_reply(text).size() <= kMaxNormalisedBytes);
    FoldedReply folded;
    fold_reply(text, folded);
    CHECK(folded.text.size() <= kMaxFoldedBytes + 8 && folded.links.size() <= kMaxFoldedBytes);
}

void fuzz(std::string_view input) {
    static const std::unique_ptr<const Classifier> shared = Classifier::with_default_rules();
    if (input.empty()) return;
    const auto choice = static_cast<std::uint8_t>(input.front());
    input.remove_prefix(1);
    const auto stage = static_cast<Stage>((choice / 2) % 11);
    if (choice % 2 == 0) {
        ask(*shared, input, stage);
    } else if (const auto classifier = Classifier::from_file(input)) {
        ask(**classifier, input, stage);
    } else {
        CHECK(!classifier.error().message.empty());
    }
}

}  // namespace
}  // namespace posthorn

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    posthorn::fuzz(std::string_view(reinterpret_cast<const char*>(bytes), size));
    return 0;
}
