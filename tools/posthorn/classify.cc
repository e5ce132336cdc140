#include "tools/posthorn/classify.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "tools/posthorn/arguments.h"
#include "tools/posthorn/output.h"

namespace posthorn {

namespace {

// A reply's sense is in its beginning (reply_line.h reads no more); the rest is skipped.
constexpr std::size_t kLineBytesMax = 64u << 10;
constexpr std::size_t kReadBytes = 256u << 10;

// What lines came to that were seen before: receivers say the same again and again.
class Memo {
  public:
    const Verdict* find(std::string_view line) const {
        const auto found = verdicts_.find(line);
        return found == verdicts_.end() ? nullptr : &found->second;
    }

    void keep(std::string_view line, const Verdict& verdict) {
        if (line.size() > kLineKept) return;
        if (verdicts_.size() == kLinesKept) verdicts_.clear();
        verdicts_.emplace(line, verdict);
    }

  private:
    static constexpr std::size_t kLineKept = 1024, kLinesKept = 1u << 15;

    struct Hash : std::hash<std::string_view> {
        using is_transparent = void;
    };
    std::unordered_map<std::string, Verdict, Hash, std::equal_to<>> verdicts_;
};

// Answers lines, in their order. Each thread has one of its own.
class Classification {
  public:
    Classification(const Classifier& classifier, Stage stage, bool json)
        : classifier_(classifier), stage_(stage), json_(json) {}

    // Lines that each end with LF.
    void take(std::string_view lines) {
        answers_.clear();
        while (!lines.empty()) {
            const std::size_t end = lines.find('\n');
            answer(lines.substr(0, std::min(end, kLineBytesMax)));
            lines.remove_prefix(end + 1);
        }
    }

    const std::string& answers() const { return answers_; }

  private:
    void answer(std::string_view line) {
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (const Verdict* const known = memo_.find(line)) return print(*known);
        const Verdict verdict = classifier_.classify_line(line, stage_);
        memo_.keep(line, verdict);
        print(verdict);
    }

    void print(const Verdict& verdict) {
        if (json_) {
            answers_.append("{\"category\":\"").append(name_of(verdict.category));
            answers_.append("\",\"action\":\"").append(name_of(verdict.action));
            answers_.append("\",\"rule\":\"").append(verdict.rule).append("\"}\n");
        } else {
            answers_.append(name_of(verdict.category)).append("\t");
            answers_.append(name_of(verdict.action)).append("\n");
        }
    }

    const Classifier& classifier_;
    Stage stage_;
    bool json_;
    Memo memo_;
    std::string answers_;
};

// Shares lines out among the cores and puts the answers together again.
class Classifications {
  public:
    Classifications(const Classifier& classifier, Stage stage, bool json) {
        const unsigned cores = std::clamp(std::thread::hardware_concurrency(), 1u, kThreadsMax);
        for (unsigned i = 0; i < cores; ++i) each_.emplace_back(classifier, stage, json);
    }

    bool take(std::string_view lines, TextOutput& output) {
        std::vector<std::thread> threads;
        // The last one's lines are answered here; what is too little to share, or one long line,
        // too.
        while (threads.size() + 1 < each_.size()) {
            const std::size_t share = lines.size() / (each_.size() - threads.size());
            const std::size_t end = share < kShareBytesMin ? 0 : lines.rfind('\n', share) + 1;
            if (end == 0) break;
            threads.emplace_back(
                [&mine = each_[threads.size()], part = lines.substr(0, end)] { mine.take(part); });
            lines.remove_prefix(end);
        }
        each_.back().take(lines);
        bool open = true;
        for (std::size_t i = 0; i < threads.size(); ++i) {
            threads[i].join();
            open = open && output.write(each_[i].answers());
        }
        return open && output.write(each_.back().answers());
    }

  private:
    static constexpr unsigned kThreadsMax = 16;
    static constexpr std::size_t kShareBytesMin = 8u << 10;  // some dozens of replies

    std::deque<Classification> each_;
};

}  // namespace

int run_classify(int input, int output, const Classifier& classifier, Stage stage, bool json) {
    Classifications classifications(classifier, stage, json);
    TextOutput answers(output);
    std::vector<char> buffer(kReadBytes);
    std::string lines;  // read and not yet answered; of a line without end, its beginning
    while (true) {
        const ssize_t got = ::read(input, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return kFailed;
        if (got == 0) break;
        const std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
        const std::size_t end = bytes.rfind('\n');
        if (end == std::string_view::npos) {
            if (lines.size() < kLineBytesMax) lines.append(bytes);
            continue;
        }
        if (!classifications.take(lines.append(bytes.substr(0, end + 1)), answers)) return kDone;
        lines.assign(bytes.substr(end + 1));
        // Somebody types, or waits for each answer.
        if (bytes.size() < buffer.size() && !answers.flush()) return kDone;
    }
    if (!lines.empty()) classifications.take(lines.append("\n"), answers);
    answers.flush();
    return kDone;
}

}  // namespace posthorn
