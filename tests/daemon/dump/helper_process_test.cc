// SPDX-License-Identifier: Apache-2.0
#include "daemon/dump/helper_process.h"

#include <sys/stat.h>

#include <fstream>
#include <span>

#include <gmock/gmock.h>

#include "daemon/dump/helper/work.h"
#include "daemon/dump/read/document.h"
#include "daemon/dump/read/unread.h"
#include "daemon/dump/render/render.h"
#include "runtime/tables.h"
#include "tests/daemon/dump/stuck_child.h"
#include "tests/support/read_file.h"

namespace canary::dump {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// What stuck_program.cc has on the stack that sleeps.
bool holds_secret(std::string const& raw) { return raw.find("hunter2") != std::string::npos; }

// Asks until the helper has answered; a minute at most.
bool answered(HelperProcess& helper) {
  for (int i = 0; i < 6'000 && helper.finished() + helper.failed() == 0; ++i) {
    helper.poll();
    ::usleep(10'000);
  }
  return helper.finished() > 0;
}

TEST(HelperProcess, MakesTextAndJsonBesideTheDumpAndCopiesThem) {
  TempDirectory const runtime, state;
  StuckChild child{{CANARY_STUCK_PROGRAM, "sleep", runtime.path()}};
  auto values = child.read_until("STACK_MS");
  HelperProcess helper;
  ASSERT_THAT(helper.start({.program = CANARY_DUMP_HELPER,
                            .runtime = runtime.path(),
                            .state = state.path() + "/dumps"}),
              IsEmpty());

  ASSERT_TRUE(holds_secret(support::read_file(values["DUMP"])));

  bool const sent = helper.send(values["DUMP"]);

  EXPECT_TRUE(sent);
  ASSERT_TRUE(answered(helper));
  EXPECT_THAT(support::read_file(values["TEXT"]), HasSubstr("stuck_in_sleep"));
  std::string const kept = state.path() + "/dumps/stall-000012-loop";
  EXPECT_THAT(support::read_file(kept + ".txt"), HasSubstr("stuck_in_sleep"));
  EXPECT_THAT(support::read_file(kept + ".json"), HasSubstr("stuck_in_sleep"));
  struct stat status{};
  ASSERT_EQ(::stat((kept + ".raw").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
}

// An interpreter is handed the program's name and opens it itself: a shell, and qemu where the
// kernel hands it programs of another architecture.
TEST(HelperProcess, MayBeAProgramThatAnInterpreterOpensByName) {
  TempDirectory const runtime;
  std::string const script = runtime.path() + "/helper";
  std::ofstream{script} << "#!/bin/sh\nexec " CANARY_DUMP_HELPER " \"$@\"\n";
  ASSERT_EQ(::chmod(script.c_str(), 0700), 0);
  StuckChild child{{CANARY_STUCK_PROGRAM, "sleep", runtime.path()}};
  auto values = child.read_until("STACK_MS");
  std::signal(SIGPIPE, SIG_IGN);  // as the daemon does
  HelperProcess helper;
  ASSERT_THAT(helper.start({.program = script, .runtime = runtime.path()}), IsEmpty());

  bool const sent = helper.send(values["DUMP"]);

  EXPECT_TRUE(sent);
  EXPECT_TRUE(answered(helper)) << "alive: " << helper.alive();
  EXPECT_THAT(support::read_file(values["TEXT"]), HasSubstr("stuck_in_sleep"));
}

// Where the runtime directory was emptied, numbers begin anew.
TEST(HelperProcess, KeepsAnOlderDumpOfTheSameName) {
  TempDirectory const runtime, state;
  std::ofstream{state.path() + "/stall-000012-loop.json"} << "an older one";
  StuckChild child{{CANARY_STUCK_PROGRAM, "sleep", runtime.path()}};
  auto values = child.read_until("STACK_MS");
  HelperProcess helper;
  ASSERT_THAT(
      helper.start(
          {.program = CANARY_DUMP_HELPER, .runtime = runtime.path(), .state = state.path()}),
      IsEmpty());

  helper.send(values["DUMP"]);

  ASSERT_TRUE(answered(helper));
  EXPECT_EQ(support::read_file(state.path() + "/stall-000012-loop.json"), "an older one");
  EXPECT_THAT(support::read_file(state.path() + "/stall-000012-loop-2.txt"),
              HasSubstr("stuck_in_sleep"));
}

TEST(HelperProcess, IsStartedByTheStuckProgramAndSurvivesItsAbort) {
  TempDirectory const runtime;
  std::map<std::string, std::string> values;
  {
    StuckChild child{{CANARY_STUCK_PROGRAM, "mutex", runtime.path(), CANARY_DUMP_HELPER}};
    values = child.read_until("STACK_MS");
    ::kill(child.process(), SIGABRT);
  }

  std::string const json = runtime.path() + "/stall-000012-loop.json";
  for (int i = 0; i < 6'000 && !std::filesystem::exists(json); ++i) ::usleep(10'000);

  EXPECT_EQ(values["SENT"], "1");
  EXPECT_THAT(support::read_file(json), HasSubstr("stuck_in_mutex"));
}

TEST(HelperProcess, FinishesWhatAnEarlierOneLeft) {
  TempDirectory const runtime;
  {
    StuckChild child{{CANARY_STUCK_PROGRAM, "sleep", runtime.path()}};
    child.read_until("STACK_MS");
  }
  HelperProcess helper;

  ASSERT_THAT(helper.start({.program = CANARY_DUMP_HELPER, .runtime = runtime.path()}), IsEmpty());

  std::string const json = runtime.path() + "/stall-000012-loop.json";
  for (int i = 0; i < 6'000 && !std::filesystem::exists(json); ++i) ::usleep(10'000);
  EXPECT_THAT(support::read_file(json), HasSubstr("stuck_in_sleep"));
}

TEST(HelperProcess, SaysWhichProgramIsMissing) {
  HelperProcess helper;

  std::string const trouble = helper.start({.program = "/nowhere/helper", .runtime = "/tmp"});

  EXPECT_THAT(trouble, HasSubstr("/nowhere/helper"));
  EXPECT_FALSE(helper.alive());
  EXPECT_FALSE(helper.send("/tmp/x.raw"));
}

TEST(HelperProcess, FailsADumpThatIsNotThere) {
  TempDirectory const runtime;
  HelperProcess helper;
  ASSERT_THAT(helper.start({.program = CANARY_DUMP_HELPER, .runtime = runtime.path()}), IsEmpty());

  helper.send(runtime.path() + "/none.raw");

  EXPECT_FALSE(answered(helper));
  EXPECT_EQ(helper.failed(), 1U);
}

constexpr std::int64_t kSecond = 1'000'000'000;

TEST(HelperProcess, IsStartedAnewWhereItHasDied) {
  TempDirectory const runtime;
  HelperProcess helper;
  ASSERT_THAT(helper.start({.program = CANARY_DUMP_HELPER, .runtime = runtime.path()}), IsEmpty());
  std::int64_t const now = runtime::now_ns() + 11 * kSecond;
  EXPECT_THAT(helper.look_after(now), IsEmpty()) << "it lives";
  StuckChild child{{CANARY_STUCK_PROGRAM, "sleep", runtime.path()}};
  auto values = child.read_until("STACK_MS");
  ::kill(helper.process(), SIGKILL);
  while (helper.alive()) ::usleep(1'000);

  EXPECT_THAT(helper.look_after(now),
              HasSubstr("the dump helper was ended by signal 9; started anew"));

  EXPECT_EQ(helper.restarts(), 1U);
  std::string const json = runtime.path() + "/stall-000012-loop.json";
  for (int i = 0; i < 6'000 && !std::filesystem::exists(json); ++i) ::usleep(10'000);
  EXPECT_THAT(support::read_file(json), HasSubstr("stuck_in_sleep"))
      << "what the dead one left undone";
  EXPECT_TRUE(helper.send(values["DUMP"])) << "by the same descriptor";
  EXPECT_THAT(helper.look_after(now + kSecond), IsEmpty());
}

TEST(HelperProcess, IsNotStartedTooOften) {
  TempDirectory const runtime;
  HelperProcess helper;
  ASSERT_THAT(helper.start({.program = CANARY_DUMP_HELPER, .runtime = runtime.path()}), IsEmpty());
  ::kill(helper.process(), SIGKILL);
  while (helper.alive()) ::usleep(1'000);

  EXPECT_THAT(helper.look_after(runtime::now_ns() + kSecond), IsEmpty());

  EXPECT_EQ(helper.restarts(), 0U);
}

TEST(HelperProcess, IsKilledAndStartedAnewWhereItHangs) {
  TempDirectory const runtime;
  StuckChild child{{CANARY_STUCK_PROGRAM, "sleep", runtime.path()}};
  auto values = child.read_until("STACK_MS");
  HelperProcess helper;
  ASSERT_THAT(helper.start({.program = CANARY_DUMP_HELPER, .runtime = "/nowhere"}), IsEmpty());
  ::kill(helper.process(), SIGSTOP);
  ASSERT_TRUE(helper.send(values["DUMP"]));
  std::int64_t const now = runtime::now_ns();
  EXPECT_THAT(helper.look_after(now + 59 * kSecond), IsEmpty()) << "it may take a minute";

  EXPECT_THAT(helper.look_after(now + 61 * kSecond),
              HasSubstr("did not answer for 60 s and was killed; started anew"));

  EXPECT_TRUE(helper.alive());
}

TEST(HelperProcess, ThatCannotBeStartedIsTriedAgain) {
  HelperProcess helper;
  helper.start({.program = "/nowhere/helper", .runtime = "/tmp"});

  std::string const told = helper.look_after(runtime::now_ns() + 11 * kSecond);

  EXPECT_THAT(told, HasSubstr("the dump helper is not there; cannot start"));
  EXPECT_THAT(told, HasSubstr("/nowhere/helper"));
  EXPECT_EQ(helper.restarts(), 0U);
}

// As an upgrade of the package does it.
TEST(HeldFiles, NameFunctionsOfAProgramThatWasReplacedUnderIt) {
  TempDirectory const place;
  std::string const program = place.path() + "/program";
  std::filesystem::copy_file(CANARY_STUCK_PROGRAM, program);
  StuckChild child{{program, "sleep", place.path()}};
  auto values = child.read_until("STACK_MS");
  Work with{{}}, without{{}};
  with.hold_files_of(child.process());
  std::filesystem::copy_file("/bin/true", program + ".new");
  std::filesystem::rename(program + ".new", program);

  EXPECT_THAT(render_text(with.read(values["DUMP"])), HasSubstr("stuck_in_sleep"));
  EXPECT_THAT(render_text(without.read(values["DUMP"])), Not(HasSubstr("stuck_in_sleep")));
}

TEST(UnreadDumps, AreFewAndLoseTheirStacksAfterAMinute) {
  TempDirectory const runtime;
  StuckChild child{{CANARY_STUCK_PROGRAM, "sleep", runtime.path()}};
  auto const dump = std::filesystem::path{child.read_until("STACK_MS")["DUMP"]};
  auto const hour_ago = std::filesystem::file_time_type::clock::now() - std::chrono::hours{1};
  for (int i = 0; i < 3; ++i) {
    auto const older = runtime.path() + "/stall-00000" + std::to_string(i) + "-loop.raw";
    std::filesystem::copy_file(dump, older);
    std::filesystem::last_write_time(older, hour_ago + std::chrono::minutes{i});
  }

  auto const outcome = bound_unread_dumps(runtime.path(), {.keep = 3});

  EXPECT_EQ(outcome.removed, 1U);
  EXPECT_EQ(outcome.without_stacks, 2U);
  EXPECT_FALSE(std::filesystem::exists(runtime.path() + "/stall-000000-loop.raw"));
  EXPECT_FALSE(holds_secret(support::read_file(runtime.path() + "/stall-000001-loop.raw")));
  EXPECT_TRUE(holds_secret(support::read_file(dump))) << "a helper may still read it";
  EXPECT_EQ(bound_unread_dumps(runtime.path(), {.keep = 3}).without_stacks, 0U) << "done once";
}

}  // namespace
}  // namespace canary::dump
