#include "tools/posthorn/session.h"

#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "engine/queue/durable_file.h"
#include "engine/server/config_shaping.h"
#include "tools/posthorn/check_preview.h"
#include "tools/posthorn/classify.h"
#include "tools/posthorn/follower.h"
#include "tools/posthorn/json_fields.h"
#include "tools/posthorn/owner.h"
#include "tools/posthorn/printer.h"
#include "tools/posthorn/problems.h"
#include "tools/posthorn/remote.h"
#include "tools/posthorn/report.h"
#include "tools/posthorn/send.h"
#include "tools/posthorn/terminal_text.h"
#include "tools/posthorn/test_send.h"

namespace posthorn {

namespace {

constexpr std::size_t kConfigBytesMax = 4u << 20;
constexpr int kTriesMax = 100;  // while an owner starts or ends: its socket comes after its lock
constexpr int kTryEveryMs = 100;
constexpr int kFollowEveryMs = 500;

void pause_ms(int milliseconds) { ::poll(nullptr, 0, milliseconds); }

int report_error(const CommandResult& result) {
    if (!result.error.empty())
        TextOutput(STDERR_FILENO).write("posthorn: " + printable(result.error) + "\n");
    return result.exit;
}

// False when the shaping file has faults; they have been told.
bool load_shaping(const Invocation& invocation, Config& config) {
    if (config.shaping_file.empty()) return true;
    const auto file =
        std::filesystem::path(invocation.config_file).parent_path() / config.shaping_file;
    const auto text = read_small_file(file, kConfigBytesMax);
    if (!text) {
        report_error(invalid_input("shaping: " + text.error().message));
        return false;
    }
    LoadedShaping loaded = read_shaping(*text);
    if (!loaded.errors.empty()) {
        TextOutput(STDERR_FILENO).write(to_text(loaded.errors, printable(file.string())));
        return false;
    }
    config.shaping = std::make_shared<const Shaping>(std::move(loaded.shaping));
    return true;
}

// Nothing when the configuration has faults; they have been told.
std::optional<Config> load_config(const Invocation& invocation) {
    const auto text = read_small_file(invocation.config_file, kConfigBytesMax);
    if (!text) {
        if (text.error().kind == ErrorKind::kNotFound && !invocation.config_given) return Config{};
        report_error(invalid_input(text.error().message));
        return std::nullopt;
    }
    LoadedConfig loaded = read_config(*text);
    if (loaded.errors.empty() && load_shaping(invocation, loaded.config))
        return std::move(loaded.config);
    TextOutput(STDERR_FILENO).write(to_text(loaded.errors, printable(invocation.config_file)));
    return std::nullopt;
}

// Lines as they come, for machines or through a printer for people.
class AnswerSink : public LineSink {
  public:
    AnswerSink(const Invocation& invocation, const nlohmann::json& request)
        : output_(STDOUT_FILENO) {
        if (!invocation.json || invocation.csv)
            printer_ =
                printer_for(invocation.command, text_field(request, "action"), invocation.csv);
        quiet_ = invocation.quiet;
        is_report_ = invocation.command == "report";
    }

    bool line(std::string_view json) override {
        if (!is_report_) return print(json);
        report_ += pieces_.take(json);
        if (pieces_.complete()) return print(std::exchange(report_, {}));
        if (printer_ == nullptr) output_.write(std::exchange(report_, {}));
        return output_.open();
    }
    bool flush() override { return output_.flush(); }
    void end() {
        if (printer_ != nullptr) printer_->end(output_);
        output_.flush();
    }

  private:
    bool print(std::string_view json) {
        if (printer_ == nullptr) {
            output_.write(json);
            return output_.write("\n");
        }
        const nlohmann::json answer = parse_json_object(json);
        if (quiet_ && answer.contains("message")) return output_.open();
        printer_->line(answer, output_);
        return output_.open();
    }

