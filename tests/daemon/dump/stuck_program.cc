// SPDX-License-Identifier: Apache-2.0
// Hangs in the way that its first argument names, and writes a dump of it into the directory that
// the second names. Prints "DUMP path", "TEXT path" and "LINE n", the line that hangs.
// The thread that dumps may not allocate from then on: malloc blocks it for good (see kRefuse).
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

#include "daemon/dump/capture/capture.h"
#include "daemon/dump/capture/raw_dump.h"
#include "daemon/dump/helper_process.h"
#include "daemon/dump/live.h"
#include "runtime/beat.h"
#include "runtime/event.h"
#include "runtime/loop.h"
#include "runtime/task_group.h"
#include "runtime/thread_row.h"
#include "runtime/trace.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CANARY_SANITIZED 1
#endif
#endif

namespace {

std::atomic<bool> hung{false};
std::atomic<int> line{0};
std::atomic<int> victim{0};
thread_local bool may_not_allocate = false;
volatile std::uint64_t sink = 0;

}  // namespace

#ifndef CANARY_SANITIZED
extern "C" {
void* __libc_malloc(std::size_t);
void __libc_free(void*);
// As if another thread held the allocator's lock.
void* malloc(std::size_t size) {
  while (may_not_allocate) ::pause();
  return __libc_malloc(size);
}
void free(void* memory) {
  while (may_not_allocate) ::pause();
  __libc_free(memory);
}
}
#endif

