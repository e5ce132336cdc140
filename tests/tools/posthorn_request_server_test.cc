// Requests over the control socket: answers of any length, at the pace of who reads them.
#include "tools/posthorn/request_server.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>

#include "tools/posthorn/remote.h"

namespace posthorn {
namespace {

class Count : public LineSink {
  public:
    bool line(std::string_view json) override {
        if (json.substr(0, json.find(' ')) != std::to_string(lines)) in_order = false;
        ++lines;
        return lines < lines_max;
    }
    bool flush() override { return true; }
    std::uint64_t lines = 0;
    std::uint64_t lines_max = ~std::uint64_t{0};
    bool in_order = true;
};

class RequestServerTest : public testing::Test {
  protected:
    RequestServerTest() {
        char name[] = "/tmp/posthorn-test-XXXXXX";
        directory_ = mkdtemp(name);
    }
    ~RequestServerTest() override {
        server_.reset();
        std::filesystem::remove_all(directory_);
    }

    void serve(RequestServer::Handler handler) {
        auto started = RequestServer::start(directory_ + std::string(kControlSocketName),
                                            std::move(handler), [] {});
        ASSERT_TRUE(started.has_value()) << started.error().message;
        server_ = std::move(started).value();
    }

    std::string directory_;
    std::unique_ptr<RequestServer> server_;
};

TEST_F(RequestServerTest, TheSocketIsForItsOwnerAlone) {
    serve([](std::string_view, LineSink&) { return CommandResult{}; });
    struct stat found {};
    ASSERT_EQ(stat((directory_ + std::string(kControlSocketName)).c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777, 0600u);
}

TEST_F(RequestServerTest, AnAnswerEndsWithItsExitCodeAndError) {
    serve([](std::string_view request, LineSink& sink) {
        sink.line("0");
        return CommandResult{kInvalidInput, "asked " + std::string(request)};
    });
    Count count;
    const auto result = ask_owner(directory_, R"({"command":"x"})", count);
    ASSERT_TRUE(result.has_value()) << result.error().message;
    EXPECT_EQ(result->exit, kInvalidInput);
    EXPECT_EQ(result->error, R"(asked {"command":"x"})");
    EXPECT_EQ(count.lines, 1u);
}

TEST_F(RequestServerTest, ALongAnswerWaitsForItsReader) {
    constexpr std::uint64_t kLines = 20'000;
    const std::string padding = " " + std::string(1000, 'x');  // more than the socket keeps unsent
    static_assert(kLines * 1000 > 2 * kControlBacklogBytesMax);
    serve([&](std::string_view, LineSink& sink) {
        for (std::uint64_t i = 0; i < kLines; ++i)
            if (!sink.line(std::to_string(i) + padding))
                return CommandResult{kFailed, "nobody reads"};
        return CommandResult{};
    });
    Count count;
    const auto result = ask_owner(directory_, "{}", count);
    ASSERT_TRUE(result.has_value()) << result.error().message;
    EXPECT_EQ(result->exit, kDone) << result->error;
    EXPECT_EQ(count.lines, kLines);
    EXPECT_TRUE(count.in_order);
}

TEST_F(RequestServerTest, AListingEndsWhenItsReaderHasLeft) {
    std::atomic<bool> noticed{false};
    serve([&](std::string_view, LineSink& sink) {
        for (std::uint64_t i = 0; sink.line(std::to_string(i));) ++i;
        noticed = true;
        return CommandResult{};
    });
    Count count;
    count.lines_max = 3;
    EXPECT_TRUE(ask_owner(directory_, "{}", count).has_value());
    server_.reset();  // waits for the handler
    EXPECT_TRUE(noticed);
}

TEST_F(RequestServerTest, WithoutAnOwnerThereIsNobodyToAsk) {
    Count count;
    const auto result = ask_owner(directory_, "{}", count);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().kind, ErrorKind::kNotFound);
}

}  // namespace
}  // namespace posthorn
