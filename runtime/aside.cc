// SPDX-License-Identifier: Apache-2.0
#include "runtime/aside.h"

#include <atomic>
#include <thread>

#include "runtime/thread_row.h"

namespace canary::runtime {
namespace {

std::atomic<std::size_t> at_work{0};

}  // namespace

std::size_t calls_left() { return at_work.load(std::memory_order_acquire); }

std::shared_ptr<AsideCall> AsideCall::start(char const* name, std::function<void()> work) {
  auto call = std::make_shared<AsideCall>();
  at_work.fetch_add(1, std::memory_order_acq_rel);
  try {
    std::thread{[call, name, work = std::move(work)]() mutable {
      {
        ThreadRow row{ThreadRecord::main, name};
        call->run(std::move(work));
        row.leave();
      }
      at_work.fetch_sub(1, std::memory_order_acq_rel);
    }}.detach();
  } catch (...) {
    at_work.fetch_sub(1, std::memory_order_acq_rel);
    throw;
  }
  return call;
}

void AsideCall::run(std::function<void()> work) noexcept {
  std::exception_ptr thrown;
  try {
    work();
  } catch (...) {
    thrown = std::current_exception();
  }
  work = nullptr;  // what it owned goes here, not with whoever waits
  {
    std::lock_guard const lock{mutex_};
    ended_ = true;
    thrown_ = thrown;
  }
  changed_.notify_all();
}

bool AsideCall::wait(Deadline deadline, std::stop_token stop) {
  std::unique_lock lock{mutex_};
  auto const ended = [this] { return ended_; };
  if (deadline == Deadline::never()) return changed_.wait(lock, std::move(stop), ended);
  return changed_.wait_until(lock, std::move(stop), deadline.point(), ended);
}

bool AsideCall::ended() const {
  std::lock_guard const lock{mutex_};
  return ended_;
}

void AsideCall::rethrow() const {
  std::lock_guard const lock{mutex_};
  if (thrown_) std::rethrow_exception(thrown_);
}

}  // namespace canary::runtime
