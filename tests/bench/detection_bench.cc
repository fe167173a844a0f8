// SPDX-License-Identifier: Apache-2.0
// How soon a stall is noticed, how soon its tables and its stack are in a dump, and how soon the
// dump can be read with functions and lines, over many stalls of a real loop:
//   detection_bench [STALLS]
// In turn they sleep and compute, either with all signals blocked as well, and wait
// uninterruptibly. The watchdog runs with its shipped pace and a threshold of 300 ms. Each stall
// has a watchdog and a dump helper of its own, which know no symbol yet. Exits with 1 where a dump
// does not name the culprit's function and line, or an aim is missed at the 99th percentile.
// Thread: main; the stalls are the loop's.
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <boost/json.hpp>

#include "daemon/dump/capture/capture.h"
#include "daemon/dump/capture/raw_dump.h"
#include "daemon/dump/helper_process.h"
#include "daemon/watchdog/watchdog.h"
#include "runtime/beat.h"
#include "runtime/block_on.h"
#include "runtime/event.h"
#include "runtime/loop.h"
#include "runtime/spawn.h"
#include "runtime/task_group.h"
#include "tests/support/read_file.h"

// What the loop does meanwhile: these names are looked for in the dumps.
namespace stuck {

using Release = std::atomic<bool> const&;
using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kAtMost{5};

[[gnu::noinline]] void sleeps(Release release) {
  auto const limit = Clock::now() + kAtMost;
  while (!release.load(std::memory_order_relaxed) && Clock::now() < limit) {
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
}

[[gnu::noinline]] void computes(Release release) {
  auto const limit = Clock::now() + kAtMost;
  while (!release.load(std::memory_order_relaxed) && Clock::now() < limit) {
  }
}

// A thread that takes no signal.
struct Deaf {
  Deaf() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, &before);
  }
  ~Deaf() { ::pthread_sigmask(SIG_SETMASK, &before, nullptr); }
  Deaf(Deaf const&) = delete;
  Deaf& operator=(Deaf const&) = delete;
  sigset_t before{};
};

[[gnu::noinline]] void sleeps_deaf(Release release) {
  Deaf const deaf;
  sleeps(release);
}

[[gnu::noinline]] void computes_deaf(Release release) {
  Deaf const deaf;
  computes(release);
}

std::atomic<bool> const* child_release = nullptr;

// Runs in memory that it shares with its parent, on a stack of its own, and not for long.
[[noreturn]] void child() {
  timespec const pause{.tv_sec = 0, .tv_nsec = 1'000'000};
  for (int i = 0; i < 5'000 && !child_release->load(std::memory_order_relaxed); ++i) {
    ::syscall(SYS_nanosleep, &pause, nullptr);
  }
  ::syscall(SYS_exit_group, 0);
  std::abort();
}

// As a thread of a device that does not answer: it waits for a child that never calls exec, which
// only a fatal signal interrupts.
[[gnu::noinline]] void waits_uninterruptibly(Release release) {
  child_release = &release;
  alignas(16) static std::array<std::uintptr_t, 8'192> stack;
  // The child comes out of syscall(2) by its return instruction; a function is entered with the
  // stack 8 bytes off a multiple of 16.
  std::uintptr_t* const top = stack.data() + stack.size() - 4;
  *top = reinterpret_cast<std::uintptr_t>(&child);
  long const process =
      ::syscall(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, top, nullptr, nullptr, 0);
  while (process > 0 && ::waitpid(static_cast<pid_t>(process), nullptr, 0) < 0 && errno == EINTR) {
  }
}

struct Kind {
  char const* function;
  char const* meaning;
  void (*get)(Release);
};
constexpr std::array kKinds{
    Kind{"sleeps", "sleeps", &sleeps},
    Kind{"computes", "computes", &computes},
    Kind{"sleeps_deaf", "sleeps, signals blocked", &sleeps_deaf},
    Kind{"computes_deaf", "computes, signals blocked", &computes_deaf},
    Kind{"waits_uninterruptibly", "waits uninterruptibly", &waits_uninterruptibly},
};

}  // namespace stuck

namespace {

using namespace canary;
using namespace std::chrono_literals;
using stuck::Clock;
namespace fs = std::filesystem;

constexpr auto kThreshold = 300ms;

double milliseconds(std::int64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e6; }

// Writes a dump, has the helper told, and keeps what it took.
struct Recorder {
  Recorder(dump::RawDump& to, std::string const& directory) : raw(to) {
    auto const trouble = helper.start({.program = "", .runtime = directory, .state = ""});
    if (!trouble.empty()) throw std::runtime_error(trouble);
  }

