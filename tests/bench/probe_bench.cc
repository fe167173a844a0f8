// SPDX-License-Identifier: Apache-2.0
// What an HTTP probe over loopback costs in CPU time, with tracking and frames and without:
//   probe_bench URL    a small file, over a kept connection and over a new one each time
// Built twice from this source and the product's own: with the hook as shipped, and with one that
// does nothing (bare/). run_tracking.sh runs the two in turn and prints the differences.
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>

#include <boost/asio/this_coro.hpp>

#include "runtime/block_on.h"
#include "runtime/trace.h"
#include "tests/bench/http_world.h"

namespace {

using namespace canary;
using World = bench::HttpWorld;

constexpr int kRounds = 3;
constexpr int kRequests = 4'000;

// Of all threads, kernel included: requests wait for the server, so the wall tells of it.
double cpu_ns() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  auto const ns = [](timeval time) {
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_usec) * 1e3;
  };
  return ns(used.ru_utime) + ns(used.ru_stime);
}

runtime::Task<void> get(fetch::Client& client, config::Url url, runtime::Trace trace) {
  runtime::Frame const frame{trace, "bench.get"};
  fetch::Request request{std::move(url), 1024 * 1024};
  auto const response =
      co_await client.get(std::move(request), runtime::Deadline::never(), frame.trace());
  if (!response) throw std::runtime_error(response.error().message);
}

runtime::Task<void> kept(World& world, config::Url url, runtime::Trace trace) {
  auto const executor = co_await boost::asio::this_coro::executor;
  fetch::Client client{executor, world.settings, world.services};
  for (int i = 0; i < kRequests; ++i) co_await get(client, url, trace);
}

runtime::Task<void> connecting(World& world, config::Url url, runtime::Trace trace) {
  auto const executor = co_await boost::asio::this_coro::executor;
  for (int i = 0; i < kRequests; ++i) {
    fetch::Client client{executor, world.settings, world.services};
    co_await get(client, url, trace);
  }
}

runtime::Task<void> measure(World& world, config::Url url) {
#ifdef CANARY_BARE
  runtime::Trace const trace;
#else
  runtime::RunTrace const run{"bench", runtime::Deadline::never()};
  runtime::Trace const trace = run.trace();
#endif
  for (int round = 0; round < kRounds; ++round) {
    double began = cpu_ns();
    co_await kept(world, url, trace);
    std::printf("get_kept %.1f\n", (cpu_ns() - began) / kRequests);
    began = cpu_ns();
    co_await connecting(world, url, trace);
    std::printf("get_connecting %.1f\n", (cpu_ns() - began) / kRequests);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: probe_bench URL\n");
    return 2;
  }
  World world;
  world.loop.start();
  runtime::block_on(world.loop, measure(world, config::Url::parse(argv[1]).value()),
                    runtime::Deadline::after(std::chrono::minutes{5}));
}
