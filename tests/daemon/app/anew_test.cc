// SPDX-License-Identifier: Apache-2.0
// A process that was started anew in place, and the children of the program before.
#include "daemon/app/anew.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace canary::daemon {
namespace {

// A child that sleeps: in a session of its own, as programs of probes; or in ours and in a process
// group of its own, as the dump helper.
pid_t sleeper(bool own_session) {
  int ready[2];
  if (::pipe(ready) != 0) return -1;
  pid_t const child = ::fork();
  if (child == 0) {
    own_session ? ::setsid() : ::setpgid(0, 0);
    ::close(ready[0]);
    ::close(ready[1]);  // the other side sees that it is where it should be
    while (true) ::pause();
  }
  ::close(ready[1]);
  char byte = 0;
  EXPECT_EQ(::read(ready[0], &byte, 1), 0);
  ::close(ready[0]);
  return child;
}

class Anew : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists("/proc/thread-self/children")) {
      GTEST_SKIP() << "this kernel has no list of children";
    }
    ::setenv("CANARYD_ANEW", "1", 1);
  }
  ~Anew() override { ::unsetenv("CANARYD_ANEW"); }
};

TEST_F(Anew, EndsAndReapsTheProgramsOfProbes) {
  pid_t const plugin = sleeper(true);
  put_right_what_was_before();
  EXPECT_EQ(::kill(plugin, 0), -1);
  EXPECT_EQ(errno, ESRCH) << "not even a zombie is left";
}

TEST_F(Anew, LeavesTheDumpHelperItsTime) {
  pid_t const helper = sleeper(false);
  put_right_what_was_before();  // it waits in vain
  EXPECT_EQ(::waitpid(helper, nullptr, WNOHANG), 0) << "it lives";
  ::kill(helper, SIGKILL);
  EXPECT_EQ(::waitpid(helper, nullptr, 0), helper);
}

TEST(AnewElsewhere, TouchesNobodysChildren) {
  ::unsetenv("CANARYD_ANEW");
  pid_t const child = sleeper(true);
  put_right_what_was_before();
  EXPECT_EQ(::waitpid(child, nullptr, WNOHANG), 0);
  ::kill(child, SIGKILL);
  EXPECT_EQ(::waitpid(child, nullptr, 0), child);
}

}  // namespace
}  // namespace canary::daemon
