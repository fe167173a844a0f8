// SPDX-License-Identifier: Apache-2.0
// Clients that wait for an answer that comes later, such as a reload's: they hold no thread of the
// server, and there is a most of them.
// Thread: any.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <mutex>

#include "daemon/publish/routes.h"
#include "runtime/deadline.h"

namespace canary::daemon {

class LaterAnswers {
 public:
  static constexpr std::size_t kMostWaiting = 32;

  // Called once, and must not throw nor wait.
  using Ready = std::function<void(HttpAnswer)>;
  // `accepted` is called before anybody can call `ready`. False where too many wait, or the server
  // stops: neither is called then.
  bool ask(Later later, std::function<void()> const& accepted, Ready ready,
           runtime::Clock::time_point now);
  // Lets those go whose answer is there or does not come in time. Every quarter of a second or so.
  void look(runtime::Clock::time_point now);
  // Everybody goes, and nobody is taken any more. Idempotent.
  void close();

 private:
  struct Waiting {
    Later later;
    Ready ready;
    runtime::Clock::time_point since;
  };
  std::mutex mutex_;  // held while it is looked whether an answer is there
  std::list<Waiting> waiting_;
  bool closed_ = false;
};

}  // namespace canary::daemon
