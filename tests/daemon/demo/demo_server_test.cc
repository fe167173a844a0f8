// SPDX-License-Identifier: Apache-2.0
// The child process over real sockets: what it serves, how slowly, and when it ends.
// Thread: main.
#include "daemon/demo/demo_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <memory>

#include <gmock/gmock.h>

#include "daemon/demo/demo_directory.h"

namespace canary::daemon {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

DemoCommand child_command() {
  return {.program = DEMO_CHILD, .arguments = {"demo_child", "--serve"}};
}

// A blocking client; a test that waits for ever is ended by ctest.
class Client {
 public:
  explicit Client(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      error_ = errno;
    }
  }
  ~Client() { ::close(socket_); }
  Client(Client const&) = delete;
  Client& operator=(Client const&) = delete;

  int error() const { return error_; }  // of connecting; 0: connected

  void ask(std::string const& path, std::string const& method = "GET") {
    send(method + " " + path + " HTTP/1.1\r\nHost: here\r\n\r\n");
  }
  void send(std::string const& request) {
    ASSERT_EQ(::send(socket_, request.data(), request.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(request.size()));
  }
  std::string read(std::size_t size) {
    std::string bytes(size, '\0');
    ssize_t const got = ::recv(socket_, bytes.data(), size, MSG_WAITALL);
    bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return bytes;
  }
  std::string read_head() {
    std::string head;
    while (!head.ends_with("\r\n\r\n")) {
      std::string const next = read(1);
      if (next.empty()) break;
      head += next;
    }
    return head;
  }
  // What is there already, without waiting.
  std::string read_available() {
    std::string bytes(4096, '\0');
    ssize_t const got = ::recv(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return bytes;
  }

 private:
  int socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int error_ = 0;
};

class DemoServerTest : public ::testing::Test {
 protected:
  DemoServerTest() {
    put("repo/a.txt", "first");
    put("repo/b.json", "{}");
    put("repo/large.bin", std::string(3 << 20, 'x'));
    put("trickling/a.txt", std::string(1000, 'y'));
  }
  void put(std::string const& name, std::string const& bytes) {
    auto const path = directory_.path() / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
  }
  Result<DemoServer, std::string> start() {
    return DemoServer::start(child_command(), directory_.path());
  }

  DemoDirectory directory_ = DemoDirectory::create().value();
};

TEST_F(DemoServerTest, AnswersSeveralRequestsOnOneConnection) {
  auto const server = start();
  ASSERT_TRUE(server) << server.error();
  Client client(server.value().ports().serving);
  client.ask("/repo/a.txt");
  EXPECT_THAT(client.read_head(), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(client.read(5), "first");
  client.ask("/repo/absent.json");
  EXPECT_THAT(client.read_head(), StartsWith("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_EQ(client.read(10), "Not Found\n");
  client.ask("/repo/b.json");
  client.read_head();
  EXPECT_EQ(client.read(2), "{}");
}

TEST_F(DemoServerTest, AnswersRequestsThatCameTogetherInOrder) {
  auto const server = start();
  ASSERT_TRUE(server) << server.error();
  Client client(server.value().ports().serving);
  client.ask("/repo/a.txt");
  client.ask("/repo/b.json");
  client.read_head();
  EXPECT_EQ(client.read(5), "first");
  client.read_head();
  EXPECT_EQ(client.read(2), "{}");
}

TEST_F(DemoServerTest, SendsMoreThanASocketHolds) {
  auto const server = start();
  ASSERT_TRUE(server) << server.error();
  Client client(server.value().ports().serving);
  client.ask("/repo/large.bin");
  client.read_head();
  EXPECT_EQ(client.read(3 << 20), std::string(3 << 20, 'x'));
}

TEST_F(DemoServerTest, EndsAConnectionThatSpeaksSomethingElse) {
  auto const server = start();
  ASSERT_TRUE(server) << server.error();
  Client client(server.value().ports().serving);
  client.send("EHLO mail.example\r\n\r\n");
  EXPECT_THAT(client.read(1 << 16), Not(HasSubstr(" 200 ")));  // to the end
}

TEST_F(DemoServerTest, SaysWhatAFileIsAndHowLong) {
  auto const server = start();
  ASSERT_TRUE(server) << server.error();
  Client client(server.value().ports().serving);
  client.ask("/repo/b.json");
  std::string const head = client.read_head();
  EXPECT_THAT(head, HasSubstr("Content-Length: 2\r\n"));
  EXPECT_THAT(head, HasSubstr("Content-Type: application/json\r\n"));
  EXPECT_EQ(client.read(2), "{}");
  client.ask("/repo/a.txt", "HEAD");
  EXPECT_THAT(client.read_head(), HasSubstr("Content-Length: 5\r\n"));
  client.ask("/repo/a.txt");
  EXPECT_THAT(client.read_head(), StartsWith("HTTP/1.1 200 OK\r\n")) << "HEAD has no body";
}

TEST_F(DemoServerTest, HandsOutNothingThatLiesElsewhere) {
  put("secret", "s");
  std::filesystem::create_symlink(directory_.path() / "secret", directory_.path() / "repo/link");
  auto const server = start();
  ASSERT_TRUE(server) << server.error();
  for (auto const* path : {"/", "/repo", "/repo/", "/repo/2.root.json", "/../secret",
                           "/repo/../secret", "/repo/../../secret", "/repo/link", "//repo/a.txt",
                           "/repo/%2e%2e/secret", "/repo/a%2etxt", "/repo/a.txt/", "/repo/.a"}) {
    Client client(server.value().ports().serving);
    client.ask(path);
    EXPECT_THAT(client.read_head(), StartsWith("HTTP/1.1 404 ")) << path;
  }
}

TEST_F(DemoServerTest, RefusesOtherMethods) {
  auto const server = start();
  ASSERT_TRUE(server) << server.error();
  Client client(server.value().ports().serving);
  client.send("PUT /repo/a.txt HTTP/1.1\r\nHost: here\r\nContent-Length: 3\r\n\r\nnew");
  std::string const head = client.read_head();
  EXPECT_THAT(head, StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(head, HasSubstr("Allow: GET, HEAD\r\n"));
  Client other(server.value().ports().serving);
  other.ask("/repo/a.txt");
  other.read_head();
  EXPECT_EQ(other.read(5), "first");
}

TEST_F(DemoServerTest, TricklesWhatItShallAndServesOthersMeanwhile) {
  auto const server = start();
  ASSERT_TRUE(server) << server.error();
  Client slow(server.value().ports().serving);
  slow.ask("/trickling/a.txt");
  EXPECT_THAT(slow.read_head(), HasSubstr("Content-Length: 1000\r\n"));
  EXPECT_EQ(slow.read_available(), "");
  Client other(server.value().ports().serving);
  other.ask("/repo/a.txt");
  other.read_head();
  EXPECT_EQ(other.read(5), "first");
  EXPECT_EQ(slow.read(1), "y");
  EXPECT_LT(slow.read_available().size(), 100U);  // seconds behind at most
}

TEST_F(DemoServerTest, SaysAtOnceThatATricklingFileIsMissing) {
  auto const server = start();
  ASSERT_TRUE(server) << server.error();
  Client client(server.value().ports().serving);
  client.ask("/trickling/2.root.json");
  EXPECT_THAT(client.read_head(), StartsWith("HTTP/1.1 404 "));
  EXPECT_EQ(client.read(10), "Not Found\n");
}

TEST_F(DemoServerTest, HasAPortThatRefuses) {
  auto const server = start();
  ASSERT_TRUE(server) << server.error();
  EXPECT_EQ(Client(server.value().ports().refusing).error(), ECONNREFUSED);
  EXPECT_EQ(Client(server.value().ports().serving).error(), 0);
}

TEST_F(DemoServerTest, IsGoneOnceStopped) {
  auto server = start();
  ASSERT_TRUE(server) << server.error();
  pid_t const process = server.value().process();
  Client const connected(server.value().ports().serving);
  server.value().stop();
  EXPECT_EQ(::kill(process, 0), -1);
  EXPECT_EQ(errno, ESRCH);
  EXPECT_EQ(server.value().process(), -1);
  server.value().stop();  // again: nothing happens
}

TEST_F(DemoServerTest, MovesWithoutEnding) {
  auto started = start();
  ASSERT_TRUE(started) << started.error();
  DemoServer const server = std::move(started.value());
  EXPECT_EQ(Client(server.ports().serving).error(), 0);
}

TEST_F(DemoServerTest, EndsByItselfAtTheEndOfItsLifeline) {
  std::string const command =
      std::string(DEMO_CHILD) + " --serve " + directory_.path().string() + " < /dev/null";
  std::FILE* const child = ::popen(command.c_str(), "r");
  ASSERT_NE(child, nullptr);
  unsigned serving = 0, refusing = 0;
  EXPECT_EQ(std::fscanf(child, "%u %u", &serving, &refusing), 2);
  EXPECT_EQ(::pclose(child), 0);
}

TEST_F(DemoServerTest, EndsWhenItsParentIsKilled) {
  std::string const command = std::string(DEMO_CHILD) + " --hold " + directory_.path().string();
  std::FILE* const parent = ::popen(("exec " + command).c_str(), "r");
  ASSERT_NE(parent, nullptr);
  unsigned port = 0;
  int process = -1;
  ASSERT_EQ(std::fscanf(parent, "%u %d", &port, &process), 2);
  Client client(static_cast<std::uint16_t>(port));
  client.ask("/repo/a.txt");
  client.read_head();
  ASSERT_EQ(client.read(5), "first");
  ::kill(process, SIGKILL);
  EXPECT_EQ(client.read(1), "");  // returns when the server has ended
  ::pclose(parent);
}

TEST_F(DemoServerTest, SaysThatAProgramCannotBeStarted) {
  auto const server = DemoServer::start({.program = "/nowhere/canaryd"}, directory_.path());
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error(), "cannot start /nowhere/canaryd: No such file or directory");
}

TEST_F(DemoServerTest, SaysThatAProgramDoesNotServe) {
  auto const ended = DemoServer::start({.program = "/bin/true"}, directory_.path());
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error(), "the demo's server ended before it listened");
  auto const other = DemoServer::start({.program = "/bin/echo"}, directory_.path());
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error(), EndsWith("instead of its ports"));
}

}  // namespace
}  // namespace canary::daemon
