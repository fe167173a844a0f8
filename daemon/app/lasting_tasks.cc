// SPDX-License-Identifier: Apache-2.0
#include "daemon/app/lasting_tasks.h"

#include <exception>
#include <utility>

#include "runtime/contract.h"
#include "runtime/limits.h"

namespace canary::daemon {

struct LastingTasks::State {
  Ended ended;
  bool may_end = false;
};

LastingTasks::LastingTasks(runtime::Executor executor, Ended ended)
    : state_(std::make_shared<State>(std::move(ended))), tasks_(std::move(executor)) {}

void LastingTasks::start(std::string task, runtime::Task<void> work) {
  tasks_.start(keep(state_, std::move(task), std::move(work)));
}

void LastingTasks::may_end() {
  runtime::require_loop_thread();
  state_->may_end = true;
}

void LastingTasks::request_stop() {
  may_end();
  tasks_.request_stop();
}

runtime::Task<void> LastingTasks::join() { co_await tasks_.join({}); }

runtime::Task<void> LastingTasks::keep(std::shared_ptr<State> state, std::string task,
                                       runtime::Task<void> work) {
  std::string why = "it returned";
  std::exception_ptr thrown;
  try {
    co_await std::move(work);
  } catch (std::exception const& failed) {
    why = runtime::explain(failed);
    thrown = std::current_exception();
  } catch (...) {
    why = "it threw what is no std::exception";
    thrown = std::current_exception();
  }
  if (!state->may_end) state->ended(task, why);
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace canary::daemon
