// SPDX-License-Identifier: Apache-2.0
#include "probes/fetch/dial.h"

#include <cerrno>
#include <utility>

#include "probes/fetch/connect_race.h"
#include "probes/fetch/exchange.h"
#include "probes/fetch/request_text.h"
#include "runtime/contract.h"

namespace canary::fetch {
namespace {

using runtime::Task;
using runtime::Trace;
using Made = Result<std::unique_ptr<Connection>>;

runtime::AddressFamily family_of(config::IpFamily family) {
  switch (family) {
    case config::IpFamily::v4:
      return runtime::AddressFamily::v4;
    case config::IpFamily::v6:
      return runtime::AddressFamily::v6;
    case config::IpFamily::any:
      break;
  }
  return runtime::AddressFamily::any;
}

// What our own side lacks or forbids is nobody else's fault.
Fault ours(Transfer const& transfer, int error, std::string const& what) {
  bool const forbidden = error == EPERM || error == EACCES;
  return transfer.fault(forbidden ? FaultKind::forbidden : FaultKind::exhausted,
                        what + ": " + std::string{own_trouble(error)});
}

// Asks the proxy for a tunnel to the URL's host.
Task<std::optional<Fault>> open_tunnel(Transfer& transfer, Connection& connection, Proxy proxy,
                                       Trace trace) {
  auto const& url = transfer.url;
  bool const v6 = url.host().find(':') != std::string::npos;
  std::string const authority =
      (v6 ? "[" + url.host() + "]" : url.host()) + ":" + std::to_string(url.port());
  std::string text = tunnel_text(authority, proxy);
  auto const due = Due::of(transfer.deadline, transfer.settings.connect_timeout);
  auto head = co_await exchange(transfer, connection, std::move(text), due, trace);
  std::string const name = "the proxy " + proxy.name();
  if (!head) {
    auto fault = head.error();
    if (fault.kind != FaultKind::timeout) fault.kind = FaultKind::proxy;
    fault.message = name + ": " + fault.message;
    fault.answered = false;
    co_return fault;
  }
  if (head.value().status / 100 != 2) {
    co_return transfer.fault(FaultKind::proxy,
                             name + " refused a tunnel to " + authority + ": " +
                                 std::to_string(head.value().status) + " " + head.value().reason,
                             head.value().status);
  }
  connection.input.clear();
  co_return std::nullopt;
}

Task<std::optional<Fault>> start_tls(Transfer& transfer, Connection& connection,
                                     TlsContexts::Context context, runtime::Workers& cpu,
                                     Trace trace) {
  auto const due = Due::of(transfer.deadline, transfer.settings.tls_timeout);
  auto failure =
      co_await connection.handshake(std::move(context), transfer.url.host(), cpu, due, trace);
  transfer.certificates = connection.certificates();
  if (!failure) co_return std::nullopt;
  if (failure->kind == FaultKind::timeout) {
    co_return transfer.overdue(connection.why() == Due::Why::total, false,
                               transfer.settings.tls_timeout,
                               "the TLS handshake with " + connection.peer() + " did not end");
  }
  co_return transfer.fault(failure->kind, failure->message);
}

}  // namespace

Task<Made> dial(Transfer& transfer, std::optional<Proxy> proxy, Services& services, Trace trace) {
  runtime::require_loop_thread();
  auto const& settings = transfer.settings;
  bool const https = transfer.url.scheme() == config::Scheme::https;
  std::string const host = proxy ? proxy->host : transfer.url.host();
  std::uint16_t const port = proxy ? proxy->port : transfer.url.port();

  TlsContexts::Context context;
  if (https) {
    transfer.clock.enter(Phase::queue);
    auto made = co_await services.tls.get(settings, transfer.deadline, trace);
    if (!made) {
      auto const kind = made.error().waits ? FaultKind::disk : FaultKind::settings;
      co_return transfer.fault(kind, made.error().why);
    }
    context = made.value().context;
    if (made.value().kept) transfer.secrets.kept.push_back(*made.value().kept);
  }

  transfer.clock.enter(Phase::resolve);
  auto const addresses =
      co_await services.resolver.resolve(host, family_of(settings.ip_family),
                                         transfer.deadline.within(settings.resolve_timeout), trace);
  for (auto const& wait : services.resolver.waits()) {
    transfer.secrets.kept.push_back({.file = wait.file,
                                     .why = sentence(wait) + "; names are looked up by what it was",
                                     .waits = true});
  }
  if (!addresses) {
    if (addresses.error().kind == runtime::ResolveFault::Kind::disk) {
      co_return transfer.fault(FaultKind::disk, addresses.error().message);
    }
    if (addresses.error().own_error != 0) {
      co_return ours(transfer, addresses.error().own_error, addresses.error().message);
    }
    auto const kind = proxy ? FaultKind::proxy : FaultKind::dns;
    auto fault = transfer.fault(
        kind, (proxy ? "the proxy " + proxy->name() + ": " : "") + addresses.error().message);
    fault.definite = addresses.error().kind == runtime::ResolveFault::Kind::no_such_name ||
                     addresses.error().kind == runtime::ResolveFault::Kind::no_address;
    co_return fault;
  }

  transfer.clock.enter(Phase::connect);
  auto endpoints = connect_order(addresses.value(), port);
  auto connected = co_await connect_race(std::move(endpoints),
                                         transfer.deadline.within(settings.connect_timeout), trace);
  std::string const where = proxy ? "the proxy " + proxy->name() : Proxy{host, port, {}}.name();
  if (connected.timed_out) {
    co_return transfer.overdue(transfer.deadline.passed(), false, settings.connect_timeout,
                               "no connection to " + where);
  }
  if (!connected.socket && connected.own_error != 0) {
    co_return ours(transfer, connected.own_error,
                   "cannot connect to " + where + " (" + connected.problem + ")");
  }
  if (!connected.socket) {
    co_return transfer.fault(proxy ? FaultKind::proxy : FaultKind::connect,
                             "cannot connect to " + where + " (" + connected.problem + ")");
  }
  auto connection =
      std::make_unique<Connection>(std::move(*connected.socket), to_text(connected.peer));

  if (https && proxy) {
    transfer.clock.enter(Phase::proxy);
    auto refused = co_await open_tunnel(transfer, *connection, *proxy, trace);
    if (refused) co_return std::move(*refused);
  }
  if (https) {
    transfer.clock.enter(Phase::tls);
    auto failed = co_await start_tls(transfer, *connection, context, services.cpu, trace);
    if (failed) co_return std::move(*failed);
  }
  co_return connection;
}

}  // namespace canary::fetch
