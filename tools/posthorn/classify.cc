#include "tools/posthorn/classify.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "engine/base/bytes.h"
#include "tools/posthorn/arguments.h"
#include "tools/posthorn/output.h"

namespace posthorn {

namespace {

// A reply's sense is in its beginning (reply_line.h reads no more); the rest is skipped.
constexpr std::size_t kLineBytesMax = 64u << 10;
constexpr std::size_t kReadBytes = 256u << 10;

class Classification {
  public:
    Classification(int output, const Classifier& classifier, Stage stage, bool json)
        : classifier_(classifier), stage_(stage), json_(json), output_(output) {}

    // Takes all complete lines; false when nobody reads what becomes of them.
    bool take(std::string_view bytes) {
        while (!bytes.empty()) {
            const std::size_t end = bytes.find('\n');
            const std::string_view piece = bytes.substr(0, end);
            if (end == std::string_view::npos) {
                keep(piece);
                return true;
            }
            bytes.remove_prefix(end + 1);
            if (begun_.empty()) {
                if (!classify(piece)) return false;
                continue;
            }
            keep(piece);
            if (!classify(begun_)) return false;
            begun_.clear();
        }
        return true;
    }

    bool end() { return (begun_.empty() || classify(begun_)) && output_.flush(); }

    bool flush() { return output_.flush(); }

  private:
    void keep(std::string_view piece) {
        begun_.append(piece.substr(0, kLineBytesMax - std::min(kLineBytesMax, begun_.size())));
    }

    bool classify(std::string_view line) {
        if (line.ends_with('\r')) line.remove_suffix(1);
        const Verdict verdict = classifier_.classify_line(line, stage_);
        answer_.clear();
        if (json_) {
            answer_.append("{\"category\":\"").append(name_of(verdict.category));
            answer_.append("\",\"action\":\"").append(name_of(verdict.action));
            answer_.append("\",\"rule\":\"").append(verdict.rule).append("\"}\n");
        } else {
            answer_.append(name_of(verdict.category)).append("\t");
            answer_.append(name_of(verdict.action)).append("\n");
        }
        return output_.write(answer_);
    }

    const Classifier& classifier_;
    Stage stage_;
    bool json_;
    TextOutput output_;
    std::string begun_;  // a line whose end has not been read
    std::string answer_;
};

}  // namespace

int run_classify(int input, int output, const Classifier& classifier, Stage stage, bool json) {
    Classification classification(output, classifier, stage, json);
    std::vector<char> buffer(kReadBytes);
    while (true) {
        const ssize_t got = ::read(input, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return kFailed;
        if (got == 0) break;
        const bool full = static_cast<std::size_t>(got) == buffer.size();
        if (!classification.take({buffer.data(), static_cast<std::size_t>(got)})) return kDone;
        // Somebody types, or waits for each answer.
        if (!full && !classification.flush()) return kDone;
    }
    classification.end();
    return kDone;
}

}  // namespace posthorn
