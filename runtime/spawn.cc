// SPDX-License-Identifier: Apache-2.0
#include "runtime/spawn.h"

#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace canary::runtime {
namespace {

// The hop gives every coroutine a first handler of its own, so that branches started side by side
// do not show up as one inside the other.
Task<void> begin(Task<void> work) {
  asio::use_awaitable_t<Executor> const token{__FILE__, __LINE__, "begin"};
  co_await asio::post(token);
  co_await std::move(work);
}

}  // namespace

void spawn(Executor executor, Task<void> work, asio::cancellation_slot cancellation,
           std::function<void(std::exception_ptr)> done) {
  asio::co_spawn(executor, begin(std::move(work)),
                 asio::bind_cancellation_slot(cancellation, std::move(done)));
}

}  // namespace canary::runtime
