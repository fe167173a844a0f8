// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/inject.h"

#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/event.h"

namespace canary::faults {
namespace {

using runtime::Deadline;
using runtime::Task;
using namespace std::chrono_literals;

std::string variable(char const* name) {
  char const* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// Paths are made once: begins() may be called while the allocator is locked.
struct Files {
  std::string const folder = variable("CANARY_FAULT_DIR");
  std::string const trigger = folder + "/trigger", started = folder + "/started",
                    fresh = folder + "/started.new";
};
Files const& files() {
  static Files const all;
  return all;
}

bool triggered() { return ::access(files().trigger.c_str(), F_OK) == 0; }

Fault chosen_fault() {
  std::map<std::string, Fault> faults;
  add_loop_faults(faults);
  add_lock_faults(faults);
  add_run_faults(faults);
  add_thread_faults(faults);
  add_process_faults(faults);
  std::string const name = variable("CANARY_FAULT");
  auto const found = faults.find(name);
  if (found == faults.end()) throw std::runtime_error("no fault is called \"" + name + "\"");
  return found->second;
}

// Healthy for a little less than the interval, so that a trigger is noticed within 20 ms.
Task<void> wait_for_trigger(runtime::Trace trace) {
  auto const until = Deadline::after(700ms);
  while (!until.passed() && !triggered()) {
    co_await runtime::sleep_until(trace, "victim.healthy", Deadline::after(20ms));
    trace.progress();
  }
}

Task<void> run_victim(Hands hands, Fault fault) {
  static bool done = false;
  auto real_run = hands.real(hands.spec, hands.deadline, hands.trace, *hands.report);
  co_await std::move(real_run);
  if (done) co_return;
  co_await wait_for_trigger(hands.trace);
  if (!triggered()) co_return;
  done = variable("CANARY_FAULT_AGAIN").empty();
  runtime::Frame const frame{hands.trace, "victim.fault"};
  hands.trace = frame.trace();
  hands.report->findings.clear();
  if (auto const* const loop_fault = std::get_if<LoopFault>(&fault)) {
    (*loop_fault)(hands);
    co_return;
  }
  auto work = std::get<RunFault>(fault)(std::move(hands));
  co_await std::move(work);
}

Task<void> run_one(daemon::RunProbe real, daemon::AppParts parts, Fault fault,
                   config::ProbeSpec spec, Deadline deadline, runtime::Trace trace,
                   probes::Report* report) {
  if (spec.name.text != "victim") {
    auto real_run = real(std::move(spec), deadline, trace, *report);
    co_await std::move(real_run);
    co_return;
  }
  Hands hands{.parts = parts,
              .real = std::move(real),
              .spec = std::move(spec),
              .deadline = deadline,
              .trace = trace,
              .report = report,
              .span = std::chrono::milliseconds{std::atoi(variable("CANARY_FAULT_MS").c_str())},
              .url = variable("CANARY_FAULT_URL"),
              .path = variable("CANARY_FAULT_PATH")};
  auto work = run_victim(std::move(hands), fault);
  co_await std::move(work);
}

}  // namespace

void begins() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  char text[32];
  int const size = std::snprintf(text, sizeof text, "%lld",
                                 static_cast<long long>(now.tv_sec) * 1'000'000'000 + now.tv_nsec);
  int const output = ::open(files().fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (output < 0) return;
  [[maybe_unused]] auto const written = ::write(output, text, static_cast<std::size_t>(size));
  ::close(output);
  ::rename(files().fresh.c_str(), files().started.c_str());
}

std::chrono::steady_clock::time_point end_of(Hands const& hands) {
  return std::chrono::steady_clock::now() + (hands.span == 0ms ? 24h : hands.span);
}

void never_waited_for(runtime::Workers::Job<bool> job) {
  static auto* const kept = new std::vector<runtime::Workers::Job<bool>>;  // for the process's life
  kept->push_back(std::move(job));
}

void later(std::chrono::milliseconds span, std::function<void()> what) {
  if (span == 0ms) return;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread{[span, what = std::move(what)] {
    std::this_thread::sleep_for(span);
    what();
  }}.detach();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

daemon::RunProbe around_runs(daemon::RunProbe real, daemon::AppParts parts) {
  return
      [real = std::move(real), parts, fault = chosen_fault()](
          config::ProbeSpec spec, Deadline deadline, runtime::Trace trace, probes::Report& report) {
        return run_one(real, parts, fault, std::move(spec), deadline, trace, &report);
      };
}

}  // namespace canary::faults
