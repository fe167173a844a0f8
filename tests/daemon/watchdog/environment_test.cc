// SPDX-License-Identifier: Apache-2.0
// What the machine did is recognised, and what the kernel's files say is read right.
#include "daemon/watchdog/environment.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/watchdog/proc_reader.h"

namespace canary::watchdog {
namespace {

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kS = 1'000 * kMs;
constexpr std::int64_t kFrom = 100 * kS;  // when the watchdog went to sleep, for 100 ms

struct Passed {
  std::int64_t monotonic = 100 * kMs, boot = 0, wall = 0;  // 0: as monotonic
  std::int64_t own_delay = 0, throttled = 0, steal = 0;
};

Assessment after_sleep(Passed const& passed) {
  Surroundings const before{.monotonic_ns = kFrom, .boot_ns = 500 * kS, .wall_ns = 9'000 * kS};
  std::int64_t const boot = passed.boot == 0 ? passed.monotonic : passed.boot;
  Surroundings const now{.monotonic_ns = before.monotonic_ns + passed.monotonic,
                         .boot_ns = before.boot_ns + boot,
                         .wall_ns = before.wall_ns + (passed.wall == 0 ? boot : passed.wall),
                         .own_delay_ns = passed.own_delay,
                         .throttled_ns = passed.throttled,
                         .steal_ns = passed.steal};
  return assess(before, now, kFrom, kFrom + 100 * kMs);
}

TEST(Assess, APunctualTickIsNothing) {
  auto const found = after_sleep({.monotonic = 101 * kMs});

  EXPECT_FALSE(found.disturbed);
  EXPECT_EQ(found.grace_ns, 0);
  EXPECT_EQ(found.late_ns, 1 * kMs);
}

TEST(Assess, OwnLatenessIsGrace) {
  auto const found = after_sleep({.monotonic = 140 * kMs});

  EXPECT_FALSE(found.disturbed);
  EXPECT_EQ(found.grace_ns, 40 * kMs);
}

TEST(Assess, WithoutHavingWaitedForACpuTheProcessWasStopped) {
  auto const found = after_sleep({.monotonic = 5 * kS});

  EXPECT_TRUE(found.disturbed);
  EXPECT_EQ(found.kind, Disturbance::stopped);
  EXPECT_EQ(found.grace_ns, 5 * kS - 100 * kMs);
  EXPECT_TRUE(found.pause);
}

TEST(Assess, HavingWaitedForACpuItWasStarved) {
  auto const found = after_sleep({.monotonic = 2 * kS, .own_delay = 1'800 * kMs});

  EXPECT_EQ(found.kind, Disturbance::starved);
  EXPECT_FALSE(found.pause) << "hangs are judged under steady starvation, too";
}

TEST(Assess, WantOfCpuIsToldApartForItsGraceHasABound) {
  auto const stopped = after_sleep({.monotonic = 5 * kS});
  EXPECT_EQ(stopped.starved_ns, 0);
  auto const starved = after_sleep({.monotonic = 5 * kS, .own_delay = 4 * kS});
  EXPECT_EQ(starved.starved_ns, starved.grace_ns);
  auto const held = after_sleep({.monotonic = 190 * kMs, .throttled = 95 * kMs});
  EXPECT_EQ(held.starved_ns, held.grace_ns);
  EXPECT_GT(held.grace_ns, 0);
}

TEST(Assess, TheCgroupsQuotaStarves) {
  auto const late = after_sleep({.monotonic = 400 * kMs, .throttled = 280 * kMs});
  auto const punctual = after_sleep({.throttled = 60 * kMs});

  EXPECT_EQ(late.kind, Disturbance::starved);
  EXPECT_EQ(punctual.grace_ns, 60 * kMs);
}

// A tick may be held up at its work, before the sleep that is looked at.
TEST(Assess, WhatStarvedTheLastTickIsGraceToo) {
  Surroundings const before{.monotonic_ns = kFrom - 1'200 * kMs};
  Surroundings const now{.monotonic_ns = kFrom + 100 * kMs,
                         .boot_ns = 1'300 * kMs,
                         .wall_ns = 1'300 * kMs,
                         .own_delay_ns = 1'150 * kMs,
                         .throttled_ns = 1'100 * kMs};
  auto const found = assess(before, now, kFrom, kFrom + 100 * kMs);

  EXPECT_EQ(found.grace_ns, 1'150 * kMs);
  EXPECT_EQ(found.starved_ns, 1'150 * kMs);
}

TEST(Assess, OtherMachinesStealStarves) {
  auto const found = after_sleep({.monotonic = 900 * kMs, .steal = 700 * kMs});

  EXPECT_EQ(found.kind, Disturbance::starved);
  EXPECT_EQ(found.grace_ns, 800 * kMs);
}

TEST(Assess, ASuspendedMachineShowsInTheBootClock) {
  auto const found = after_sleep({.boot = 3'600 * kS});

  EXPECT_EQ(found.kind, Disturbance::suspended);
  EXPECT_EQ(found.clock_step_ns, 0);
  EXPECT_TRUE(found.pause);
}

TEST(Assess, AStepOfTheWallClockChangesNoAge) {
  auto const forth = after_sleep({.wall = 3'600 * kS});
  auto const back = after_sleep({.wall = -3'600 * kS});

  EXPECT_NEAR(static_cast<double>(forth.clock_step_ns), 3'600e9, 1e9);
  EXPECT_NEAR(static_cast<double>(back.clock_step_ns), -3'600e9, 1e9);
  EXPECT_EQ(forth.grace_ns, 0);
  EXPECT_FALSE(back.disturbed);
}

TEST(Assess, AWakeBeforeItsTimeIsNotLate) {
  auto const found = after_sleep({.monotonic = 20 * kMs});

  EXPECT_EQ(found.late_ns, 0);
  EXPECT_EQ(found.grace_ns, 0);
}

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
