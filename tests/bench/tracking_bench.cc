// SPDX-License-Identifier: Apache-2.0
// What the tables cost per handler, per timer operation and per co_await. Built twice from this
// source: with the hook and frames, as shipped, and with plain Asio (CANARY_BARE). run_tracking.sh
// runs the two in turn and prints the differences.
#include <time.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#ifndef CANARY_BARE
#include "runtime/loop.h"
#include "runtime/trace.h"
#endif

namespace {

namespace asio = boost::asio;

// CPU time: other processes' turns don't count.
struct Clock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<Clock>;
  static time_point now() {
    timespec now{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return time_point{std::chrono::seconds{now.tv_sec} + duration{now.tv_nsec}};
  }
};

template <class T>
using Task = asio::awaitable<T>;

#ifdef CANARY_BARE
struct Trace {};
struct Frame {
  Frame(Trace, char const*) {}
  Trace trace() const { return {}; }
};
auto wait(Trace, char const*) { return asio::as_tuple(asio::use_awaitable); }
#else
using canary::runtime::Frame;
using canary::runtime::Trace;
using canary::runtime::wait;
#endif

constexpr int kHandlers = 2'000'000;
constexpr int kTimers = 20'000;
constexpr int kAwaits = 500'000;

// A handler that posts itself until nothing is left. Two of them take turns, so that the queue is
// never empty.
struct Chain {
  asio::any_io_executor executor;
  int& left;
  void (*stop)(void*);
  void* stopped;
  void operator()() {
    if (--left > 0) {
      asio::post(executor, *this);
    } else if (left == 0) {
      stop(stopped);
    }
  }
};

Task<int> leaf(Trace trace, int value) {
  Frame const frame{trace, "bench.leaf"};
  co_return value + 1;
}

Task<int> calls(Trace trace) {
  Frame const frame{trace, "bench.calls"};
  int sum = 0;
  for (int i = 0; i < kAwaits; ++i) sum += co_await leaf(frame.trace(), i);
  co_return sum;
}

Task<void> timers(Trace trace) {
  asio::steady_timer timer{co_await asio::this_coro::executor};
  for (int i = 0; i < kTimers; ++i) {
    timer.expires_at(asio::steady_timer::time_point::min());
    co_await timer.async_wait(wait(trace, "bench.timer"));
  }
}

Task<void> turns(Trace trace) {
  auto const executor = co_await asio::this_coro::executor;
  for (int i = 0; i < kAwaits; ++i) co_await asio::post(executor, wait(trace, "bench.turn"));
}

void report(char const* what, Clock::time_point began, int count) {
  double const ns = std::chrono::duration<double, std::nano>(Clock::now() - began).count();
  std::printf("%s %.1f\n", what, ns / count);
}

Task<void> measure(asio::any_io_executor executor) {
#ifdef CANARY_BARE
  Trace const trace;
#else
  canary::runtime::RunTrace const run{"bench", canary::runtime::Deadline::never()};
  Trace const trace = run.trace();
#endif
  for (int round = 0; round < 3; ++round) {
    auto began = Clock::now();
    if (co_await calls(trace) == 0) std::abort();
    report("co_await_call", began, kAwaits);
    began = Clock::now();
    co_await turns(trace);
    report("co_await_turn", began, kAwaits);
    began = Clock::now();
    co_await timers(trace);
    report("timer", began, kTimers);
  }
  (void)executor;
}

template <class Runner>
void measure_handlers(Runner& runner, asio::any_io_executor executor) {
  static int left;  // outlives the handler that is left over when the loop stops
  for (int round = 0; round < 3; ++round) {
    left = kHandlers;
    auto const began = Clock::now();
    for (int i = 0; i < 2; ++i) {
      asio::post(executor, Chain{executor, left, [](void* of) { static_cast<Runner*>(of)->stop(); },
                                 &runner});
    }
    runner.run();
    report("handler", began, kHandlers);
  }
}

}  // namespace

int main() {
  auto const spawn_all = [](asio::any_io_executor executor, auto stop) {
    asio::co_spawn(executor, measure(executor), [stop](std::exception_ptr) { stop(); });
  };
#ifdef CANARY_BARE
  struct Runner {
    asio::io_context context{1};
    void run() {
      context.restart();
      context.run();
    }
    void stop() { context.stop(); }
  } runner;
  measure_handlers(runner, runner.context.get_executor());
  spawn_all(runner.context.get_executor(), [&runner] { runner.stop(); });
  runner.run();
#else
  canary::runtime::Loop loop;
  measure_handlers(loop, loop.executor());
  loop.post([&loop, &spawn_all] { spawn_all(loop.executor(), [&loop] { loop.stop(); }); });
  loop.run();
#endif
  return 0;
}