    std::unique_ptr<Printer> printer_;
    TextOutput output_;
    bool quiet_ = false;
    bool is_report_ = false;
    ReportPieces pieces_;
    std::string report_;  // what was not printed yet
};

// By the owner if there is one, else as the owner for this one command. kBusy: neither, for now.
Result<CommandResult> carry_out(const Invocation& invocation, const Config& config,
                                const nlohmann::json& request, LineSink& sink) {
    auto asked = ask_owner(invocation.data_directory, json_line(request), sink);
    if (asked || asked.error().kind != ErrorKind::kNotFound) return asked;
    auto owner = Owner::open(invocation.data_directory, config);
    if (!owner) return owner.error();
    return run_command((*owner)->context(), request, sink);
}

template <class Try>
Result<CommandResult> while_busy(Try&& attempt) {
    for (int tries = 1;; ++tries) {
        auto result = attempt();
        if (result || result.error().kind != ErrorKind::kBusy || tries == kTriesMax) return result;
        pause_ms(kTryEveryMs);
    }
}

// Where the listing is to go on: behind the last event that passed through.
class SequenceSink : public LineSink {
  public:
    explicit SequenceSink(LineSink& to) : to_(to) {}
    bool line(std::string_view json) override {
        last_ = std::max(last_, count_field(parse_json_object(json), "sequence"));
        return open_ = to_.line(json) && to_.flush();  // each is seen as it comes
    }
    bool flush() override { return to_.flush(); }
    std::uint64_t last() const { return last_; }
    bool open() const { return open_; }

  private:
    LineSink& to_;
    std::uint64_t last_ = 0;
    bool open_ = true;
};

// An owner follows on its own; without one, nothing happens until there is one.
Result<CommandResult> follow_events(const Invocation& invocation, const Config& config,
                                    nlohmann::json request, LineSink& sink) {
    SequenceSink following(sink);
    while (true) {
        auto result = while_busy([&] { return carry_out(invocation, config, request, following); });
        if (!following.flush() || !following.open()) return CommandResult{};
        if (result && result->exit != kDone) return result;
        request["after"] = std::max(count_field(request, "after"), following.last());
        pause_ms(kFollowEveryMs);
    }
}

extern "C" void leave_follower(int) {
    constexpr std::string_view kWords =
        "\x1b[?25h\nleft; the campaign goes on in the process that owns the data directory\n";
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kWords.data(), kWords.size());
    ::_exit(kStopped);
}

}  // namespace

int run_on_store(const Invocation& invocation) {
    const auto config = load_config(invocation);
    if (!config) return kInvalidInput;
    if (needs_data_directory(invocation.command) &&
        !std::filesystem::is_directory(invocation.data_directory))
        return report_error(invalid_input("there is no data directory " +
                                          invocation.data_directory + ": --data names it"));
    const nlohmann::json request = parse_json_object(invocation.request);
    AnswerSink sink(invocation, request);
    const bool follow = true_field(request, "follow");
    const auto result =
        follow ? follow_events(invocation, *config, request, sink)
               : while_busy([&] { return carry_out(invocation, *config, request, sink); });
    sink.end();
    return report_error(result ? *result : failed(result.error()));
}

int run_send(const Invocation& invocation) {
    const auto config = load_config(invocation);
    if (!config) return kInvalidInput;
    const nlohmann::json request = parse_json_object(invocation.request);
    SendFollower follower(invocation, text_field(request, "file"));
    if (request.contains("test_to")) {
        const CommandResult result =
            run_test_send(request, *config, invocation.data_directory, follower);
        follower.end();
        return report_error(result);
    }
    const auto sent = while_busy([&]() -> Result<CommandResult> {
        const auto before = std::signal(SIGINT, leave_follower);
        auto asked = ask_owner(invocation.data_directory, invocation.request, follower);
        std::signal(SIGINT, before);
        if (asked || asked.error().kind != ErrorKind::kNotFound) return asked;
        auto owner = Owner::open(invocation.data_directory, *config);
        if (!owner) return owner.error();
        (*owner)->remark = [&](const std::string& text) { follower.remark(text); };
        CampaignSending sending((*owner)->context(), follower, {});
        if (const auto result = sending.begin(request)) return *result;
        return (*owner)->run([&](CommandContext&) { return sending.deliver(); },
                             Owner::Lasts::kEndWithWork);
    });
    const CommandResult result = sent ? *sent : failed(sent.error());
    follower.end();
    return report_error(result);
}

