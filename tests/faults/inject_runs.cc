// SPDX-License-Identifier: Apache-2.0
// What hangs one run while the loop turns: waits that nobody ends, servers that never finish.
#include <netinet/in.h>
#include <sys/socket.h>

#include <memory>
#include <utility>

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include "probes/tuf/spec.h"
#include "runtime/event.h"
#include "runtime/resolver.h"
#include "tests/faults/inject.h"

namespace canary::faults {
namespace {

namespace asio = boost::asio;
using runtime::error_code;
using runtime::Task;
using runtime::wait;

// Kept, and never called: as if somebody had forgotten to post it.
template <class Handler>
void forget(Handler handler) {
  static void* volatile kept = nullptr;  // a leak checker must find it
  if (kept == nullptr) kept = new Handler(std::move(handler));
}

Task<void> loses_its_completion(Hands hands) {
  begins();
  auto const initiate = [](auto handler) { forget(std::move(handler)); };
  auto token = wait(hands.trace, "fault.lost_completion");
  co_await asio::async_initiate<runtime::WaitToken const, void(error_code)>(initiate, token);
}

// Destroyed, and with it all who wait for it.
Task<void> has_its_handler_destroyed(Hands hands) {
  begins();
  auto const initiate = [](auto handler) { [[maybe_unused]] auto const gone = std::move(handler); };
  auto token = wait(hands.trace, "fault.destroyed_handler");
  co_await asio::async_initiate<runtime::WaitToken const, void(error_code)>(initiate, token);
}

Task<void> waits_without_a_deadline(Hands hands) {
  begins();
  asio::steady_timer timer{co_await asio::this_coro::executor};
  timer.expires_at(asio::steady_timer::time_point::max());
  co_await timer.async_wait(wait(hands.trace, "fault.endless_wait"));
}

Task<void> ignores_its_cancellation(Hands hands) {
  begins();
  asio::disable_cancellation const nothing_cancels;
  co_await asio::this_coro::reset_cancellation_state(nothing_cancels);
  asio::steady_timer timer{co_await asio::this_coro::executor};
  timer.expires_at(hands.span.count() == 0 ? asio::steady_timer::time_point::max() : end_of(hands));
  co_await timer.async_wait(wait(hands.trace, "fault.deaf_wait"));
}

// A name server that is there and says nothing.
Task<void> asks_a_silent_name_server(Hands hands) {
  int const server = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const general = reinterpret_cast<sockaddr*>(&address);
  if (::bind(server, general, size) != 0) std::abort();
  ::getsockname(server, general, &size);
  runtime::ResolverOptions options;
  options.servers.push_back("127.0.0.1:" + std::to_string(ntohs(address.sin_port)));
  runtime::Resolver resolver{hands.parts.files, options};
  begins();
  auto lookup =
      resolver.resolve("silent.example", runtime::AddressFamily::v4, hands.deadline, hands.trace);
  [[maybe_unused]] auto const addresses = co_await std::move(lookup);
}

// The real probe, at a server that has something in store for it.
Task<void> asks_a_bad_server(Hands hands) {
  hands.spec.kind.edit<tuf::Spec>().metadata_url = config::Url::parse(hands.url).value();
  begins();
  auto work = hands.real(hands.spec, hands.deadline, hands.trace, *hands.report);
  co_await std::move(work);
}

Task<void> does_nothing(Hands) {
  begins();
  co_return;
}

}  // namespace

void add_run_faults(std::map<std::string, Fault>& faults) {
  faults["lost-completion"] = loses_its_completion;
  faults["destroyed-handler"] = has_its_handler_destroyed;
  faults["endless-wait"] = waits_without_a_deadline;
  faults["deaf-wait"] = ignores_its_cancellation;
  faults["silent-dns"] = asks_a_silent_name_server;
  faults["bad-server"] = asks_a_bad_server;
  faults["none"] = does_nothing;
}

}  // namespace canary::faults
