// SPDX-License-Identifier: Apache-2.0
#include "runtime/cancel_listener.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include <boost/asio/posix/descriptor_base.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>

#include "runtime/contract.h"
#include "runtime/trace.h"

namespace canary::runtime {
namespace {

void cancel_those_asked_for(CancelRun const& cancel) {
  auto const runs = tables()->runs();
  for (std::size_t i = 0; i < runs.size(); ++i) {
    RunRecord const& run = runs[i];
    if (run.state.load(std::memory_order_relaxed) != RunRecord::running) continue;
    auto const generation = run.generation.load(std::memory_order_relaxed);
    if (run.ask_cancel.load(std::memory_order_acquire) != generation) continue;
    cancel(static_cast<std::uint16_t>(i), generation);
  }
}

}  // namespace

Task<void> listen_for_cancels(int descriptor, CancelRun cancel) {
  require_loop_thread();
  RunTrace const run{"cancel", Deadline::never(), RunRecord::service};
  auto const executor = co_await asio::this_coro::executor;
  int const own = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  if (own < 0) throw std::system_error(errno, std::generic_category(), "cancels: no descriptor");
  using Descriptor = asio::posix::basic_stream_descriptor<Executor>;
  Descriptor readable{executor, own};
  while (true) {
    auto const [error] =
        co_await readable.async_wait(Descriptor::wait_read, wait(run.trace(), "cancel.wanted"));
    if (error) co_return;
    std::uint64_t count = 0;
    [[maybe_unused]] auto const ignored = ::read(own, &count, sizeof count);
    cancel_those_asked_for(cancel);
  }
}

}  // namespace canary::runtime
