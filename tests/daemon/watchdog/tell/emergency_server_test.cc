// SPDX-License-Identifier: Apache-2.0
// The thread that answers for the HTTP server, over real sockets.
#include "daemon/watchdog/tell/emergency_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/text/fixed_text.h"
#include "runtime/tables.h"
#include "tests/daemon/publish/plain_client.h"
#include "tests/support/child_process.h"

namespace {
thread_local bool is_the_server = false;
std::atomic<bool> sends_fail{false};
}  // namespace

// In place of the library's, for a server whose writes fail.
extern "C" ssize_t send(int socket, void const* bytes, std::size_t size, int flags) {
  if (is_the_server && sends_fail.load()) {
    errno = EPIPE;
    return -1;
  }
  return ::sendto(socket, bytes, size, flags, nullptr, 0);
}

namespace canary::watchdog {
namespace {

using ::testing::EndsWith;
using ::testing::StartsWith;
using tests::Client;

void set(int eventfd) {
  std::uint64_t const one = 1;
  ASSERT_EQ(::write(eventfd, &one, sizeof one), static_cast<ssize_t>(sizeof one));
}

class Emergency : public ::testing::Test {
 protected:
  Emergency() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ::listen(listener_, SOMAXCONN);
    socklen_t size = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    int const copy = ::fcntl(listener_, F_DUPFD_CLOEXEC, 0);
    server_->listen_on({&copy, 1});
    thread_ = std::thread{[this] {
      is_the_server = true;
      server_->run();
    }};
  }
  ~Emergency() override {
    server_->end();
    set(wake_);
    thread_.join();
    ::close(listener_);
    ::close(wake_);
  }

  void write_texts(std::string const& page, std::string const& reason) {
    texts_->written_ns = runtime::now_ns();
    texts_->page_size = static_cast<std::uint32_t>(page.size());
    page.copy(texts_->page.data(), texts_->page.size());
    copy_text(texts_->reason, reason);
    board_->publish(*texts_);
  }
  void answering(bool on = true) {
    board_->set_answering(on);
    set(wake_);
  }
  tests::Reply get(std::string const& path) { return Client{address_}.request("GET", path); }
  std::uint64_t answered(EmergencyPath path) const {
    return record_->emergency_answers[static_cast<std::size_t>(path)].load();
  }

