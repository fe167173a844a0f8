// SPDX-License-Identifier: Apache-2.0
// How soon a stall is noticed and how soon its dump is there, over many stalls of a real loop:
//   detection_bench [STALLS]
// Half of them sleep in a handler, half compute. The watchdog runs with its shipped pace and a
// threshold of 300 ms.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "daemon/dump/capture.h"
#include "daemon/dump/raw_dump.h"
#include "daemon/watchdog/watchdog.h"
#include "runtime/beat.h"
#include "runtime/block_on.h"
#include "runtime/event.h"
#include "runtime/loop.h"
#include "runtime/spawn.h"
#include "runtime/task_group.h"

namespace {

using namespace canary;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kThreshold = 300ms;

// Writes every dump and keeps what each took.
struct Recorder {
  explicit Recorder(std::string directory)
      : raw({.directory = std::move(directory), .versions = "bench", .log_lines = nullptr}) {}

  watchdog::Dumper dumper() {
    return {.self = this,
            .start =
                [](void* self, watchdog::DumpOrder const& order) {
                  static_cast<Recorder*>(self)->raw.start({.number = order.number,
                                                           .reason = order.reason,
                                                           .episodes = order.episodes,
                                                           .decided_ns = order.decided_ns});
                },
            .sample = [](void* self,
                         std::int32_t thread) { static_cast<Recorder*>(self)->raw.sample(thread); },
            .finish =
                [](void* self, watchdog::PathText& path) {
                  auto& recorder = *static_cast<Recorder*>(self);
                  auto const result = recorder.raw.finish();
                  path = result.path;
                  recorder.tables_ns.store(result.tables_ns);
                  recorder.stack_ns.store(result.stack_ns);
                  recorder.dumps.fetch_add(1);
                  ::unlink(result.path.data());
                  ::unlink(result.text_path.data());
                  return result.written;
                },
            .poll = nullptr};
  }

  dump::RawDump raw;
  std::atomic<std::int64_t> tables_ns{0}, stack_ns{0};
  std::atomic<std::uint64_t> dumps{0};
};

void print(char const* what, std::vector<double> values) {
  if (values.empty()) return;
  std::ranges::sort(values);
  auto const at = [&](double share) {
    return values[std::min(values.size() - 1,
                           static_cast<std::size_t>(share * static_cast<double>(values.size())))];
  };
  std::printf("%-44s p50 %7.1f ms  p99 %7.1f ms  worst %7.1f ms\n", what, at(0.5), at(0.99),
              values.back());
}

void hold(bool sleeping, std::atomic<bool> const& release) {
  auto const limit = Clock::now() + 5s;
  while (!release.load(std::memory_order_relaxed) && Clock::now() < limit) {
    if (sleeping) std::this_thread::sleep_for(20ms);
  }
}

runtime::Task<void> beating() { co_await runtime::beat(100ms); }

}  // namespace

int main(int argc, char** argv) {
  int const stalls = argc > 1 ? std::atoi(argv[1]) : 200;
  char pattern[] = "/tmp/canaryd-detection-XXXXXX";
  std::string const directory = ::mkdtemp(pattern);
  runtime::make_tables({});
  dump::install_capture();
  Recorder recorder{directory + "/dumps"};
  config::WatchdogSettings settings;
  settings.loop_suspect = 100ms;
  settings.loop_stall = kThreshold;
  std::vector<double> late, tables, stacks;
  {
    watchdog::Watchdog watchdog{
        {.settings = settings, .memory_directory = directory, .dumper = recorder.dumper()}};
    runtime::Loop loop;
    loop.start();
    runtime::asio::cancellation_signal signal;
    runtime::spawn(loop.executor(), beating(), signal.slot(), [](std::exception_ptr) {});
    watchdog.ready();
    auto const& record = watchdog.record();
    constexpr auto kLoop = static_cast<std::size_t>(watchdog::Subject::loop);
    constexpr auto kStalled = static_cast<std::size_t>(watchdog::Level::stalled);
    for (int i = 0; i < stalls; ++i) {
      std::this_thread::sleep_for(300ms);
      auto const before = record.stalls[kLoop][kStalled].load();
      auto const dumps = recorder.dumps.load();
      std::atomic<bool> release{false};
      std::atomic<std::int64_t> began{0};
      loop.post([&, sleeping = i % 2 == 0] {
        began.store(runtime::now_ns());
        hold(sleeping, release);
      });
      std::int64_t noticed = 0;
      auto const limit = Clock::now() + 5s;
      while (Clock::now() < limit && record.stalls[kLoop][kStalled].load() == before) {
        std::this_thread::sleep_for(500us);
      }
      if (record.stalls[kLoop][kStalled].load() != before) noticed = runtime::now_ns();
      // A few dumps a minute are written, the others folded.
      auto const dumped_by = Clock::now() + 1500ms;
      while (Clock::now() < dumped_by && recorder.dumps.load() == dumps) {
        std::this_thread::sleep_for(5ms);
      }
      release.store(true);
      if (noticed == 0) {
        std::printf("stall %d was not noticed within 5 s\n", i);
        return 1;
      }
      late.push_back(static_cast<double>(noticed - began.load()) / 1e6 -
                     std::chrono::duration<double, std::milli>(kThreshold).count());
      if (recorder.dumps.load() != dumps) {
        tables.push_back(static_cast<double>(recorder.tables_ns.load()) / 1e6);
        stacks.push_back(static_cast<double>(recorder.stack_ns.load()) / 1e6);
      }
      runtime::block_on(loop, runtime::sleep_until({}, "bench.turn", runtime::Deadline::after(1ms)),
                        runtime::Deadline::after(10s));
    }
    loop.post([&signal] { signal.emit(runtime::asio::cancellation_type::terminal); });
    watchdog.stopping(10s);
    loop.stop();
    loop.join();
  }
  std::printf("%d stalls of the loop, threshold %d ms\n", stalls,
              static_cast<int>(kThreshold / 1ms));
  print("noticed after the threshold", late);
  print("tables in the file, from the decision", tables);
  print("stuck thread's stack, from the decision", stacks);
  std::filesystem::remove_all(directory);
  return 0;
}
