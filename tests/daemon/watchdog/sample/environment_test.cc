// SPDX-License-Identifier: Apache-2.0
// What the kernel's files say is read right.
#include "daemon/watchdog/sample/environment.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/watchdog/sample/proc_reader.h"

namespace canary::watchdog {
namespace {

constexpr std::int64_t kMs = 1'000'000;

TEST(ProcFiles, StatSurvivesParenthesesInTheName) {
  ThreadSample sample;
  read_stat("12 (a) S (b)) D 1 2 3", sample);

  EXPECT_TRUE(sample.known);
  EXPECT_EQ(sample.state, 'D');
}

TEST(ProcFiles, DamagedStatIsUnknown) {
  for (auto const* const text : {"", "12 loop R", "12 (loop)", "12 (loop) "}) {
    ThreadSample sample;
    read_stat(text, sample);
    EXPECT_FALSE(sample.known) << text;
  }
}

TEST(ProcFiles, SchedstatHasRunThenWaited) {
  ThreadSample sample;
  read_schedstat("895261 1790072 4\n", sample);

  EXPECT_EQ(sample.cpu_ns, 895'261);
  EXPECT_EQ(sample.delay_ns, 1'790'072);
}

TEST(ProcFiles, SyscallTellsItsNumberOrNone) {
  EXPECT_EQ(read_system_call("202 0x7f 0x80 0x2\n"), 202);
  EXPECT_EQ(read_system_call("0 0x3 0x7f\n"), 0);
  EXPECT_EQ(read_system_call("running\n"), -1);
  EXPECT_EQ(read_system_call("-1 0x7ffe 0x7f12\n"), -1);
  EXPECT_EQ(read_system_call(""), -1);
}

TEST(ProcFiles, StatusTellsOfATracer) {
  EXPECT_FALSE(read_traced("Name:\tx\nTracerPid:\t0\nUid:\t0\n"));
  EXPECT_TRUE(read_traced("Name:\tx\nTracerPid:\t4711\nUid:\t0\n"));
  EXPECT_FALSE(read_traced(""));
}

TEST(ProcFiles, ThrottlingOfBothVersionsOfCgroups) {
  EXPECT_EQ(read_throttled("usage_usec 5\nnr_throttled 3\nthrottled_usec 250\n"), 250'000);
  EXPECT_EQ(read_throttled("nr_periods 9\nnr_throttled 3\nthrottled_time 77\n"), 77);
  EXPECT_EQ(read_throttled("usage_usec 5\n"), 0);
}

TEST(ProcFiles, TheCpuControllersCgroup) {
  bool version2 = false;
  EXPECT_EQ(cpu_cgroup("9:name=systemd:/x\n3:cpu,cpuacct:/a/b\n0::/c\n", version2), "/a/b");
  EXPECT_FALSE(version2);
  EXPECT_EQ(cpu_cgroup("0::/system.slice/canaryd.service\n", version2),
            "/system.slice/canaryd.service");
  EXPECT_TRUE(version2);
  EXPECT_EQ(cpu_cgroup("0::/\n", version2), "");
}

TEST(ThreadFiles, SampleThisThread) {
  ThreadFiles files;
  ASSERT_TRUE(files.open(::gettid()));

  ThreadSample sample;
  do {  // the kernel's account is a clock tick behind
    sample = files.sample(ThreadFiles::Depth::full, 5);
  } while (sample.cpu_ns == 0);

  EXPECT_TRUE(sample.known);
  EXPECT_EQ(sample.state, 'R') << "it reads";
  EXPECT_EQ(sample.at_ns, 5);
  files.close();
}

// Each tick of it is seen, and it is there without /proc, too.
TEST(CpuClock, OfAnotherThreadGoesOnWhileThatComputesAndStandsWhileItSleeps) {
  std::atomic<std::int32_t> id{0};
  std::atomic<bool> computes{true}, over{false};
  std::thread other{[&] {
    id = ::gettid();
    while (computes) {
    }
    over.wait(false);
  }};
  while (id == 0) std::this_thread::yield();
  std::int64_t const first = cpu_clock_ns(id);
  EXPECT_GE(first, 0);
  while (cpu_clock_ns(id) <= first + 10 * kMs) std::this_thread::yield();
  computes = false;
  std::int64_t before = 0, now = cpu_clock_ns(id);
  do {
    before = now;
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
    now = cpu_clock_ns(id);
  } while (now != before);
  over = true;
  over.notify_one();
  other.join();
}

TEST(ThreadFiles, OfAThreadThatIsGoneKnowNothing) {
  ThreadFiles files;

  EXPECT_FALSE(files.open(0x7FFFFFFF));
  EXPECT_FALSE(files.sample(ThreadFiles::Depth::full, 1).known);
  EXPECT_FALSE(files.sample(ThreadFiles::Depth::full, 1).timed);
  files.close();
}

TEST(EnvironmentReader, ReadsThisMachine) {
  EnvironmentReader reader;
  reader.open(1);

  auto const first = reader.read(true);
  auto const second = reader.read(true);

  EXPECT_GT(first.monotonic_ns, 0);
  EXPECT_GE(second.monotonic_ns, first.monotonic_ns);
  EXPECT_GE(second.steal_ns, first.steal_ns);
  EXPECT_GE(first.boot_ns, first.monotonic_ns);
  reader.close();
}

}  // namespace
}  // namespace canary::watchdog