namespace canary {

// On the line of what hangs.
#define HANGS_HERE() (::line.store(__LINE__), ::hung.store(true))

void stuck_in_sleep() {
  // What must not stay in a dump.
  char volatile secret[] = "token-hunter2";
  sink = static_cast<std::uint64_t>(secret[0]) * 0;
  timespec const long_time{3600, 0};
  HANGS_HERE();
  // A signal wakes it in spite of SA_RESTART.
  for (;;) ::line.store(__LINE__), ::nanosleep(&long_time, nullptr);
}

void stuck_in_mutex() {
  static std::mutex mutex;
  mutex.lock();
  HANGS_HERE(), mutex.lock();
}

void stuck_in_pipe_read() {
  int ends[2];
  if (::pipe(ends) != 0) std::abort();
  char byte = 0;
  HANGS_HERE(), void(::read(ends[0], &byte, 1));
}

inline __attribute__((always_inline)) void inlined_spin() {
  HANGS_HERE();
  for (;;) sink = sink + 1;
}
__attribute__((noinline)) void stuck_in_inlined_loop() { inlined_spin(); }

__attribute__((noinline)) void stuck_in_malloc() {
  for (std::size_t i = 1;; ++i) {
    HANGS_HERE();
    void* p = std::malloc(i % 4096 + 1);
    sink = reinterpret_cast<std::uintptr_t>(p);
    std::free(p);
  }
}

__attribute__((noinline)) void throws(int depth) {
  if (depth == 0) throw std::runtime_error("storm");
  throws(depth - 1);
  sink = sink + 1;
}
__attribute__((noinline)) void stuck_in_throw() {
  for (int i = 0;; ++i) {
    try {
      HANGS_HERE();
      throws(i % 20);
    } catch (std::exception const&) {
      sink = sink + 1;
    }
  }
}

__attribute__((noinline)) void stuck_in_vdso() {
  timespec now{};
  for (;;) HANGS_HERE(), ::clock_gettime(CLOCK_MONOTONIC, &now);
}

__attribute__((noinline)) void stuck_in_recursion(int depth) {
  volatile char room[512];
  room[0] = static_cast<char>(depth);
  if (depth > 0) {
    stuck_in_recursion(depth - 1);
  } else {
    timespec const long_time{3600, 0};
    HANGS_HERE();
    // A signal wakes it in spite of SA_RESTART.
    while (sink < 1) ::line.store(__LINE__), ::nanosleep(&long_time, nullptr);
  }
  sink = sink + static_cast<std::uint64_t>(room[0]);
}

void block_signals() {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

void stuck_with_signals_blocked() {
  block_signals();
  timespec const long_time{3600, 0};
  HANGS_HERE();
  // A signal wakes it in spite of SA_RESTART.
  for (;;) ::line.store(__LINE__), ::nanosleep(&long_time, nullptr);
}

__attribute__((noinline)) void stuck_spinning_with_signals_blocked() {
  block_signals();
  HANGS_HERE();
  // clang-format off
  for (;;) { ::line.store(__LINE__); sink = sink + 1; }
  // clang-format on
}

void stuck_in_condition() {
  std::mutex mutex;
  std::condition_variable condition;
  std::unique_lock lock{mutex};
  HANGS_HERE(), condition.wait(lock, [] { return false; });
}

void stuck_in_poll() {
  HANGS_HERE();
  for (;;) ::line.store(__LINE__), ::poll(nullptr, 0, -1);
}

// Holds the dynamic linker's lock.
int hang_in_linker(dl_phdr_info*, std::size_t, void*) {
  timespec const long_time{3600, 0};
  HANGS_HERE();
  // A signal wakes it in spite of SA_RESTART.
  while (sink < 1) ::line.store(__LINE__), ::nanosleep(&long_time, nullptr);
  return 0;
}
void stuck_in_linker() { ::dl_iterate_phdr(hang_in_linker, nullptr); }

__attribute__((noinline)) void stuck_in_dlopen() {
  for (;;) {
    HANGS_HERE();
    if (void* const handle = ::dlopen("libm.so.6", RTLD_NOW)) ::dlclose(handle);
  }
}

// A handler in a chain of coroutines.
runtime::Task<void> innermost(runtime::Trace trace) {
  runtime::Frame const frame{trace, "tuf.timestamp", "timestamp.json"};
  timespec const long_time{3600, 0};
  HANGS_HERE();
  // A signal wakes it in spite of SA_RESTART.
  for (;;) ::line.store(__LINE__), ::nanosleep(&long_time, nullptr);
  co_return;  // makes it a coroutine
}
runtime::Task<void> middle(runtime::Trace trace) {
  runtime::Frame const frame{trace, "tuf.refresh"};
  co_await runtime::sleep_until(frame.trace(), "http.read",
                                runtime::Deadline::after(std::chrono::milliseconds{300}));
  co_await innermost(frame.trace());
}

// One that has nothing to do with it.
runtime::Task<void> waits(runtime::Trace trace) {
  runtime::Frame const frame{trace, "http.get", "example.com"};
  co_await runtime::sleep_until(frame.trace(), "http.read",
                                runtime::Deadline::after(std::chrono::hours{1}));
}

struct Way {
  char const* name;
  void (*hang)();
};
constexpr Way kWays[] = {
    {"sleep", stuck_in_sleep},
    {"mutex", stuck_in_mutex},
    {"pipe_read", stuck_in_pipe_read},
    {"inlined_loop", stuck_in_inlined_loop},
    {"malloc", stuck_in_malloc},
    {"throw", stuck_in_throw},
    {"vdso", stuck_in_vdso},
    {"recursion", [] { stuck_in_recursion(200); }},
    {"signals_blocked", stuck_with_signals_blocked},
    {"spinning_signals_blocked", stuck_spinning_with_signals_blocked},
    {"condition", stuck_in_condition},
    {"poll", stuck_in_poll},
    {"linker", stuck_in_linker},
    {"dlopen", stuck_in_dlopen},
};

std::int64_t since_ns = 0;

void wait_until_hung() {
  while (!hung.load()) ::sched_yield();
  since_ns = runtime::now_ns();
  // Past the mark, and into the call: asleep, or some time on the processor.
  char const* const wanted = std::getenv("CANARY_STUCK_MS");
  long const ms = wanted == nullptr ? 50 : std::atol(wanted);
  timespec const moment{ms / 1000, ms % 1000 * 1'000'000};
  ::nanosleep(&moment, nullptr);
}

void write_dump(dump::RawDump& raw, std::string const& way, dump::HelperProcess& helper) {
  watchdog::Incident incident{.id = 12,
                              .subject = watchdog::Subject::loop,
                              .level = watchdog::Level::stalled,
                              .verdict = watchdog::Verdict::blocking_call,
                              .run = way == "coroutine" ? std::uint16_t{0} : runtime::kNoRun,
                              .thread = victim.load(),
                              .age_ns = runtime::now_ns() - since_ns};
  if (way != "coroutine") std::memcpy(incident.name.data(), way.data(), way.size());
  dump::DumpResult result;
  may_not_allocate = true;
  raw.start({.number = 12,
             .reason = "stalled",
             .incidents = {&incident, 1},
             .decided_ns = runtime::now_ns()});
  raw.sample(victim.load());
  result = raw.finish();
  bool const sent = helper.process() == 0 || helper.send(result.path.data());
  char text[1024];
  int const size =
      std::snprintf(text, sizeof text,
                    "DUMP %s\nTEXT %s\nLINE %d\nERROR %d\nSENT %d\nTABLES_MS %ld\nSTACK_MS %ld\n",
                    result.path.data(), result.text_path.data(), line.load(), result.error,
                    sent ? 1 : 0, result.tables_ns / 1'000'000, result.stack_ns / 1'000'000);
  if (::write(1, text, static_cast<std::size_t>(size)) != size) ::_exit(3);
}

int run(std::string const& way, std::string const& directory, char const* helper_program) {
  dump::install_capture();
  dump::prepare_threads();
  runtime::make_tables({.runs = 16, .operations = 64});
  dump::HelperProcess helper;
  dump::RawDump raw{{.directory = directory, .versions = "canaryd test\n"}};
  if (!raw.trouble().empty()) std::fprintf(stderr, "%s\n", raw.trouble().c_str());
  if (helper_program != nullptr) {
    std::string const trouble = helper.start({.program = helper_program, .runtime = directory});
    if (!trouble.empty()) {
      std::fprintf(stderr, "%s\n", trouble.c_str());
      return 3;
    }
  }
  if (way == "coroutine") {
    static runtime::Loop loop{{.runs = 16, .operations = 64}};
    static runtime::TaskGroup group{loop.executor()};
    loop.start();
    loop.post([] {
      victim.store(::gettid());
      auto const* const run = new runtime::RunTrace{"sigstore", runtime::Deadline::never()};
      auto const* const other = new runtime::RunTrace{"example", runtime::Deadline::never()};
      group.start(runtime::beat(std::chrono::milliseconds{10}));
      group.start(waits(other->trace()));
      group.start(middle(run->trace()));
    });
    wait_until_hung();
    write_dump(raw, way, helper);
    ::pause();
  }
  for (auto const& each : kWays) {
    if (way != each.name) continue;
    std::thread{[hang = each.hang] {
      runtime::ThreadRow row{runtime::ThreadRecord::cpu, "victim"};
      row.begin("hanging");
      victim.store(::gettid());
      hang();
    }}.detach();
    wait_until_hung();
    write_dump(raw, way, helper);
    ::pause();
  }
  std::fprintf(stderr, "no way is called %s\n", way.c_str());
  return 2;
}

}  // namespace canary

int main(int count, char** words) {
  if (count < 3) return 2;
  return canary::run(words[1], words[2], count > 3 ? words[3] : nullptr);
}