namespace {

// Lines of the log of serve.
class LogSink : public LineSink {
  public:
    bool line(std::string_view json) override {
        const std::string message = text_field(parse_json_object(json), "message");
        if (!message.empty()) remark(message);
        return true;
    }
    bool flush() override { return true; }
    static void remark(const std::string& text) {
        TextOutput(STDERR_FILENO).write("posthorn: " + printable(text) + "\n");
    }
};

}  // namespace

int run_serve(const Invocation& invocation) {
    const auto config = load_config(invocation);
    if (!config) return kInvalidInput;
    auto owner = Owner::open(invocation.data_directory, *config);
    if (!owner) return report_error(failed(owner.error()));
    if (!invocation.quiet) (*owner)->remark = LogSink::remark;
    LogSink log;
    return report_error(
        (*owner)->run([&](CommandContext& context) { return continue_imports(context, log); },
                      Owner::Lasts::kUntilStopped));
}

namespace {

// Faults as JSON lines on standard output, or as text.
class ProblemSink : public LineSink {
  public:
    ProblemSink(const Invocation& invocation, std::string file, int descriptor)
        : output_(descriptor), json_(invocation.json), file_(std::move(file)) {}
    bool line(std::string_view json) override {
        if (json_) return output_.write(std::string(json) + "\n");
        const nlohmann::json answer = parse_json_object(json);
        if (answer.contains("count"))
            return output_.write(audience_count_text(object_field(answer, "count")));
        if (answer.contains("message") && !answer.contains("code"))
            return output_.write(printable(text_field(answer, "message")) + "\n");
        ++problems_;
        return output_.write(problem_text(answer, file_));
    }
    bool flush() override { return output_.flush(); }
    bool found_any() const { return problems_ > 0; }
    void say(const std::string& text) {
        if (!json_) output_.write(text);
    }

  private:
    TextOutput output_;
    bool json_;
    std::string file_;
    std::uint64_t problems_ = 0;
};

}  // namespace

namespace {

// By whoever owns the data directory where what is stored there matters.
int check_file(const Invocation& invocation, const Config& config, const nlohmann::json& request) {
    const std::string file = text_field(request, "file");
    ProblemSink sink(invocation, file, STDOUT_FILENO);
    std::error_code fault;
    const bool stored = std::filesystem::exists(invocation.data_directory + "/FORMAT", fault) &&
                        check_needs_store(request, config);
    const auto result =
        stored ? while_busy([&] { return carry_out(invocation, config, request, sink); })
               : Result<CommandResult>(run_check(request, config, nullptr, sink));
    if (!sink.found_any() && result && result->exit == kDone && !invocation.quiet)
        sink.say(printable(file) + ": no faults\n");
    return report_error(result ? *result : failed(result.error()));
}

}  // namespace

int run_without_store(const Invocation& invocation) {
    const nlohmann::json request = parse_json_object(invocation.request);
    if (invocation.command == "classify")
        return run_classify(STDIN_FILENO, STDOUT_FILENO, *Classifier::with_default_rules(),
                            parse_stage(text_field(request, "stage")).value_or(Stage::kNone),
                            invocation.json);
    const auto config = load_config(invocation);
    if (!config) return kInvalidInput;
    const std::string file = text_field(request, "file");
    if (invocation.command == "check") return check_file(invocation, *config, request);
    ProblemSink sink(invocation, file, invocation.json ? STDOUT_FILENO : STDERR_FILENO);
    std::string message;
    const CommandResult result = run_preview(request, *config, message, sink);
    if (!message.empty()) TextOutput(STDOUT_FILENO).write(message);
    return report_error(result);
}

}  // namespace posthorn
