// SPDX-License-Identifier: Apache-2.0
#include "runtime/task_group.h"

#include <cassert>
#include <exception>
#include <list>
#include <vector>

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include "runtime/event.h"
#include "runtime/spawn.h"

namespace canary::runtime {
namespace {

[[noreturn]] void throw_cancelled() {
  throw boost::system::system_error{asio::error::operation_aborted};
}

}  // namespace

bool is_cancellation(std::exception_ptr const& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (boost::system::system_error const& error) {
    return error.code() == asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}

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

// A coroutine frame destroyed with the loop may leave tasks behind, which the loop destroys too.
TaskGroup::~TaskGroup() = default;

void TaskGroup::start(Task<void> work) {
  auto const signal = std::make_shared<asio::cancellation_signal>();
  auto const place = state_->signals.insert(state_->signals.end(), signal);
  spawn(state_->executor, std::move(work), signal->slot(),
        [state = state_, place, signal](std::exception_ptr thrown) {
          state->signals.erase(place);
          if (thrown && !state->thrown && !(state->stopping && is_cancellation(thrown))) {
            state->thrown = thrown;
          }
          state->changed.notify();
        });
  if (state_->stopping) signal->emit(asio::cancellation_type::terminal);
}

void TaskGroup::request_stop() { state_->emit(); }

std::size_t TaskGroup::running() const { return state_->signals.size(); }

Task<void> TaskGroup::until_fewer_than(std::size_t count, Trace trace) {
  auto const state = state_;
  while (state->signals.size() >= count && !state->thrown) {
    co_await state->changed.wait_until(trace, "group.slot", Deadline::never());
  }
  if (state->thrown) std::rethrow_exception(std::exchange(state->thrown, nullptr));
}

Task<void> TaskGroup::join(Trace trace) { co_await join_until(Deadline::never(), trace); }

Task<bool> TaskGroup::join_until(Deadline deadline, Trace trace) {
  auto const state = state_;
  bool const throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  bool cancelled = false;
  bool by_themselves = true;
  while (!state->signals.empty()) {
    bool const notified = co_await state->changed.wait_until(
        trace, "group.join", by_themselves ? deadline : Deadline::never());
    if (notified || !by_themselves) continue;
    // The deadline passed, or this coroutine was cancelled: stop the tasks and see them out.
    by_themselves = false;
    auto const cancellation = co_await asio::this_coro::cancellation_state;
    cancelled = cancellation.cancelled() != asio::cancellation_type::none;
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    state->emit();
  }
  if (!by_themselves) {
    co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  }
  co_await asio::this_coro::throw_if_cancelled(throws);
  if (cancelled) throw_cancelled();
  if (state->thrown && by_themselves) {
    std::rethrow_exception(std::exchange(state->thrown, nullptr));
  }
  co_return by_themselves;
}

}  // namespace canary::runtime
