// SPDX-License-Identifier: Apache-2.0
#include "runtime/task_group.h"

#include <exception>
#include <list>
#include <vector>

#include <boost/asio/this_coro.hpp>

#include "runtime/contract.h"
#include "runtime/event.h"
#include "runtime/spawn.h"
#include "runtime/tables.h"

namespace canary::runtime {

struct TaskGroup::State {
  explicit State(Executor on) : executor(std::move(on)), changed(executor) {}

  void emit() {
    stopping = true;
    // Over a copy: a coroutine that ends at once takes its signal out of the list.
    std::vector<std::shared_ptr<asio::cancellation_signal>> const all{signals.begin(),
                                                                      signals.end()};
    for (auto const& signal : all) signal->emit(asio::cancellation_type::terminal);
  }

  Executor executor;
  Event changed;
  std::list<std::shared_ptr<asio::cancellation_signal>> signals;
  std::exception_ptr thrown;
  bool stopping = false;
};

TaskGroup::TaskGroup(Executor executor) : state_(std::make_shared<State>(std::move(executor))) {}

TaskGroup::~TaskGroup() {
  bool const taken_down =
      tables() == nullptr || tables()->loop().state.load() != LoopRecord::in_run;
  require(state_->signals.empty() || taken_down,
          "a TaskGroup is joined before it goes: its tasks use what its owner's frame holds");
}

void TaskGroup::start(Task<void> work) {
  require_loop_thread();
  auto const signal = std::make_shared<asio::cancellation_signal>();
  auto const place = state_->signals.insert(state_->signals.end(), signal);
  try {
    spawn(state_->executor, std::move(work), signal->slot(),
          [state = state_, place, signal](std::exception_ptr thrown) {
            state->signals.erase(place);
            if (thrown && !state->thrown && !(state->stopping && is_cancellation(thrown))) {
              state->thrown = thrown;
            }
            state->changed.notify();
          });
  } catch (...) {  // no memory: nothing was started, and nothing is waited for
    state_->signals.erase(place);
    throw;
  }
  if (state_->stopping) signal->emit(asio::cancellation_type::terminal);
}

void TaskGroup::request_stop() {
  require_loop_thread();
  state_->emit();
}

std::size_t TaskGroup::running() const { return state_->signals.size(); }

// REQUIRES: throw_if_cancelled(false). The cancellation of this coroutine is only noted meanwhile:
// passed on to the wait it would end it, ignored it would be lost.
Task<bool> TaskGroup::see_out(std::shared_ptr<State> state, Trace trace) {
  auto const before = co_await asio::this_coro::cancellation_state;
  bool cancelled = before.cancelled() != asio::cancellation_type::none;
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation(),
                                                     asio::disable_cancellation());
  state->emit();
  while (!state->signals.empty()) {
    co_await state->changed.wait_until(trace, "group.unwind", Deadline::never());
  }
  auto const after = co_await asio::this_coro::cancellation_state;
  cancelled = cancelled || after.cancelled() != asio::cancellation_type::none;
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  co_return cancelled;
}

Task<void> TaskGroup::until_fewer_than(std::size_t count, Trace trace) {
  require_loop_thread();
  auto const state = state_;
  bool const throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  bool cancelled = false;
  while (state->signals.size() >= count && !state->thrown && !cancelled) {
    bool const notified =
        co_await state->changed.wait_until(trace, "group.slot", Deadline::never());
    cancelled = !notified;
  }
  if (cancelled || state->thrown) cancelled = co_await see_out(state, trace);
  co_await asio::this_coro::throw_if_cancelled(throws);
  if (cancelled) throw_operation_aborted();
  if (state->thrown) std::rethrow_exception(std::exchange(state->thrown, nullptr));
}

Task<void> TaskGroup::join(Trace trace) { co_await join_until(Deadline::never(), trace); }

Task<bool> TaskGroup::join_until(Deadline deadline, Trace trace) {
  require_loop_thread();
  auto const state = state_;
  bool const throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  bool by_themselves = true;
  bool cancelled = false;
  while (!state->signals.empty() && by_themselves) {
    by_themselves = co_await state->changed.wait_until(trace, "group.join", deadline);
  }
  // The deadline passed, or this coroutine was cancelled.
  if (!by_themselves) cancelled = co_await see_out(state, trace);
  co_await asio::this_coro::throw_if_cancelled(throws);
  if (cancelled) throw_operation_aborted();
  if (state->thrown && by_themselves) {
    std::rethrow_exception(std::exchange(state->thrown, nullptr));
  }
  co_return by_themselves;
}

}  // namespace canary::runtime
