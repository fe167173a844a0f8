// SPDX-License-Identifier: Apache-2.0
#include "runtime/dns_query.h"

#include <ares.h>

#include <algorithm>
#include <memory>
#include <utility>

#include <boost/asio/this_coro.hpp>

#include "runtime/cancellation.h"
#include "runtime/contract.h"
#include "runtime/dns_channel.h"

namespace canary::runtime {
namespace {

constexpr int kTries = 2;
constexpr std::chrono::milliseconds kLeastTry{20};

struct Reply {
  DnsChannel* channel = nullptr;
  bool done = false;
  int status = ARES_SUCCESS;
  std::string message;

  static void take(void* self, int status, int, unsigned char* data, int size) {
    auto& reply = *static_cast<Reply*>(self);
    reply.done = true;
    reply.status = status;
    if (data != nullptr && size > 0) {
      reply.message.assign(reinterpret_cast<char const*>(data), static_cast<std::size_t>(size));
    }
    reply.channel->changed.notify();
  }
};

ResolveFault fault_of(std::string const& server, Reply const& reply) {
  using Kind = ResolveFault::Kind;
  switch (reply.done ? reply.status : ARES_ETIMEOUT) {
    case ARES_ETIMEOUT:
    case ARES_ECANCELLED:
    case ARES_EDESTRUCTION:
      return {Kind::timeout, "no answer from " + server + " in time"};
    case ARES_ECONNREFUSED:
      return {Kind::unreachable, server + " can't be reached"};
    default:
      return {Kind::server, server + " gives no answer: " + ::ares_strerror(reply.status)};
  }
}

}  // namespace

Task<Result<std::string, ResolveFault>> dns_query(DnsServerAsked server, std::string question,
                                                  Deadline deadline, Trace trace) {
  require_loop_thread();
  Frame const frame{trace, "dns.query", server.address};
  auto const executor = co_await asio::this_coro::executor;
  auto const opened = std::make_shared<DnsChannel>(executor, frame.trace());
  Reply reply{.channel = opened.get()};  // outlives the channel, which answers it when it is closed
  OpenedChannel const channel{opened};
  NameServers only;
  only.servers = {server.address};
  only.tries = kTries;
  // The second try waits twice as long as the first.
  auto const left = std::chrono::floor<std::chrono::milliseconds>(deadline.left());
  auto const first = std::clamp(left / 3, kLeastTry, std::chrono::milliseconds{60'000});
  if (!channel->open(only, 0, first, server.over_tcp)) {
    co_return ResolveFault{ResolveFault::Kind::server,
                           "c-ares cannot be set up to ask " + server.address};
  }
  ::ares_send(channel->handle(), reinterpret_cast<unsigned char const*>(question.data()),
              static_cast<int>(question.size()), &Reply::take, &reply);
  while (!reply.done && !deadline.passed()) {
    auto const wake = channel->next_timeout(deadline);
    bool const notified = co_await channel->changed.wait_until(frame.trace(), "dns.answer", wake);
    if (notified) continue;
    auto const state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) throw_operation_aborted();
    channel->process_timeouts();
  }
  if (reply.done && !reply.message.empty()) co_return std::move(reply.message);
  auto fault = fault_of(server.address, reply);
  fault.own_error = channel->own_error();
  co_return fault;
}

}  // namespace canary::runtime
