// SPDX-License-Identifier: Apache-2.0
// A cancelled request unwinds at once in every phase and leaves no descriptor open.
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <tuple>

#include <gmock/gmock.h>

#include "runtime/event.h"
#include "tests/fetch/client_fixture.h"
#include "tests/support/dns_server.h"
#include "tests/support/full_listener.h"

namespace canary::fetch {
namespace {

using namespace std::chrono_literals;
using namespace canary::support;

std::ptrdiff_t open_descriptors() {
  return std::distance(std::filesystem::directory_iterator{"/proc/self/fd"}, {});
}

class Cancellation : public ClientTest {
 protected:
  // The loop opens its own descriptors at its first wait: not what is looked for here.
  Cancellation() {
    running_.block_on(runtime::sleep_until({}, "test.warm_up", runtime::Deadline::after(1ms)));
  }

  // Fetches, cancels once `reached` says so, and looks for what is left behind.
  void expect_clean_end(std::string const& text, std::function<bool()> const& reached,
                        Services& services) {
    auto const before = open_descriptors();
    {
      std::stop_source stop;
      std::jthread const canceller{[&] {
        while (!reached()) std::this_thread::yield();
        stop.request_stop();
      }};
      std::shared_ptr<Client> const client{make_client_of(services)};
      auto task = client->get(Request{url(text), 1 << 20}, runtime::Deadline::never(), {});
      try {
        std::ignore = runtime::block_on(running_.loop(), std::move(task),
                                        runtime::Deadline::never(), stop.get_token());
        ADD_FAILURE() << "the request ended by itself";
      } catch (runtime::Interrupted const& interrupted) {
        EXPECT_THAT(interrupted.what(), ::testing::Not(::testing::HasSubstr("did not unwind")));
      }
    }
    EXPECT_TRUE(server_.wait_until_idle());
    // The server's threads see their ends a moment after ours.
    auto const until = runtime::Deadline::after(10s);
    while (open_descriptors() != before && !until.passed()) std::this_thread::yield();
    EXPECT_EQ(open_descriptors(), before);
  }
  void expect_clean_end(std::string const& text, std::function<bool()> const& reached) {
    expect_clean_end(text, reached, services_);
  }
  std::shared_ptr<Client> make_client_of(Services& services) {
    return {new Client{running_.executor(), settings_, services}, [this](Client* client) {
              auto const destroy = [](Client* one) -> runtime::Task<void> {
                delete one;
                co_return;
              };
              running_.block_on(destroy(client));
            }};
  }
  std::function<bool()> request_came(std::size_t count = 1) {
    return [this, count] { return server_.requests().size() >= count; };
  }
};

TEST_F(Cancellation, WhileResolving) {
  DnsServer dns;
  dns.add("silent.test", {DnsServer::Name::Behaviour::silent});
  runtime::ResolverOptions options;
  options.servers = {dns.address()};
  Services services{cpu_, files_, options};
  expect_clean_end("http://silent.test/", [&dns] { return dns.queries() >= 2; }, services);
}

TEST_F(Cancellation, WhileConnecting) {
  FullListener const full;
  expect_clean_end("http://127.0.0.1:" + std::to_string(full.port()) + "/", [] { return true; });
}

TEST_F(Cancellation, WhileConnectingToEitherOfTwo) {
  FullListener const full;
  expect_clean_end("http://localhost:" + std::to_string(full.port()) + "/", [] { return true; });
}

TEST_F(Cancellation, InTheTlsHandshake) {
  std::atomic<int> accepted{0};
  HostileServer::Options options;
  options.on_accept = [&accepted](Peer& peer, ServedRequest const&) {
    ++accepted;
    peer.wait_for_end();
  };
  HostileServer silent{options};
  expect_clean_end("https://127.0.0.1:" + std::to_string(silent.port()) + "/",
                   [&] { return accepted == 1; });
  EXPECT_TRUE(silent.wait_until_idle());
}

TEST_F(Cancellation, WhileTheProxyIsAsked) {
  server_.on_any(raw_then_silence(""));
  settings_.proxy = server_.url("");
  expect_clean_end("https://repository.test/", request_came());
}

TEST_F(Cancellation, BeforeTheFirstByte) {
  server_.on_any(raw_then_silence(""));
  expect_clean_end(server_.url("/"), request_came());
}

TEST_F(Cancellation, InTheBody) {
  server_.on_any(raw_then_silence("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"));
  expect_clean_end(server_.url("/"), request_came());
}

TEST_F(Cancellation, InAnEndlessBody) {
  server_.on_any(trickle("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n",
                         std::string(4000, 'x'), 1ms));
  expect_clean_end(server_.url("/"), request_came());
}

TEST_F(Cancellation, BetweenTwoAttempts) {
  settings_.max_attempts = 2;
  server_.on_any(respond(503, "", {{"Retry-After", "3600"}}));
  expect_clean_end(server_.url("/"), request_came());
}

// Holds its worker until it is let go.
class Stuck : public BodyConsumer {
 public:
  bool take(std::string_view) override {
    std::unique_lock lock{mutex_};
    taken = true;
    changed_.wait(lock, [this] { return free_; });
    return true;
  }
  void restart() override {}
  void let_go() {
    std::lock_guard const lock{mutex_};
    free_ = true;
    changed_.notify_all();
  }
  std::atomic<bool> taken{false};

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool free_ = false;
};

TEST_F(Cancellation, WhileAWorkerHasTheBody) {
  server_.on_any(respond(std::string(1'000'000, 'x')));
  auto const consumer = std::make_shared<Stuck>();
  auto sink = std::make_unique<PipelinedSink>(running_.executor(),
                                              std::vector<PipelinedSink::Stage>{{cpu_, consumer}});
  auto client = make_client();
  std::stop_source stop;
  std::jthread const canceller{[&] {
    while (!consumer->taken) std::this_thread::yield();
    stop.request_stop();
  }};
  Request request{url(server_.url("/")), 1 << 20};
  auto task = client->download(std::move(request), *sink, runtime::Deadline::never(), {});
  EXPECT_THROW(std::ignore = runtime::block_on(running_.loop(), std::move(task),
                                               runtime::Deadline::never(), stop.get_token()),
               runtime::Interrupted);
  sink.reset();  // the job still has the piece
  client.reset();
  consumer->let_go();
  EXPECT_TRUE(server_.wait_until_idle());
}

}  // namespace
}  // namespace canary::fetch
