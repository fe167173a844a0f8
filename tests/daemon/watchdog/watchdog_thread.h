// SPDX-License-Identifier: Apache-2.0
// A real watchdog's thread over tables that a test writes by hand.
#pragma once

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/watchdog/act/memory.h"
#include "daemon/watchdog/tell/current.h"
#include "daemon/watchdog/watchdog.h"
#include "runtime/tables.h"
#include "runtime/thread_row.h"

namespace canary::watchdog {

using namespace std::chrono_literals;
using config::WatchdogSettings;
using runtime::LoopRecord;
using runtime::RunRecord;
using std::memory_order_relaxed;

constexpr auto kPatience = 20s;  // a limit of the test, never what it measures

// Looks again and again until it is so.
inline bool eventually(std::function<bool()> const& so) {
  auto const limit = std::chrono::steady_clock::now() + kPatience;
  while (!so()) {
    if (std::chrono::steady_clock::now() > limit) return false;
    std::this_thread::yield();
  }
  return true;
}

// A thread that waits for a futex until it is let go: somebody to be stuck.
class Stuck {
 public:
  Stuck() {
    thread_ = std::thread{[this] {
      id_.store(::gettid());
      std::unique_lock lock{mutex_};
      changed_.wait(lock, [this] { return over_; });
    }};
    while (id_.load() == 0) std::this_thread::yield();
  }
  ~Stuck() {
    {
      std::lock_guard const lock{mutex_};
      over_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  std::int32_t id() const { return id_.load(); }

 private:
  std::atomic<std::int32_t> id_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread thread_;
};

// A dump that writes down what it was asked for.
struct FakeDump {
  std::atomic<int> started{0}, samples{0}, finished{0};
  std::atomic<std::uint64_t> incidents{0};
  std::atomic<int> subject{-1}, verdict{-1};
  std::atomic<bool> stack_can_be_copied{true};
  std::atomic<int> error{0};
  std::atomic<std::uint64_t> unreadable{0};

  Dumper dumper() {
    return {
        .self = this,
        .start =
            [](void* self, DumpOrder const& order) {
              auto& fake = *static_cast<FakeDump*>(self);
              fake.incidents.store(order.incidents.size());
              if (!order.incidents.empty()) {
                fake.subject.store(static_cast<int>(order.incidents[0].subject));
                fake.verdict.store(static_cast<int>(order.incidents[0].verdict));
              }
              fake.started.fetch_add(1);
              return fake.stack_can_be_copied.load();
            },
        .sample = [](void* self, std::int32_t) { ++static_cast<FakeDump*>(self)->samples; },
        .finish =
            [](void* self, PathText& path) {
              path = {"/dumps/fake"};
              auto& fake = *static_cast<FakeDump*>(self);
              ++fake.finished;
              return fake.error.load();
            },
        .poll = [](void* self) { return static_cast<FakeDump*>(self)->unreadable.exchange(0); }};
  }
};

class WatchdogThread : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/canaryd-watchdog-XXXXXX";
    directory = ::mkdtemp(pattern);
    settings.loop_suspect = 50ms;
    settings.loop_stall = 200ms;
    settings.loop_hung = 1h;
    settings.loop_dead = 1h;
    settings.run_stall = 400ms;
    settings.run_unwind = 100ms;
    settings.on_dead = WatchdogSettings::OnDead::report;
  }
  void TearDown() override {
    watchdog.reset();
    LoopRecord& record = tables.loop();
    record.state.store(LoopRecord::not_started);
    record.handler_since_ns.store(0);
    record.thread.store(0);
    for (auto& run : tables.runs()) run.state.store(RunRecord::free);
    std::filesystem::remove_all(directory);
  }

  void start() {
    watchdog = std::make_unique<Watchdog>(
        Options{.settings = settings, .memory_directory = directory, .dumper = dump.dumper()});
  }
  Record const& record() const { return watchdog->record(); }

  // A loop whose handler of run 0, a probe called "example", is stuck in `thread` from now on.
  void hang_loop(std::int32_t thread) {
    LoopRecord& loop = tables.loop();
    RunRecord& run = tables.runs()[0];
    run.name.store("example");
    run.kind.store(RunRecord::probe);
    run.generation.fetch_add(1);
    tables.operations()[0].store_head({.run = 0, .state = runtime::OperationHead::running},
                                      std::memory_order_release);
    loop.handler.store(1);
    loop.thread.store(thread);
    loop.beats.store(5);
    loop.beat_due_ns.store(runtime::now_ns() + 50'000'000);
    loop.handler_since_ns.store(runtime::now_ns());
    loop.state.store(LoopRecord::in_run);
  }
  // A loop that is well from now on.
  void let_loop_turn() {
    tables.loop().state.store(LoopRecord::in_run);
    tables.loop().beats.store(5);
    let_loop_go();
  }
  void let_loop_go() {
    tables.loop().handlers.fetch_add(1);
    tables.loop().beat_due_ns.store(runtime::now_ns() + 3'600'000'000'000);
    tables.loop().handler_since_ns.store(0);
  }
  // A loop that turns, and a run that does nothing from now on.
  RunRecord& stall_run(std::int64_t deadline_ns = INT64_MAX) {
    let_loop_turn();
    RunRecord& run = tables.runs()[1];
    run.name.store("slow");
    run.kind.store(RunRecord::probe);
    run.generation.fetch_add(1);
    run.started_ns.store(runtime::now_ns());
    run.progress_ns.store(runtime::now_ns());
    run.deadline_ns.store(deadline_ns);
    run.state.store(RunRecord::running);
    return run;
  }
  std::uint64_t reached(Subject subject, Level level) const {
    return record()
        .stalls[static_cast<std::size_t>(subject)][static_cast<std::size_t>(level)]
        .load();
  }

  std::filesystem::path directory;
  WatchdogSettings settings;
  FakeDump dump;
  runtime::Tables& tables = runtime::make_tables({.runs = 8, .operations = 64});
  std::unique_ptr<Watchdog> watchdog;
};

}  // namespace canary::watchdog
