// SPDX-License-Identifier: Apache-2.0
#include "daemon/dump/helper_process.h"

#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <span>

#include <gmock/gmock.h>

#include "daemon/dump/document.h"
#include "tests/daemon/dump/stuck_child.h"

namespace canary::dump {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string file_text(std::string const& path) {
  std::ifstream file{path};
  return {std::istreambuf_iterator<char>{file}, {}};
}

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

  ASSERT_TRUE(holds_secret(file_text(values["DUMP"])));

  bool const sent = helper.send(values["DUMP"]);

  EXPECT_TRUE(sent);
  ASSERT_TRUE(answered(helper));
  EXPECT_THAT(file_text(values["TEXT"]), HasSubstr("stuck_in_sleep"));
  std::string const kept = state.path() + "/dumps/stall-000012-loop";
  EXPECT_THAT(file_text(kept + ".txt"), HasSubstr("stuck_in_sleep"));
  EXPECT_THAT(file_text(kept + ".json"), HasSubstr("stuck_in_sleep"));
  struct stat status{};
  ASSERT_EQ(::stat((kept + ".raw").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
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
  EXPECT_EQ(file_text(state.path() + "/stall-000012-loop.json"), "an older one");
  EXPECT_THAT(file_text(state.path() + "/stall-000012-loop-2.txt"), HasSubstr("stuck_in_sleep"));
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
  EXPECT_THAT(file_text(json), HasSubstr("stuck_in_mutex"));
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
  EXPECT_THAT(file_text(json), HasSubstr("stuck_in_sleep"));
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

}  // namespace
}  // namespace canary::dump