  watchdog::Dumper dumper() {
    return {.self = this,
            .start =
                [](void* self, watchdog::DumpOrder const& order) {
                  auto& recorder = *static_cast<Recorder*>(self);
                  recorder.decided_ns.store(order.decided_ns);
                  return recorder.raw.start({.number = order.number,
                                             .reason = order.reason,
                                             .incidents = order.incidents,
                                             .decided_ns = order.decided_ns});
                },
            .sample =
                [](void* self, std::int32_t thread) {
                  return static_cast<Recorder*>(self)->raw.sample(thread);
                },
            .finish =
                [](void* self, watchdog::PathText& path) {
                  auto& recorder = *static_cast<Recorder*>(self);
                  recorder.result = recorder.raw.finish();
                  path = recorder.result.path;
                  recorder.helper.send(std::string_view{path.data()});
                  recorder.done.store(true);
                  return recorder.result.written ? 0 : EIO;
                },
            .poll = nullptr};
  }

  dump::RawDump& raw;
  dump::HelperProcess helper;
  std::atomic<std::int64_t> decided_ns{0};
  dump::DumpResult result;        // once done
  std::atomic<bool> done{false};  // written and handed over
};

struct Figures {
  std::vector<double> noticed, tables, stack, readable;
};

// `aim` at the 99th percentile; 0: none. Is it kept?
bool print(char const* what, std::vector<double> values, double aim) {
  if (values.empty()) return true;
  std::ranges::sort(values);
  auto const at = [&](double share) {
    return values[std::min(values.size() - 1,
                           static_cast<std::size_t>(share * static_cast<double>(values.size())))];
  };
  bool const kept = aim == 0 || at(0.99) <= aim;
  std::printf("  %-38s p50 %6.1f  p99 %6.1f  worst %6.1f", what, at(0.5), at(0.99), values.back());
  if (aim != 0) std::printf("  aim %5.0f%s", aim, kept ? "" : "  MISSED");
  std::printf("\n");
  return kept;
}

// Waits in small steps; false where it does not come.
template <class Done>
bool wait_for(std::chrono::milliseconds limit, Done const& done) {
  auto const until = Clock::now() + limit;
  while (!done()) {
    if (Clock::now() > until) return false;
    std::this_thread::sleep_for(500us);
  }
  return true;
}

// Does the text name the function with its file and a line?
bool named_in_text(std::string const& text, std::string_view function) {
  std::string_view const place = "detection_bench.cc:";
  for (auto at = text.find(place); at != std::string::npos; at = text.find(place, at + 1)) {
    auto const begin = text.rfind('\n', at) + 1;
    auto const line = std::string_view{text}.substr(begin, text.find('\n', at) - begin);
    if (line.find(function) != std::string_view::npos) return true;
  }
  return false;
}

// When the stack was taken that names the function with a line, in milliseconds from the decision;
// negative where there is none.
double stack_taken(std::string const& object, std::string_view function) {
  auto const document = boost::json::parse(object);
  for (auto const& stack : document.at("stacks").as_array()) {
    for (auto const& frame : stack.at("frames").as_array()) {
      auto const& name = frame.at("function");
      if (!name.is_string() || !frame.at("line").is_number()) continue;
      if (std::string_view{name.as_string()}.find(function) == std::string_view::npos) continue;
      return stack.at("taken_seconds").to_number<double>() * 1e3;
    }
  }
  return -1;
}

runtime::Task<void> beating() { co_await runtime::beat(100ms); }

class Bench {
 public:
  Bench() : raw_({.directory = directory_ + "/dumps", .versions = "bench", .log_lines = nullptr}) {
    settings_.loop_suspect = 100ms;
    settings_.loop_stall = kThreshold;
    loop_.start();
    runtime::spawn(loop_.executor(), beating(), signal_.slot(), [](std::exception_ptr const&) {});
  }
  ~Bench() {
    loop_.post([this] { signal_.emit(runtime::asio::cancellation_type::terminal); });
    loop_.stop();
    loop_.join();
    std::error_code ignored;
    fs::remove_all(directory_, ignored);
  }
  Bench(Bench const&) = delete;
  Bench& operator=(Bench const&) = delete;

  // Why it is no stall that was noticed and can be read; empty where it is.
  std::string stall(stuck::Kind const& kind, int number, Figures& figures) {
    Recorder recorder{raw_, directory_ + "/dumps"};
    watchdog::Watchdog watchdog{
        {.settings = settings_, .memory_directory = directory_, .dumper = recorder.dumper()}};
    watchdog.ready();
    std::this_thread::sleep_for(500ms + 7ms * (number % 25));  // anywhere between two ticks
    std::atomic<bool> release{false};
    std::atomic<std::int64_t> began{0};
    loop_.post([&] {
      began.store(runtime::now_ns());
      kind.get(release);
    });
    auto const trouble = follow(recorder, watchdog.record(), kind, began, figures);
    release.store(true);
    runtime::block_on(loop_, runtime::sleep_until({}, "bench.turn", runtime::Deadline::after(1ms)),
                      runtime::Deadline::after(10s));
    watchdog.stopping(10s);
    return trouble;
  }

