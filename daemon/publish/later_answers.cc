// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/later_answers.h"

#include <exception>
#include <utility>

namespace canary::daemon {
namespace {

// No memory to say more.
HttpAnswer lost() {
  return {.status = 503, .content_type = "text/plain; charset=utf-8", .body = {}};
}

}  // namespace

bool LaterAnswers::ask(Later later, std::function<void()> const& accepted, Ready ready,
                       runtime::Clock::time_point now) {
  std::lock_guard const lock{mutex_};
  if (closed_ || waiting_.size() >= kMostWaiting) return false;
  waiting_.push_back({.later = std::move(later), .ready = std::move(ready), .since = now});
  accepted();
  return true;
}

void LaterAnswers::look(runtime::Clock::time_point now) {
  std::lock_guard const lock{mutex_};
  for (auto each = waiting_.begin(); each != waiting_.end();) {
    std::optional<HttpAnswer> answer;
    try {
      answer = each->later.look();
    } catch (std::exception const&) {
      answer = lost();
    }
    if (!answer && now - each->since >= each->later.limit) answer = std::move(each->later.too_late);
    if (!answer) {
      ++each;
      continue;
    }
    each->ready(std::move(*answer));
    each = waiting_.erase(each);
  }
}

void LaterAnswers::close() {
  std::lock_guard const lock{mutex_};
  closed_ = true;
  for (auto& each : waiting_) each.ready(std::move(each.later.too_late));
  waiting_.clear();
}

}  // namespace canary::daemon
