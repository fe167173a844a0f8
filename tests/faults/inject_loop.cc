// SPDX-License-Identifier: Apache-2.0
// What blocks, burns, floods or breaks the loop's own thread.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <memory>
#include <new>
#include <stdexcept>
#include <vector>

#include <boost/asio/execution/context.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/steady_timer.hpp>
#include <openssl/sha.h>

#include "runtime/block_on.h"
#include "runtime/event.h"
#include "tests/faults/inject.h"

namespace canary::faults {
namespace {

namespace asio = boost::asio;
using runtime::Task;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

[[gnu::noinline]] void sleeps_in_a_handler(Hands const& hands) {
  auto const end = end_of(hands);
  begins();
  while (Clock::now() < end) {  // a signal cuts a sleep short
    timespec const nap{.tv_sec = 0, .tv_nsec = 900'000'000};
    ::nanosleep(&nap, nullptr);
  }
}

[[gnu::noinline]] void reads_an_empty_pipe(Hands const& hands) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return;
  later(hands.span, [end = ends[1]] { ::close(end); });
  begins();
  char byte = 0;
  while (::read(ends[0], &byte, 1) < 0 && errno == EINTR) {
  }
  ::close(ends[0]);
}

// The port is that of a listener with a full backlog.
[[gnu::noinline]] void connects_and_waits(Hands const& hands) {
  int const port = std::stoi(hands.url.substr(hands.url.rfind(':') + 1));
  int const fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  timeval const limit{.tv_sec = hands.span.count() / 1000,
                      .tv_usec = hands.span.count() % 1000 * 1000};
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto const end = end_of(hands);
  begins();
  // With a limit a signal cuts it short.
  while (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 &&
         (errno == EINTR || errno == EALREADY) && Clock::now() < end) {
  }
  ::close(fd);
}

[[gnu::noinline]] void computes_without_end(Hands const& hands) {
  auto const end = end_of(hands);
  begins();
  for (std::uint64_t volatile count = 0;; count = count + 1) {
    if (count % 1'000'000 == 0 && Clock::now() >= end) return;
  }
}

// So long of processor time: on a busy machine it takes longer, and that is nobody's fault.
[[gnu::noinline]] void hashes_for_long(Hands const& hands) {
  auto const used = [] {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
  };
  auto const end = used() + hands.span;
  std::vector<unsigned char> const bytes(1 << 22);
  std::array<unsigned char, 32> digest;
  begins();
  while (used() < end) ::SHA256(bytes.data(), bytes.size(), digest.data());
}

// Handlers that each take a moment and post themselves again: never idle, never stuck.
struct Chain {
  runtime::Executor executor;
  Clock::time_point end;
  std::chrono::microseconds each;

  void operator()() const {
    auto const now = Clock::now();
    if (now >= end) return;
    while (Clock::now() < now + each) {
    }
    asio::post(executor, *this);
  }
};

void floods_the_queue(Hands const& hands) {
  Chain const chain{hands.parts.loop.executor(), end_of(hands), 150us};
  for (int i = 0; i < 10'000; ++i) asio::post(chain.executor, chain);
  begins();
}

void rearm(std::shared_ptr<asio::steady_timer> const& timer, Clock::time_point end) {
  if (Clock::now() >= end) return;
  timer->expires_at(Clock::now());
  timer->async_wait([timer, end](boost::system::error_code) {
    auto const until = Clock::now() + 200us;
    while (Clock::now() < until) {
    }
    rearm(timer, end);
  });
}

void floods_with_timers(Hands const& hands) {
  auto const end = end_of(hands);
  for (int i = 0; i < 8'000; ++i) {
    rearm(std::make_shared<asio::steady_timer>(hands.parts.loop.executor()), end);
  }
  begins();
}

[[gnu::noinline]] void runs_the_loop_inside(Hands const& hands) {
  begins();
  hands.parts.loop.run();
}

Task<void> nothing() { co_return; }

[[gnu::noinline]] void blocks_on_the_loop(Hands const& hands) {
  begins();
  runtime::block_on(hands.parts.loop, nothing(), runtime::Deadline::after(1s));
}

// Asio's own way to the context, which canaryd gives nobody.
[[gnu::noinline]] void polls_inside(Hands const& hands) {
  auto& context = asio::query(hands.parts.loop.executor(), asio::execution::context);
  asio::post(hands.parts.loop.executor(), [] {});
  begins();
  static_cast<asio::io_context&>(context).poll();
}

[[gnu::noinline]] void builds_a_second_context(Hands const&) {
  begins();
  asio::io_context second;
  second.run();
}

void throws_in_a_handler(Hands const& hands) {
  begins();
  hands.parts.loop.post([] { throw std::runtime_error("an exception nobody expects"); });
}

void runs_out_of_memory_in_a_handler(Hands const& hands) {
  begins();
  hands.parts.loop.post([] { throw std::bad_alloc(); });
}

void leaves_the_loop(Hands const& hands) {
  begins();
  hands.parts.loop.stop();
}

// The timer descriptor is replaced by one that never becomes readable: no timer fires any more.
void loses_the_timers(Hands const&) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return;
  for (auto const& entry : std::filesystem::directory_iterator{"/proc/self/fd"}) {
    std::error_code gone;
    auto const target = std::filesystem::read_symlink(entry.path(), gone);
    if (gone || target.string().find("[timerfd]") == std::string::npos) continue;
    begins();
    ::dup2(ends[0], std::stoi(entry.path().filename().string()));
  }
}

}  // namespace

void add_loop_faults(std::map<std::string, Fault>& faults) {
  faults["sleep"] = sleeps_in_a_handler;
  faults["read-pipe"] = reads_an_empty_pipe;
  faults["connect"] = connects_and_waits;
  faults["cpu-loop"] = computes_without_end;
  faults["long-hash"] = hashes_for_long;
  faults["flood"] = floods_the_queue;
  faults["timer-flood"] = floods_with_timers;
  faults["nested-run"] = runs_the_loop_inside;
  faults["nested-block-on"] = blocks_on_the_loop;
  faults["nested-poll"] = polls_inside;
  faults["second-context"] = builds_a_second_context;
  faults["exception"] = throws_in_a_handler;
  faults["bad-alloc"] = runs_out_of_memory_in_a_handler;
  faults["left-run"] = leaves_the_loop;
  faults["lost-timers"] = loses_the_timers;
}

}  // namespace canary::faults