 private:
  std::string follow(Recorder& recorder, watchdog::Record const& record, stuck::Kind const& kind,
                     std::atomic<std::int64_t> const& began, Figures& figures) {
    auto const& stalls = record.stalls[static_cast<std::size_t>(watchdog::Subject::loop)]
                                      [static_cast<std::size_t>(watchdog::Level::stalled)];
    if (!wait_for(5s, [&] { return stalls.load() > 0; })) return "not noticed within 5 s";
    auto const noticed = runtime::now_ns();
    bool const readable = wait_for(4s, [&] {
      recorder.helper.poll();
      return recorder.done.load() && recorder.helper.finished() > 0;
    });
    auto const read = runtime::now_ns();
    if (!recorder.done.load()) return "no dump within 4 s";
    if (!readable) return "the helper did not finish the dump within 4 s";
    fs::path const path{recorder.result.path.data()};
    auto const text = support::read_file(fs::path{path}.replace_extension(".txt"));
    auto const taken =
        stack_taken(support::read_file(fs::path{path}.replace_extension(".json")), kind.function);
    if (taken < 0 || !named_in_text(text, kind.function)) {
      return std::string{"the dump does not name "} + kind.function + ":\n" + text;
    }
    auto const decided = recorder.decided_ns.load();
    figures.noticed.push_back(milliseconds(noticed - began.load() - kThreshold / 1ns));
    figures.tables.push_back(milliseconds(recorder.result.tables_ns));
    figures.stack.push_back(std::max(taken, milliseconds(recorder.result.stack_ns)));
    figures.readable.push_back(milliseconds(read - decided));
    return {};
  }

  static std::string make_directory() {
    char pattern[] = "/tmp/canaryd-detection-XXXXXX";
    char const* const made = ::mkdtemp(pattern);
    if (made == nullptr) throw std::runtime_error("no temporary directory");
    runtime::make_tables({});
    dump::install_capture();
    return made;
  }

  std::string directory_ = make_directory();
  dump::RawDump raw_;
  config::WatchdogSettings settings_;
  runtime::Loop loop_;
  runtime::asio::cancellation_signal signal_;
};

bool report(std::array<Figures, stuck::kKinds.size()> const& figures) {
  Figures all;
  auto const show = [&](char const* what, std::vector<double> Figures::* part) {
    std::printf("%s, ms\n", what);
    for (std::size_t i = 0; i < figures.size(); ++i) {
      auto const& values = figures[i].*part;
      print(stuck::kKinds[i].meaning, values, 0);
      (all.*part).insert((all.*part).end(), values.begin(), values.end());
    }
  };
  show("noticed, after the threshold", &Figures::noticed);
  show("tables in the dump, from the decision", &Figures::tables);
  show("the stuck thread's stack taken, from the decision", &Figures::stack);
  show("readable with functions and lines, from the decision", &Figures::readable);
  std::printf("all %zu stalls, threshold %d ms, ms\n", all.noticed.size(),
              static_cast<int>(kThreshold / 1ms));
  bool kept = print("noticed, after the threshold", all.noticed, 110);
  kept = print("tables in the dump, from the decision", all.tables, 50) && kept;
  kept = print("stack taken, from the decision", all.stack, 250) && kept;
  return print("readable, from the decision", all.readable, 1'000) && kept;
}

}  // namespace

int main(int argc, char** argv) {
  int const stalls = argc > 1 ? std::atoi(argv[1]) : 200;
  std::array<Figures, stuck::kKinds.size()> figures;
  int unseen = 0;
  {
    Bench bench;
    for (int i = 0; i < stalls; ++i) {
      std::size_t const kind = static_cast<std::size_t>(i) % figures.size();
      auto const trouble = bench.stall(stuck::kKinds[kind], i, figures[kind]);
      while (::waitpid(-1, nullptr, WNOHANG) > 0) {  // helpers that have ended
      }
      if ((i + 1) % 25 == 0) std::printf("%d of %d stalls\n", i + 1, stalls), std::fflush(stdout);
      if (trouble.empty()) continue;
      ++unseen;
      std::printf("stall %d (%s): %s\n", i, stuck::kKinds[kind].meaning, trouble.c_str());
    }
  }
  bool const kept = report(figures);
  if (unseen > 0) std::printf("%d stalls could not be read in a dump\n", unseen);
  return kept && unseen == 0 && stalls > 0 ? 0 : 1;
}
