// SPDX-License-Identifier: Apache-2.0
// A window that runs ahead of the walk.
// Thread: loop.
#include "probes/tuf/prefetch.h"

#include <algorithm>
#include <utility>

#include <boost/asio/this_coro.hpp>

#include "runtime/contract.h"

namespace canary::tuf {

runtime::Task<std::optional<FetchResult<FetchedFile>>> Prefetch::take(std::string role,
                                                                      std::string queue,
                                                                      runtime::Trace trace) {
  runtime::require_loop_thread();
  auto const executor = co_await runtime::asio::this_coro::executor;
  ++queues_[queue].walked;
  start_next(queue, executor, trace);
  auto const found = downloads_.find(role);
  if (found == downloads_.end()) co_return std::nullopt;
  std::shared_ptr<Download> const download = found->second;
  if (!download->ended && spare_.take()) ++extra_;
  while (!download->ended) {
    co_await download->changed.wait_until(trace, "tuf.prefetch", runtime::Deadline::never());
  }
  downloads_.erase(role);
  --queues_[download->queue].outstanding;
  start_next(queue, executor, trace);
  co_return std::move(download->answer);
}

void Prefetch::start_next(std::string const& queue, runtime::Executor executor,
                          runtime::Trace trace) {
  Queue& state = queues_[queue];
  state.next = std::max(state.next, state.walked - 1);
  std::uint64_t const end = state.walked + kLookAhead;
  while (state.outstanding < ahead_ + extra_ && state.next < end && left_ > 0) {
    std::optional<std::string> next = order_(queue, state.next);
    if (!next) return;
    ++state.next;
    std::string role = std::move(*next);
    // Known from elsewhere, or nothing to ask for: the walk sees to it.
    bool const pointless =
        role.size() > RunBudget{}.name || refresh_.trusted().targets(role) != nullptr ||
        refresh_.trusted().expected(role) == nullptr || downloads_.contains(role);
    if (pointless) continue;
    auto const download_to = std::make_shared<Download>(queue, executor);
    downloads_.emplace(role, download_to);
    bool const extra = ++state.outstanding > ahead_;
    --left_;
    std::size_t const most = extra ? kExtraBytes : refresh_.trusted().size_limit(role);
    group_.start(download(std::move(role), most, download_to, trace));
  }
}

runtime::Task<void> Prefetch::download(std::string role, std::size_t most,
                                       std::shared_ptr<Download> to, runtime::Trace trace) {
  runtime::require_loop_thread();
  struct End {
    Download& download;
    ~End() {
      download.ended = true;
      download.changed.notify();
    }
  };
  End const end{*to};  // nobody waits for a download that was thrown out of
  bool const whole = most >= refresh_.trusted().size_limit(role);
  auto answer = co_await refresh_.fetch_role(std::move(role), most, trace);
  bool const too_long = !whole && !answer && answer.error().own_limit;
  if (!too_long) to->answer.emplace(std::move(answer));
}

}  // namespace canary::tuf
