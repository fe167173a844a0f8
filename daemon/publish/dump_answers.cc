// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/dump_answers.h"

#include <exception>
#include <list>
#include <mutex>
#include <optional>
#include <utility>

#include "runtime/aside.h"

namespace canary::daemon {

using runtime::Clock;

struct DumpAnswers::State {
  struct Waiting {
    Ready ready;
    Clock::time_point since;
  };

  explicit State(Make with) : make(std::move(with)) {}

  void run() noexcept {
    Text text;
    try {
      text = std::make_shared<std::string const>(make(stop.get_token()));
    } catch (std::exception const&) {
      text = nullptr;  // no memory: those who wait get what can be said without a dump
    }
    std::lock_guard const lock{mutex};
    began.reset();
    let_go([](Waiting const&) { return true; }, text);
  }

  // REQUIRES: the lock, so that nobody is called who has been let go by close().
  template <class Whom>
  void let_go(Whom const& whom, Text const& text) {
    for (auto each = waiting.begin(); each != waiting.end();) {
      if (!whom(*each)) {
        ++each;
        continue;
      }
      each->ready(text);
      each = waiting.erase(each);
    }
  }

  Make const make;
  std::stop_source stop;
  std::mutex mutex;  // held for moments
  std::list<Waiting> waiting;
  std::optional<Clock::time_point> began;  // the dump that is being made
  bool closed = false;
  std::shared_ptr<runtime::AsideCall> call;  // of the last one
};

DumpAnswers::DumpAnswers(Make make) : state_(std::make_shared<State>(std::move(make))) {}

DumpAnswers::~DumpAnswers() { close(); }

DumpAnswers::Taken DumpAnswers::ask(std::function<void()> const& accepted, Ready ready,
                                    Clock::time_point now) {
  auto& state = *state_;
  std::lock_guard const lock{state.mutex};
  if (state.closed) return Taken::refused;
  if (state.began && now - *state.began >= kPatience) return Taken::stands_still;
  if (state.waiting.size() >= kMostWaiting) return Taken::too_many;
  state.waiting.push_back({.ready = std::move(ready), .since = now});
  if (!state.began) {
    try {
      state.call = runtime::AsideCall::start("dump", [state = state_] { state->run(); });
    } catch (...) {
      state.waiting.pop_back();
      return Taken::refused;
    }
    state.began = now;
  }
  accepted();
  return Taken::waits;
}

void DumpAnswers::look(Clock::time_point now) {
  std::lock_guard const lock{state_->mutex};
  state_->let_go([now](auto const& each) { return now - each.since >= kPatience; }, nullptr);
}

void DumpAnswers::close() {
  {
    std::lock_guard const lock{state_->mutex};
    state_->closed = true;
    state_->let_go([](auto const&) { return true; }, nullptr);
  }
  state_->stop.request_stop();
}

bool DumpAnswers::wait_for_end(runtime::Deadline deadline) {
  std::shared_ptr<runtime::AsideCall> call;
  {
    std::lock_guard const lock{state_->mutex};
    call = state_->call;
  }
  return !call || call->wait(deadline, {});
}

}  // namespace canary::daemon