  int const wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  int const listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  std::string address_;
  std::unique_ptr<EmergencyTexts> texts_ = std::make_unique<EmergencyTexts>();
  std::unique_ptr<EmergencyBoard> board_ = std::make_unique<EmergencyBoard>();
  std::unique_ptr<Record> record_ = std::make_unique<Record>();
  std::unique_ptr<EmergencyServer> server_ =
      std::make_unique<EmergencyServer>(*board_, *record_, wake_);
  std::thread thread_;
};

TEST_F(Emergency, AnswersForAServerThatTakesNobody) {
  write_texts("# the page\ncanaryd_emergency_page 1\n", "the loop has not turned for 12 s");
  answering();

  auto const page = get("/metrics");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.body, "# the page\ncanaryd_emergency_page 1\n");
  EXPECT_EQ(page.headers.at("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(page.headers.at("connection"), "close");
  for (char const* const path : {"/-/healthy", "/-/ready", "/-/healthy?why"}) {
    auto const health = get(path);
    EXPECT_EQ(health.status, 503) << path;
    EXPECT_EQ(health.body, "the loop has not turned for 12 s\n") << path;
  }
  EXPECT_EQ(get("/-/live").status, 200) << "it is not judged to be lost";
  auto const other = get("/api/v1/probes");
  EXPECT_EQ(other.status, 503);
  EXPECT_THAT(other.body, StartsWith("canaryd's HTTP server does not answer."));
  // Counted after they went out.
  EXPECT_TRUE(support::eventually([this] { return answered(EmergencyPath::other) == 1; }));
  EXPECT_EQ(answered(EmergencyPath::metrics), 1);
  EXPECT_EQ(answered(EmergencyPath::healthy), 2);
  EXPECT_EQ(answered(EmergencyPath::ready), 1);
}

TEST_F(Emergency, ShowsPeopleOneScreenInWords) {
  write_texts("# loop dead: victim\n# HELP canaryd_x Of x.\n", "the loop has not turned for 12 s");
  answering();
  for (char const* const path : {"/", "/canaryd/", "/?state=failing"}) {
    auto const screen = get(path);
    EXPECT_EQ(screen.status, 503) << path;
    EXPECT_EQ(screen.headers.at("content-type"), "text/html; charset=utf-8");
    EXPECT_THAT(screen.headers.at("content-security-policy"), StartsWith("default-src 'none'"));
    EXPECT_THAT(screen.body, EndsWith("</html>\n"));
  }
}

TEST_F(Emergency, AnswersNobodyWhereTlsOrAPasswordIsAskedFor) {
  write_texts("the page\n", "the loop has not turned for 12 s");
  board_->set_guarded(1);
  answering();
  Client waiting{address_};
  waiting.send("GET /metrics HTTP/1.1\r\nHost: canary\r\n\r\n");
  EXPECT_TRUE(waiting.closed_by_server()) << "and not a byte before";
  EXPECT_EQ(answered(EmergencyPath::metrics), 0);
  board_->set_taken(0, true);
  Client taken{address_};
  EXPECT_TRUE(taken.closed_by_server());
  board_->set_guarded(0);
  EXPECT_EQ(get("/metrics").body, "the page\n") << "once it is open again";
}

TEST_F(Emergency, IsNotAliveOnceItIsJudgedHung) {
  copy_text(texts_->not_live, "loop hung for 12 s: lock");
  write_texts("page\n", "the loop has not turned for 12 s");
  answering();
  auto const live = get("/-/live");
  EXPECT_EQ(live.status, 503);
  EXPECT_EQ(live.body, "loop hung for 12 s: lock\n");
}

TEST_F(Emergency, ShowsTheNewestOfManyPages) {
  for (int i = 0; i < 7; ++i) write_texts("page " + std::to_string(i) + "\n", "");
  answering();
  EXPECT_EQ(get("/metrics").body, "page 6\n");
}

TEST_F(Emergency, HeadHasTheHeadersOfGetAndNoBody) {
  write_texts("12345\n", "why");
  answering();
  Client client{address_};
  auto const reply = client.request("HEAD", "/metrics");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.headers.at("content-length"), "6");
  EXPECT_TRUE(client.closed_by_server());
}

TEST_F(Emergency, RefusesOtherMethods) {
  write_texts("12345\n", "why");
  answering();
  auto const reply = Client{address_}.request("POST", "/metrics");
  EXPECT_EQ(reply.status, 405);
  EXPECT_EQ(reply.headers.at("allow"), "GET, HEAD");
}

// As where connections of somebody else have taken all descriptors that the process may have.
TEST_F(Emergency, AnswersTwoAtATimeWhereNoDescriptorIsLeft) {
  write_texts("the page\n", "why");
  Client first{address_}, second{address_}, third{address_};
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit const few{.rlim_cur = 256, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  std::vector<int> taken;
  for (int copy = 0; (copy = ::fcntl(wake_, F_DUPFD_CLOEXEC, 0)) >= 0;) taken.push_back(copy);
  ASSERT_EQ(errno, EMFILE);
  answering();
  EXPECT_EQ(first.request("GET", "/metrics").body, "the page\n");
  EXPECT_EQ(second.request("GET", "/metrics").body, "the page\n");
  EXPECT_EQ(third.request("GET", "/metrics").body, "the page\n");
  for (int const copy : taken) ::close(copy);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
}

TEST_F(Emergency, IsNotAliveOnceNobodyHasJudgedForLong) {
  texts_->written_ns = runtime::now_ns() - 61'000'000'000;
  board_->publish(*texts_);
  answering();
  auto const live = get("/-/live");
  EXPECT_EQ(live.status, 503);
  EXPECT_THAT(live.body, StartsWith("the watchdog has not ticked for 61 s"));
}

TEST_F(Emergency, SaysWhenTheWatchdogItselfIsSilent) {
  texts_->written_ns = runtime::now_ns() - 60'000'000'000;
  copy_text(texts_->reason, "the server hangs");
  board_->publish(*texts_);
  answering();
  auto const health = get("/-/healthy");
  EXPECT_EQ(health.status, 503);
  EXPECT_THAT(health.body, StartsWith("the watchdog has not ticked for 60 s"));
  EXPECT_THAT(health.body, EndsWith("the server hangs\n"));
}

TEST_F(Emergency, LeavesConnectionsAloneUntilItIsToAnswer) {
  write_texts("the page\n", "why");
  Client early{address_};
  early.send("GET /metrics HTTP/1.1\r\n\r\n");
  // The server's own thread: it finds the connection where it was.
  sockaddr_in peer{};
  socklen_t size = sizeof peer;
  int taken = -1;
  while (taken < 0) taken = ::accept(listener_, reinterpret_cast<sockaddr*>(&peer), &size);
  ::close(taken);

  Client waiting{address_};
  waiting.send("GET /metrics HTTP/1.1\r\n\r\n");
  answering();
  EXPECT_EQ(waiting.read_reply(false).body, "the page\n") << "who waited is answered, too";
}

// How many of 50 clients are answered by a server's thread that lives, and is not the fastest, on
// the same listener.
int answered_by_a_living_server(int listener, std::function<std::string()> const& get) {
  std::atomic<bool> over{false};
  std::thread living{[listener, &over] {
    while (!over.load()) {
      pollfd ready{.fd = listener, .events = POLLIN, .revents = 0};
      if (::poll(&ready, 1, 10) > 0) ::poll(nullptr, 0, 5);
      int const taken = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      if (taken < 0) continue;
      char bytes[512];
      while (::recv(taken, bytes, sizeof bytes, 0) < 0) {
      }
      constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nme\n";
      ::send(taken, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL);
      ::close(taken);
    }
  }};
  int own = 0;
  for (int i = 0; i < 50; ++i) own += get() == "me\n" ? 1 : 0;
  over.store(true);
  living.join();
  return own;
}

// A server's thread that lives takes its connections soon, so it comes first. What was taken from
// the server's threads is not left to them: there the emergency thread does not wait. How many
// connections are lost to whom depends on the machine; which are more does not.
TEST_F(Emergency, LetsALivingServerGoFirstUntilItsListenerIsTaken) {
  write_texts("the page\n", "why");
  answering();
  auto const page = [this] { return get("/metrics").body; };
  int const before = answered_by_a_living_server(listener_, page);
  board_->set_taken(0, true);
  int const after = answered_by_a_living_server(listener_, page);
  EXPECT_GT(before, after);
}

TEST_F(Emergency, CountsOnlyAnswersThatWentOut) {
  write_texts("the page\n", "why");
  answering();
  sends_fail.store(true);
  Client client{address_};
  client.send("GET /metrics HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(client.closed_by_server());
  EXPECT_EQ(answered(EmergencyPath::metrics), 0);
  sends_fail.store(false);
  EXPECT_EQ(get("/metrics").status, 200);
  // It counts after it has sent: the client may be sooner.
  EXPECT_TRUE(support::eventually([&] { return answered(EmergencyPath::metrics) == 1; }));
}

TEST_F(Emergency, LeavesTheWatchdogsQuestionToTheServer) {
  write_texts("the page\n", "why");
  answering();
  Client question{address_};
  question.send("GET /-/healthy HTTP/1.1\r\nUser-Agent: canaryd-watchdog\r\n\r\n");
  EXPECT_TRUE(question.closed_by_server());
  EXPECT_EQ(answered(EmergencyPath::healthy), 0);
}

TEST_F(Emergency, ReadsARequestThatComesInPieces) {
  write_texts("the page\n", "why");
  answering();
  Client client{address_};
  for (char const* const piece : {"GE", "T /met", "rics HTTP/1.1\r", "\nHost: x\r\n", "\r", "\n"}) {
    client.send(piece);
    EXPECT_EQ(get("/metrics").body, "the page\n") << "others do not wait for it";
  }
  EXPECT_EQ(client.read_reply(false).body, "the page\n");
}

TEST_F(Emergency, RefusesARequestWithoutEnd) {
  write_texts("the page\n", "why");
  answering();
  Client client{address_};
  client.send("GET /metrics HTTP/1.1\r\nX: " + std::string(200'000, 'x'));
  EXPECT_EQ(client.read_head().status, 431);
  EXPECT_EQ(get("/metrics").body, "the page\n");
}

TEST_F(Emergency, EndsAConnectionThatSaysNothing) {
  write_texts("the page\n", "why");
  answering();
  Client client{address_};
  client.send("GET /metr");
  EXPECT_TRUE(client.closed_by_server());  // after kWhole; the client's own limit is 30 s
}

// Far more than there are places: silent ones, half requests, answers that nobody reads.
TEST_F(Emergency, AnswersWhoAsksWhateverOthersDo) {
  write_texts(std::string(kEmergencyPageBytes, 'x'), "why");
  answering();
  std::vector<std::unique_ptr<Client>> others;
  for (int i = 0; i < 60; ++i) {
    auto& client = *others.emplace_back(std::make_unique<Client>(address_));
    if (i % 3 == 1) client.send("GET /metrics HT");
    if (i % 3 == 2) client.send("GET /metrics HTTP/1.1\r\n\r\n");
  }
  for (int i = 0; i < 3; ++i) EXPECT_EQ(get("/metrics").body.size(), kEmergencyPageBytes);
}

TEST_F(Emergency, ServesAgainAfterItWasPutAway) {
  write_texts("the page\n", "why");
  for (int i = 0; i < 3; ++i) {
    answering();
    EXPECT_EQ(get("/metrics").status, 200);
    answering(false);
  }
}

TEST_F(Emergency, GivesTheAddressUpWhenItIsWithdrawn) {
  write_texts("the page\n", "why");
  answering();
  ASSERT_EQ(get("/metrics").status, 200);
  server_->withdraw();
  set(wake_);
  ::shutdown(listener_, SHUT_RDWR);
  ::close(::dup2(::eventfd(0, EFD_CLOEXEC), listener_));  // the server's own is gone, too
  while (Client{address_}.connected()) std::this_thread::yield();
}

TEST(EmergencyRequest, IsReadWithoutTrustInIt) {
  EXPECT_FALSE(read_request("").whole);
  EXPECT_FALSE(read_request("GET /metrics HTTP/1.1\r\nHost: x\r\n").whole);
  auto const plain = read_request("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(plain.whole && plain.known_method && !plain.head_only && !plain.from_watchdog);
  EXPECT_EQ(plain.path, EmergencyPath::metrics);
  EXPECT_EQ(read_request("GET /metrics?a=b HTTP/1.0\n\n").path, EmergencyPath::metrics);
  EXPECT_EQ(read_request("GET /canaryd/-/live HTTP/1.0\n\n").path, EmergencyPath::live)
      << "with whatever --web.route-prefix";
  EXPECT_EQ(read_request("GET /metrics/x HTTP/1.0\n\n").path, EmergencyPath::other);
  EXPECT_EQ(read_request("GET /-/ready HTTP/1.1\r\n\r\n").path, EmergencyPath::ready);
  for (char const* const odd :
       {"\r\n\r\n", "GET\r\n\r\n", "GET \r\n\r\n", "GET  /metrics\r\n\r\n",
        "GET /metricsX HTTP/1.1\r\n\r\n", "get /metrics HTTP/1.1\r\n\r\n"}) {
    auto const request = read_request(odd);
    EXPECT_TRUE(request.whole) << odd;
    EXPECT_TRUE(request.path == EmergencyPath::other || !request.known_method) << odd;
  }
  EXPECT_TRUE(read_request("GET /-/healthy HTTP/1.1\r\nUser-Agent: canaryd-watchdog\r\n\r\n")
                  .from_watchdog);
}

}  // namespace
}  // namespace canary::watchdog
