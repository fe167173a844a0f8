// SPDX-License-Identifier: Apache-2.0
// Sentences for limits. What a program does with them is in tests/e2e/limits_test.cc.
#include "runtime/limits.h"

#include <sys/resource.h>

#include <cerrno>
#include <new>
#include <stdexcept>
#include <system_error>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace canary::runtime {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// Puts a soft limit back at its end.
class SoftLimit {
 public:
  SoftLimit(__rlimit_resource_t resource, rlim_t value) : resource_(resource) {
    ::getrlimit(resource_, &before_);
    rlimit const now{.rlim_cur = value, .rlim_max = before_.rlim_max};
    EXPECT_EQ(::setrlimit(resource_, &now), 0);
  }
  ~SoftLimit() { ::setrlimit(resource_, &before_); }
  SoftLimit(SoftLimit const&) = delete;
  SoftLimit& operator=(SoftLimit const&) = delete;
  rlimit const& before() const { return before_; }

 private:
  __rlimit_resource_t resource_;
  rlimit before_{};
};

TEST(Explain, NamesTheLimitThatWasReachedAndItsValue) {
  SoftLimit const files{RLIMIT_NOFILE, 200};
  EXPECT_EQ(explain(EMFILE),
            "Too many open files: no more descriptors may be open (RLIMIT_NOFILE 200)");
  SoftLimit const size{RLIMIT_FSIZE, 4096};
  EXPECT_EQ(explain(EFBIG), "File too large: no file may grow further (RLIMIT_FSIZE 4096)");
}

TEST(Explain, LeavesOtherErrorsAsTheyAre) {
  EXPECT_EQ(explain(ENOENT), "No such file or directory");
}

TEST(Explain, KnowsWhatThreadsAndMemoryLackByWhatWasThrown) {
  std::system_error const no_thread{EAGAIN, std::generic_category(), "no thread"};
  EXPECT_THAT(explain(no_thread), HasSubstr("no more threads or processes can be started"));
  EXPECT_THAT(explain(std::bad_alloc{}), StartsWith("there is no more memory"));
  EXPECT_EQ(explain(std::runtime_error{"as it was told"}), "as it was told");
}

TEST(RaiseDescriptorLimit, RaisesTheSoftLimitToTheHardOne) {
  SoftLimit const files{RLIMIT_NOFILE, 64};
  auto const hard = files.before().rlim_max;
  EXPECT_EQ(raise_descriptor_limit(), hard);
  rlimit now{};
  ::getrlimit(RLIMIT_NOFILE, &now);
  EXPECT_EQ(now.rlim_cur, hard);
}

}  // namespace
}  // namespace canary::runtime
