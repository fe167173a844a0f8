// SPDX-License-Identifier: Apache-2.0
// A task of the daemon that ends before the daemon does is told by name, with its reason.
#include "daemon/app/lasting_tasks.h"

#include <optional>
#include <stdexcept>
#include <vector>

#include <gmock/gmock.h>

#include "runtime/event.h"
#include "tests/runtime/running_loop.h"

namespace canary::daemon {
namespace {

using runtime::Deadline;
using runtime::Task;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Lasting : public ::testing::Test {
 protected:
  ~Lasting() override { running_.block_on(end()); }

  // Starts the task and waits until one was told of.
  Task<void> until_told(std::string task, Task<void> work) {
    co_await serve(std::move(task), std::move(work));
    while (told_.empty()) {
      co_await runtime::sleep_until({}, "test.told", Deadline::after(std::chrono::milliseconds{1}));
    }
  }
  Task<void> serve(std::string task, Task<void> work) {
    if (!tasks_) {
      tasks_.emplace(running_.executor(), [this](std::string_view which, std::string_view why) {
        told_.push_back(std::string{which} + ": " + std::string{why});
      });
    }
    tasks_->start(std::move(task), std::move(work));
    co_return;
  }
  Task<void> stop() {
    tasks_->request_stop();
    co_await tasks_->join();
  }
  // What a task threw comes out of join(), once.
  Task<void> end() {
    if (!tasks_) co_return;
    try {
      co_await stop();
    } catch (...) {
      ++thrown_;
    }
    tasks_.reset();
  }

  static Task<void> returns() { co_return; }
  static Task<void> throws() {
    throw std::runtime_error("no descriptor");
    co_return;
  }
  static Task<void> throws_a_number() {
    throw 4711;
    co_return;
  }
  static Task<void> waits() {
    co_await runtime::sleep_until({}, "test.forever", Deadline::never());
  }

  runtime::RunningLoop running_;
  std::optional<LastingTasks> tasks_;
  std::vector<std::string> told_;
  int thrown_ = 0;
};

TEST_F(Lasting, ThatReturnsIsTold) {
  running_.block_on(until_told("cancel", returns()));
  EXPECT_THAT(told_, ElementsAre("cancel: it returned"));
}

TEST_F(Lasting, ThatThrowsIsToldWithTheText) {
  running_.block_on(until_told("scheduler", throws()));
  EXPECT_THAT(told_, ElementsAre("scheduler: no descriptor"));
}

TEST_F(Lasting, ThatThrowsAnythingElseIsToldAsWell) {
  running_.block_on(until_told("beat", throws_a_number()));
  EXPECT_THAT(told_, ElementsAre("beat: it threw what is no std::exception"));
}

TEST_F(Lasting, MayEndOnceTheDaemonStops) {
  running_.block_on(serve("describe", waits()));
  running_.block_on(stop());
  EXPECT_THAT(told_, IsEmpty());
}

TEST_F(Lasting, MayEndByItselfWhileTheDaemonStops) {
  running_.block_on(serve("scheduler", waits()));
  auto leave = [](LastingTasks& tasks) -> Task<void> {
    tasks.may_end();
    co_return;
  };
  running_.block_on(leave(*tasks_));
  running_.block_on(serve("state", returns()));
  running_.block_on(stop());
  EXPECT_THAT(told_, IsEmpty());
}

}  // namespace
}  // namespace canary::daemon
