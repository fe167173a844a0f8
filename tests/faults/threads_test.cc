// SPDX-License-Identifier: Apache-2.0
// No thread of canaryd is forgotten: each has a row, by which the watchdog knows it, a place in the
// list of who watches whom, and is told of within ten seconds at the default limits.
// `./canary soak threads` does to each alone what this does to many at once, and more.
#include "tests/faults/threads.h"

#include <csignal>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "tests/faults/stage.h"
#include "tests/support/read_file.h"
#include "tests/support/sanitizer.h"

namespace canary::faults {
namespace {

using namespace std::chrono_literals;
// Of those that /proc has: the names of the ones without a row.
std::vector<std::string> without_a_row(Stage& stage) {
  auto const page = http_get(stage.address(), "/api/v1/executor", 3s).body;
  std::map<std::int64_t, bool> has_row;
  auto const state = boost::json::parse(page);
  for (auto const& each : state.as_object().at("threads").as_array()) {
    auto const& thread = each.as_object();
    has_row[thread.at("thread").to_number<std::int64_t>()] = thread.contains("kind");
  }
  std::vector<std::string> result;
  for (int const thread : stage.threads_called("")) {
    if (!has_row[thread]) result.push_back(stage.name_of(thread));
  }
  return result;
}

std::string list_of_threads() {
  std::string const text = support::read_file(CANARY_HANGS_DOCUMENT);
  auto const from = text.find("## Who watches whom");
  return from == std::string::npos ? "" : text.substr(from, text.find("\n## ", from + 1) - from);
}

TEST(Threads, HaveARowEach) {
  if (support::kThreadSanitizer) GTEST_SKIP() << "ThreadSanitizer has a thread of its own";
  Stage stage{{.fault = "none"}};
  stage.start();
  ASSERT_TRUE(stage.ready()) << stage.process().err();
  EXPECT_GE(stage.threads_called("").size(), 8U);
  std::vector<std::string> missing;
  // The HTTP server's take theirs when they are first asked.
  EXPECT_TRUE(wait_until(
      [&] {
        missing = without_a_row(stage);
        return missing.empty();
      },
      10s))
      << ::testing::PrintToString(missing);
}

TEST(Threads, AreAllKnownByName) {
  if (support::kSanitizer) GTEST_SKIP() << "a sanitizer and the shim each want to come first";
  Stage stage{{.watchdog = "", .shipped = true}};
  stage.start();
  ASSERT_TRUE(stage.ready()) << stage.process().err();
  // What a reload, a dump and a lost dump helper need for a while, too.
  stage.change_timeouts();
  stage.process().signal(SIGHUP);
  std::map<std::string, int> seen;
  bool const reloaded = wait_until(
      [&] {
        for (int const thread : stage.threads_called("")) ++seen[stage.name_of(thread)];
        return stage.process().err().find("configuration reloaded") != std::string::npos;
      },
      20s);
  EXPECT_TRUE(reloaded) << stage.process().err();
  EXPECT_TRUE(stage.dump());
  for (int const thread : stage.threads_called("")) ++seen[stage.name_of(thread)];
  seen.erase("");  // ended while it was looked at
  auto const list = list_of_threads();
  for (auto const& [name, times] : seen) {
    EXPECT_NE(known_thread(name), nullptr) << name << " is no thread of known_threads()";
  }
  for (auto const& thread : known_threads()) {
    if (!thread.passing) EXPECT_TRUE(seen.contains(thread.name)) << thread.name;
    bool const listed = list.find("`" + thread.name + "`") != std::string::npos;
    EXPECT_TRUE(listed) << thread.name << " is not in the list of docs/hangs.md";
  }
}

// Not the loop, the watchdog and the log, who are needed to tell of the others, nor the server.
TEST(Threads, ThatStandStillAtOnceAreToldOfInTimeAndRecover) {
  if (support::kSanitizer) GTEST_SKIP() << "a sanitizer and the shim each want to come first";
  Stage stage{{.watchdog = "", .shipped = true, .default_limits = true}};
  stage.start();
  ASSERT_TRUE(stage.ready()) << stage.process().err();
  std::vector<std::string> const names{"canaryd", "control", "emergency", "http-clients", "cpu",
                                       "disk",    "files",   "history",   "memory"};
  stage.shim().set(Call::signal, {.misdeed = Misdeed::hang});
  for (auto const& name : names) stage.shim().signal(thread_named(stage, name));
  auto const told = [&](std::string const& name) {
    return told_by_metric(stage.metrics(), *known_thread(name));
  };
  auto const named = [&](std::string const& name) {
    std::string const& row = name == "canaryd" ? "main" : name;
    std::string const log = stage.process().err();
    return log.find("name=" + row + " ") != std::string::npos ||  // idle, or with a file
           log.find("name=\"" + row + " ") != std::string::npos;
  };
  for (auto const& name : names) {
    EXPECT_TRUE(wait_until([&] { return told(name) && named(name); }, 12s)) << name;
  }
  if (HasFailure()) std::printf("%s", stage.process().err().c_str());
  EXPECT_EQ(http_get(stage.address(), "/-/healthy", 3s).status, 503);
  stage.shim().clear_all();
  for (auto const& name : names) EXPECT_TRUE(wait_until([&] { return !told(name); }, 20s)) << name;
  EXPECT_TRUE(
      wait_until([&] { return http_get(stage.address(), "/-/healthy", 3s).status == 200; }, 20s));
  stage.process().signal(SIGTERM);
  EXPECT_EQ(stage.process().exit_code(), 0) << stage.process().err();
}

}  // namespace
}  // namespace canary::faults
