#include "engine/net/control_socket.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "engine/net/control_client.h"
#include "engine/net/file_limit.h"

namespace posthorn {
namespace {

class ControlSocketTest : public testing::Test, protected ControlEvents {
  protected:
    void SetUp() override {
        directory_ = std::filesystem::temp_directory_path() /
                     ("posthorn-control-" + std::to_string(getpid()));
        std::filesystem::create_directory(directory_);
        path_ = directory_ / "control.sock";
    }
    void TearDown() override {
        socket_.reset();
        std::filesystem::remove_all(directory_);
    }
    void listen() {
        auto made = ControlSocket::listen(loop_, path_, *this);
        ASSERT_TRUE(made) << made.error().message;
        socket_ = std::move(*made);
    }
    ControlClient connect() {
        auto made = ControlClient::connect(path_);
        EXPECT_TRUE(made) << made.error().message;
        return std::move(*made);
    }
    template <class Condition>
    void until(Condition condition) {
        while (!condition()) loop_.turn();
    }

    void line_received(ControlClientId client, std::string_view line) override {
        lines_.emplace_back(line);
        last_ = client;
        if (line == "quit") {
            EXPECT_TRUE(socket_->send(client, "bye"));
            socket_->close(client);
            EXPECT_FALSE(socket_->send(client, "too late"));
        }
    }
    void client_gone(ControlClientId client) override { gone_.push_back(client); }

    Loop loop_;
    std::filesystem::path directory_;
    std::string path_;
    std::unique_ptr<ControlSocket> socket_;
    std::vector<std::string> lines_;
    std::vector<ControlClientId> gone_;
    ControlClientId last_ = 0;
};

TEST_F(ControlSocketTest, SpeaksLinesBothWays) {
    listen();
    ControlClient client = connect();
    ASSERT_TRUE(client.send("status"));
    ASSERT_TRUE(client.send(""));
    until([&] { return lines_.size() == 2; });
    EXPECT_EQ(lines_, (std::vector<std::string>{"status", ""}));
    EXPECT_TRUE(socket_->send(last_, "one"));
    EXPECT_TRUE(socket_->send(last_, "two"));
    loop_.post([] {});
    loop_.turn();
    EXPECT_EQ(**client.read_line(), "one");
    EXPECT_EQ(**client.read_line(), "two");
}

TEST_F(ControlSocketTest, ClosesAClientAfterItsLastLine) {
    listen();
    ControlClient client = connect();
    ASSERT_TRUE(client.send("quit\nmore that is not heard"));
    until([&] { return !gone_.empty(); });
    EXPECT_EQ(**client.read_line(), "bye");
    EXPECT_FALSE(client.read_line()->has_value());
    EXPECT_EQ(lines_, std::vector<std::string>{"quit"});
    EXPECT_EQ(gone_, std::vector<ControlClientId>{last_});
    EXPECT_EQ(socket_->clients(), 0U);
    EXPECT_FALSE(socket_->send(last_, "x"));
}

TEST_F(ControlSocketTest, TellsWhenAClientLeaves) {
    listen();
    {
        ControlClient client = connect();
        ASSERT_TRUE(client.send("status"));
        ASSERT_TRUE(client.send("x"));
    }
    until([&] { return !gone_.empty(); });
    EXPECT_EQ(lines_.size(), 2U);
}

TEST_F(ControlSocketTest, DropsAClientThatDoesNotRead) {
    listen();
    ControlClient client = connect();
    ASSERT_TRUE(client.send("follow"));
    until([&] { return !lines_.empty(); });
    const std::string line(1 << 16, 'x');
    int sent = 0;
    while (socket_->send(last_, line)) {
        ++sent;
        loop_.post([] {});
        loop_.turn();
    }
    EXPECT_GE(sent, 8 << 4);
    until([&] { return !gone_.empty(); });
}

TEST_F(ControlSocketTest, DropsAClientWhoseLineNeverEnds) {
    listen();
    ControlClient client = connect();
    std::thread talker([&] {
        const std::string endless(2 << 20, 'x');
        (void)client.send(endless);  // fails when dropped in the midst of it
    });
    until([&] { return !gone_.empty(); });
    talker.join();
    EXPECT_TRUE(lines_.empty());
}

TEST_F(ControlSocketTest, TakesALineOfAMegabyte) {
    listen();
    ControlClient client = connect();
    const std::string line(kControlLineBytesMax, 'x');
    std::thread talker([&] { EXPECT_TRUE(client.send(line)); });
    until([&] { return !lines_.empty(); });
    talker.join();
    EXPECT_EQ(lines_[0], line);
}

TEST_F(ControlSocketTest, IsForItsOwnerAloneAndGoesWithTheServer) {
    listen();
    struct stat found {};
    ASSERT_EQ(stat(path_.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777U, 0600U);
    socket_.reset();
    EXPECT_FALSE(std::filesystem::exists(path_));
    const auto client = ControlClient::connect(path_);
    ASSERT_FALSE(client);
    EXPECT_EQ(client.error().kind, ErrorKind::kNotFound);
}

TEST_F(ControlSocketTest, ReplacesTheSocketOfADeadProcessAndNotOfALiveOne) {
    listen();
    const auto second = ControlSocket::listen(loop_, path_, *this);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, ErrorKind::kBusy);

    const std::string stale = directory_ / "stale.sock";
    std::filesystem::rename(path_, stale);  // nobody listens there once the server has gone
    socket_.reset();
    ASSERT_TRUE(std::filesystem::exists(stale));
    path_ = stale;
    listen();
    ControlClient client = connect();
    ASSERT_TRUE(client.send("status"));
    until([&] { return !lines_.empty(); });
}

TEST_F(ControlSocketTest, DoesNotReplaceWhatIsNoSocket) {
    std::ofstream(path_) << "precious";
    const auto made = ControlSocket::listen(loop_, path_, *this);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().kind, ErrorKind::kConflict);
    EXPECT_TRUE(std::filesystem::exists(path_));
    const auto too_long = ControlSocket::listen(loop_, directory_ / std::string(200, 'x'), *this);
    ASSERT_FALSE(too_long);
    EXPECT_EQ(too_long.error().kind, ErrorKind::kInvalid);
}

TEST(FileLimit, IsRaisedAsFarAsItMayBeAndNeverLowered) {
    rlimit before{};
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_EQ(raise_open_file_limit(1), before.rlim_cur);
    const std::uint64_t granted = raise_open_file_limit(before.rlim_max);
    EXPECT_EQ(granted, before.rlim_max);
    const std::uint64_t beyond = raise_open_file_limit(before.rlim_max + 1);
    EXPECT_GE(beyond, before.rlim_max);
    rlimit after{};
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &after), 0);
    EXPECT_EQ(after.rlim_cur, beyond);
}

}  // namespace
}  // namespace posthorn
