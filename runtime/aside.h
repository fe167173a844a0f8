// SPDX-License-Identifier: Apache-2.0
// One call that may never return (a file on a frozen disk, a lock, another process), on a thread of
// its own: whoever waits for it waits for as long as it wants, and then leaves it alone.
// Thread: any but the loop's.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>

#include "runtime/deadline.h"

namespace canary::runtime {

// The part of Aside that is no template.
class AsideCall {
 public:
  // `name` (at most 15 bytes) is the thread's. Throws std::system_error where there is none to be
  // had. What `work` throws is kept.
  static std::shared_ptr<AsideCall> start(char const* name, std::function<void()> work);

  // True once the call has ended; false when the deadline passes or `stop` is requested before.
  bool wait(Deadline deadline, std::stop_token stop);
  bool ended() const;
  void rethrow() const;  // REQUIRES: ended()

 private:
  void run(std::function<void()> work) noexcept;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  bool ended_ = false;
  std::exception_ptr thrown_;
};

// Calls that nobody waits for any more and that have not returned. A program that has any ends by
// _exit(2): they use what its end would destroy.
std::size_t calls_left();

// The call goes on for as long as it lives, whoever has gone: it owns all that it touches.
template <class T>
class Aside {
 public:
  template <class F>
  Aside(char const* name, F work) : result_(std::make_shared<std::optional<T>>()) {
    auto const shared = std::make_shared<F>(std::move(work));
    call_ = AsideCall::start(name, [shared, result = result_] { result->emplace((*shared)()); });
  }
  bool wait(Deadline deadline, std::stop_token stop = {}) {
    return call_->wait(deadline, std::move(stop));
  }
  bool ended() const { return call_->ended(); }
  // What it returned, or throws what it threw. REQUIRES: ended(); once.
  T take() {
    call_->rethrow();
    return std::move(**result_);
  }

 private:
  std::shared_ptr<std::optional<T>> result_;
  std::shared_ptr<AsideCall> call_;
};

}  // namespace canary::runtime
