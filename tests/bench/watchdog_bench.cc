// SPDX-License-Identifier: Apache-2.0
// What the watchdog itself costs, at its shipped pace: its thread's CPU time while a healthy loop
// has so many operations pending and so many runs, beside a thread that only wakes as often; and
// what the tables take.
//   watchdog_bench [SECONDS]
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>

#include "daemon/watchdog/watchdog.h"
#include "runtime/beat.h"
#include "runtime/loop.h"
#include "runtime/spawn.h"
#include "runtime/task_group.h"

namespace {

using namespace canary;
using namespace std::chrono_literals;

// Waits for what never comes, as so many requests to a slow server do.
runtime::Task<void> one_run(int number, int operations) {
  auto const executor = co_await boost::asio::this_coro::executor;
  runtime::RunTrace const run{"probe-" + std::to_string(number),
                              runtime::Deadline::after(std::chrono::hours{1})};
  runtime::Frame const frame{run.trace(), "bench.run"};
  std::vector<std::unique_ptr<boost::asio::steady_timer>> timers;
  for (int i = 0; i < operations; ++i) {
    timers.push_back(std::make_unique<boost::asio::steady_timer>(executor, std::chrono::hours{1}));
    if (i + 1 < operations) timers.back()->async_wait([](boost::system::error_code) {});
  }
  for (;;) {  // moves, so that nobody calls it stalled
    timers.back()->expires_after(1s);
    co_await timers.back()->async_wait(runtime::wait(frame.trace(), "bench.wait"));
    frame.trace().progress();
  }
}

std::int32_t watchdog_thread() {
  for (;;) {
    for (auto const& row : runtime::tables()->threads()) {
      bool const is = row.kind.load() == runtime::ThreadRecord::watchdog;
      if (is && row.thread.load() != 0) return row.thread.load();
    }
    std::this_thread::sleep_for(10ms);  // it starts
  }
}

// Wakes as often as the watchdog does and does nothing: what the machine takes for that.
class Idler {
 public:
  Idler() : thread_([this](std::stop_token stop) { run(stop); }) {}
  std::int32_t thread() const {
    while (id_.load() == 0) std::this_thread::sleep_for(1ms);
    return id_.load();
  }

 private:
  void run(std::stop_token const& stop) {
    id_.store(::gettid());
    timespec const tick{.tv_sec = 0, .tv_nsec = 100'000'000};
    while (!stop.stop_requested()) ::ppoll(nullptr, 0, &tick, nullptr);
  }

  std::atomic<std::int32_t> id_{0};
  std::jthread thread_;
};

double cpu_seconds(std::int32_t thread) {
  std::ifstream file{"/proc/self/task/" + std::to_string(thread) + "/schedstat"};
  double ns = 0;
  file >> ns;
  return ns / 1e9;
}

void tables_row(runtime::Tables& tables) {
  std::printf("tables %.2f MiB: %zu operations of %zu bytes, %zu runs of %zu, %zu threads of %zu\n",
              static_cast<double>(tables.block().size()) / 1048576.0, tables.operations().size(),
              sizeof(runtime::OperationRecord), tables.runs().size(), sizeof(runtime::RunRecord),
              tables.threads().size(), sizeof(runtime::ThreadRecord));
}

}  // namespace

int main(int argc, char** argv) {
  double const seconds = argc > 1 ? std::strtod(argv[1], nullptr) : 20;
  char memory[] = "/tmp/canaryd-watchdog-bench.XXXXXX";
  if (::mkdtemp(memory) == nullptr) return 1;
  runtime::Loop loop;
  tables_row(*runtime::tables());
  {
    watchdog::Watchdog guard{{.settings = {}, .memory_directory = memory}};
    runtime::asio::cancellation_signal never;
    runtime::spawn(loop.executor(), runtime::beat(100ms), never.slot(), [](std::exception_ptr) {});
    loop.start();
    guard.ready();
    std::int32_t const thread = watchdog_thread();
    Idler const idler;
    int runs = 0;
    for (int const pending : {0, 4'096, 16'000}) {
      static constexpr int kEach = 64;
      for (; runs * kEach < pending; ++runs) {
        loop.post([&loop, number = runs] {
          runtime::spawn(loop.executor(), one_run(number, kEach), {}, [](std::exception_ptr) {});
        });
      }
      std::this_thread::sleep_for(1s);
      double const before = cpu_seconds(thread), idle_before = cpu_seconds(idler.thread());
      std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
      double const used = cpu_seconds(thread) - before;
      double const idle = cpu_seconds(idler.thread()) - idle_before;
      std::printf("%6d pending operations, %3d runs: %.3f %% of a core; only waking: %.3f %%\n",
                  pending, runs, 100 * used / seconds, 100 * idle / seconds);
      std::fflush(stdout);
    }
    guard.stopping(10s);
    loop.stop();
    loop.join();
  }
  std::filesystem::remove_all(memory);
}
