// SPDX-License-Identifier: Apache-2.0
// Stops, ends, traces and sets computing each thread of canaryd in turn, at its default limits;
// then lets a handler compute without end under quotas. Two tables of what canaryd told and when.
//   threads_table [-j N] [NAME...]     exit code 1 where a thread is not told of as it should be
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/faults/threads.h"

namespace {

using canary::faults::KnownThread;
using canary::faults::Mischief;
using canary::faults::QuotaOutcome;
using canary::faults::ThreadOutcome;

struct Case {
  KnownThread const* thread;
  Mischief mischief;
  ThreadOutcome outcome;
};

std::string seconds(std::optional<double> const& seen) {
  if (!seen) return "-";
  char text[32];
  std::snprintf(text, sizeof text, "%.1f s", *seen);
  return text;
}

std::vector<Case> cases_of(std::set<std::string> const& names) {
  std::vector<Case> all;
  for (auto const mischief :
       {Mischief::stopped, Mischief::traced, Mischief::ended, Mischief::computes}) {
    for (auto const& thread : canary::faults::known_threads()) {
      if (thread.passing || (!names.empty() && !names.contains(thread.name))) continue;
      all.push_back({.thread = &thread, .mischief = mischief, .outcome = {}});
    }
  }
  return all;
}

void run(std::vector<Case>& cases, std::size_t at_once) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < at_once; ++i) {
    threads.emplace_back([&] {
      for (std::size_t at = 0; (at = next.fetch_add(1)) < cases.size();) {
        Case& each = cases[at];
        each.outcome = try_thread(*each.thread, each.mischief);
        std::lock_guard const lock{mutex};
        std::fprintf(stderr, "%-14s %-9s %s\n", each.thread->name.c_str(),
                     to_text(each.mischief).c_str(),
                     each.outcome.complaints.empty() ? "ok" : "WRONG");
        for (auto const& why : each.outcome.complaints) {
          std::fprintf(stderr, "    %s\n", why.c_str());
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

bool print(std::vector<Case>& cases) {
  std::ranges::sort(cases, std::less{},
                    [](Case const& each) { return std::pair{each.thread, each.mischief}; });
  bool wrong = false;
  std::printf("%-13s %-9s %8s %8s %8s  %s\n", "thread", "is", "metric", "log", "503", "end");
  for (auto const& each : cases) {
    bool const bad = !each.outcome.complaints.empty();
    wrong = wrong || bad;
    std::printf("%-13s %-9s %8s %8s %8s  %s%s\n", each.thread->name.c_str(),
                to_text(each.mischief).c_str(), seconds(each.outcome.metric).c_str(),
                seconds(each.outcome.line).c_str(), seconds(each.outcome.unhealthy).c_str(),
                each.outcome.end.c_str(), bad ? "  WRONG" : "");
  }
  return wrong;
}

bool quotas() {
  bool wrong = false;
  std::printf("\na handler computes without end\nquota   told after  ended after\n");
  for (int const percent : {2, 5, 10, 20, 50}) {
    QuotaOutcome const outcome = canary::faults::compute_under_quota(percent);
    std::printf("%3d %%   %10s  %11s%s%s\n", percent, seconds(outcome.told).c_str(),
                seconds(outcome.ended).c_str(), outcome.complaints.empty() ? "" : "  WRONG",
                outcome.unavailable.empty() ? "" : ("  not here: " + outcome.unavailable).c_str());
    std::fflush(stdout);
    for (auto const& why : outcome.complaints) std::fprintf(stderr, "    %s\n", why.c_str());
    wrong = wrong || !outcome.complaints.empty();
  }
  return wrong;
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t at_once = 4;
  std::set<std::string> names;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "-j") == 0 && i + 1 < argc) {
      at_once = static_cast<std::size_t>(std::max(1, std::atoi(argv[++i])));
    } else {
      names.insert(argv[i]);
    }
  }
  rlimit const no_core{.rlim_cur = 0, .rlim_max = 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  auto cases = cases_of(names);
  bool wrong = cases.empty() && !names.contains("quotas");
  run(cases, at_once);
  wrong = print(cases) || wrong;
  if (names.empty() || names.contains("quotas")) wrong = quotas() || wrong;
  return wrong ? 1 : 0;
}
