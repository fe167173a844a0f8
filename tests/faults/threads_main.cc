// SPDX-License-Identifier: Apache-2.0
// Stops, ends, traces and sets computing each thread of canaryd in turn, at its default limits;
// then lets a handler compute without end under quotas. Two tables of what canaryd told and when.
//   threads_table [-j N] [NAME...] [quotas]     exit code 1 where a thread is not told of as it
//                                               should be
#include <algorithm>
#include <cstdio>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/faults/table_arguments.h"
#include "tests/faults/threads.h"

namespace {

using canary::faults::KnownThread;
using canary::faults::Mischief;
using canary::faults::QuotaOutcome;
using canary::faults::TableArguments;
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

std::vector<Case> cases_of(TableArguments const& given) {
  std::vector<Case> all;
  for (auto const mischief :
       {Mischief::stopped, Mischief::traced, Mischief::ended, Mischief::computes}) {
    for (auto const& thread : canary::faults::known_threads()) {
      if (thread.passing || !given.wanted(thread.name)) continue;
      all.push_back({.thread = &thread, .mischief = mischief, .outcome = {}});
    }
  }
  return all;
}

void run(std::vector<Case>& cases, std::size_t at_once) {
  std::mutex mutex;
  canary::faults::for_each_row(cases.size(), at_once, [&](std::size_t at) {
    Case& each = cases[at];
    each.outcome = try_thread(*each.thread, each.mischief);
    std::lock_guard const lock{mutex};
    std::fprintf(stderr, "%-14s %-9s %s\n", each.thread->name.c_str(),
                 to_text(each.mischief).c_str(), each.outcome.complaints.empty() ? "ok" : "WRONG");
    for (auto const& why : each.outcome.complaints) {
      std::fprintf(stderr, "    %s\n", why.c_str());
    }
  });
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
  auto const given = canary::faults::parse_arguments(argc, argv, 4);
  canary::faults::leave_no_core_files();
  bool const with_quotas = given.wanted("quotas");
  auto cases = cases_of(given);
  if (cases.empty() && !with_quotas) {
    std::fprintf(stderr, "threads_table: there is no such thread, and it is not \"quotas\"\n");
    return 2;
  }
  run(cases, given.at_once);
  bool wrong = print(cases);
  if (with_quotas) wrong = quotas() || wrong;
  return wrong ? 1 : 0;
}
