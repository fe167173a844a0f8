// SPDX-License-Identifier: Apache-2.0
// The same behind canaryd's back: Asio's own poll() inside a handler. Nobody could catch an
// exception there, so the process ends at once (SIGABRT), saying both places.
#include <boost/asio/execution/context.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>

#include "tests/refusals/case.h"

namespace asio = boost::asio;

int main() {
  canary::runtime::Loop loop;
  loop.start();
  return canary::refusals::expect_refusal_on_loop(loop, [&loop] {
    auto& context = asio::query(loop.executor(), asio::execution::context);
    asio::post(loop.executor(), [] {});
    static_cast<asio::io_context&>(context).poll();
  });
}
