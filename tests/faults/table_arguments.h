// SPDX-License-Identifier: Apache-2.0
// What the programs that print a table are told, and how they go through its rows.
// Thread: main.
#pragma once

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace canary::faults {

struct TableArguments {  // [-j N] [NAME...]
  std::size_t at_once;
  std::set<std::string> names{};  // none: all

  bool wanted(std::string const& name) const { return names.empty() || names.contains(name); }
};

inline TableArguments parse_arguments(int argc, char** argv, std::size_t at_once) {
  TableArguments given{.at_once = at_once};
  for (int i = 1; i < argc; ++i) {
    if (std::string_view{argv[i]} == "-j" && i + 1 < argc) {
      given.at_once = static_cast<std::size_t>(std::max(1, std::atoi(argv[++i])));
    } else {
      given.names.insert(argv[i]);
    }
  }
  return given;
}

// Of the processes that are started from now on.
inline void leave_no_core_files() {
  rlimit const none{.rlim_cur = 0, .rlim_max = 0};
  ::setrlimit(RLIMIT_CORE, &none);
}

// Calls `work` with each number below `count`, so many at once.
inline void for_each_row(std::size_t count, std::size_t at_once,
                         std::function<void(std::size_t)> const& work) {
  std::atomic<std::size_t> next{0};
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < std::min(at_once, count); ++i) {
    threads.emplace_back([&] {
      for (std::size_t row = 0; (row = next.fetch_add(1)) < count;) work(row);
    });
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace canary::faults
