// SPDX-License-Identifier: Apache-2.0
#include "probes/fetch/client.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "config/duration.h"
#include "probes/fetch/body.h"
#include "probes/fetch/dial.h"
#include "probes/fetch/exchange.h"
#include "probes/fetch/file_source.h"
#include "probes/fetch/pool.h"
#include "probes/fetch/redirect.h"
#include "probes/fetch/request_text.h"
#include "probes/fetch/retry.h"
#include "probes/fetch/transfer.h"
#include "runtime/contract.h"
#include "runtime/event.h"

namespace canary::fetch {
namespace {

using runtime::Deadline;
using runtime::Frame;
using runtime::Task;
using runtime::Trace;

constexpr std::size_t kPythonRedirects = 3;

std::chrono::sys_seconds wall_clock() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

// What a body is said to be encoded as. Clients ignore what they do not know, over bytes that are
// as they should be. A single gzip most of them decode, though nobody asked for it.
std::optional<Fault> check_encoding(Transfer& transfer, ResponseHead const& head) {
  std::vector<std::string> codings = list(head.header("content-encoding"));
  std::string refused = head.unknown_coding;
  if (codings.size() == 1 && codings[0] == "gzip") refused = codings[0];
  auto const python_decodes = [](std::string const& coding) {
    return coding == "gzip" || coding == "x-gzip" || coding == "deflate";
  };
  if (refused.empty() && std::ranges::any_of(codings, python_decodes)) {
    note(transfer.oddities, Oddity::content_encoding);
  }
  if (refused.empty()) return std::nullopt;
  return transfer.fault(FaultKind::encoded,
                        "the body is encoded as " + refused + ", which nobody asked for",
                        head.status);
}

// What 401 and 407 say of our credentials, to follow the status; empty for others.
std::string about_credentials(Transfer const& transfer, std::optional<Proxy> const& proxy,
                              int status) {
  if (status != 401 && status != 407) return {};
  bool const at_home = transfer.url.origin() == transfer.request.url.origin();
  bool const sent = status == 407 ? proxy && !proxy->authorization.empty()
                                  : at_home && !transfer.secrets.headers.empty();
  if (sent) return ": our credentials were refused";
  if (status == 407) return ": it wants credentials (http.proxy_credentials), and none were sent";
  return at_home
             ? ": it wants credentials, and none are among http.headers"
             : ": it wants credentials, and ours go to " + transfer.request.url.host() + " only";
}

// Looks at the head of a 2xx answer before any of its body is taken.
std::optional<Fault> check_head(Transfer& transfer, ResponseHead const& head) {
  if (auto fault = check_encoding(transfer, head)) return fault;
  bool const resumed = head.status == 206 && transfer.received > 0;
  bool const odd = head.status != 200 && !resumed && !transfer.request.any_status;
  if (odd) note(transfer.oddities, Oddity::status_not_200);
  if (head.body != ResponseHead::Body::length || resumed) return std::nullopt;
  return check_length(transfer, head.length);
}

// Has this answer a body that somebody wants?
bool is_answer(Transfer const& transfer, ResponseHead const& head, bool of_proxy, bool last) {
  auto const& request = transfer.request;
  if (of_proxy || (request.follow_redirects && is_redirect(head))) return false;
  bool const resumed = head.status == 206 && transfer.received > 0;
  if (resumed || request.wants(head.status)) return true;
  return request.any_status && head.status != 401 && (last || !may_pass(head.status));
}

}  // namespace

struct Client::Impl {
  Impl(runtime::Executor on, config::HttpSettings with, Services& shared)
      : executor(std::move(on)), settings(std::move(with)), services(shared) {}

  Task<Result<Response>> run(Request request, BodySink& sink, Deadline deadline, Trace trace);
  Task<Result<Response>> attempt(Transfer& transfer, Trace trace);
  // One request and its answer: a response, or the URL that it redirects to.
  struct Hop {
    std::optional<Response> response;
    std::optional<Redirect> redirect;
  };
  std::uint32_t attempts_max() const {
    return static_cast<std::uint32_t>(std::max(settings.max_attempts, 1));
  }
  Task<Result<Hop>> hop(Transfer& transfer, Trace trace);
  Task<Result<ResponseHead>> send(Transfer& transfer, std::optional<Proxy> proxy,
                                  std::unique_ptr<Connection>& connection, Trace trace);
  Task<Result<Response>> take_body(Transfer& transfer, ResponseHead head, Connection& connection,
                                   Trace trace);
  Task<std::optional<Fault>> begin_body(Transfer& transfer, ResponseHead const& head, Trace trace);
  void note_kept(std::vector<KeptCredential> const& kept);
  void note_certificates(Transfer const& transfer);
  void note_clock(std::string const& host, ResponseHead const& head,
                  std::chrono::nanoseconds round_trip);

  runtime::Executor executor;
  config::HttpSettings const settings;
  Services& services;
  Pool pool;
  Totals totals;
};

void Client::Impl::note_kept(std::vector<KeptCredential> const& kept) {
  for (auto const& one : kept) {
    auto& known = totals.kept_credentials;
    auto const same = std::ranges::find_if(known, [&one](KeptCredential const& other) {
      return other == one || (one.waits && other.waits && other.file == one.file);
    });
    if (same == known.end()) {
      known.push_back(one);
    } else {
      *same = one;
    }
  }
}

void Client::Impl::note_certificates(Transfer const& transfer) {
  constexpr std::size_t kServersMax = 64;
  if (!transfer.certificates) return;
  Validity const seen = *transfer.certificates;
  auto const server = transfer.url.host() + ":" + std::to_string(transfer.url.port());
  auto& known = totals.certificates;
  if (known.size() == kServersMax && !known.contains(server)) return;
  auto const [kept, added] = known.emplace(server, seen);
  if (seen.ends < kept->second.ends) kept->second = seen;
}

void Client::Impl::note_clock(std::string const& host, ResponseHead const& head,
                              std::chrono::nanoseconds round_trip) {
  constexpr std::size_t kHostsMax = 64;
  auto const seen =
      clock_difference(head.header("date"), head.header("age"), services.wall_clock(), round_trip);
  if (!seen || (totals.clocks.size() == kHostsMax && !totals.clocks.contains(host))) return;
  auto const [known, added] = totals.clocks.emplace(host, *seen);
  if (!added && seen->uncertainty < known->second.uncertainty) known->second = *seen;
}

// A connection that sent a request, and the head of the answer. One from the pool may have been
// closed by the server meanwhile: then a fresh one is used, and it is nobody's failure.
Task<Result<ResponseHead>> Client::Impl::send(Transfer& transfer, std::optional<Proxy> proxy,
                                              std::unique_ptr<Connection>& connection,
                                              Trace trace) {
  auto const text = request_text(transfer, proxy);
  if (!text) co_return text.error();
  if (transfer.is_idempotent()) connection = pool.take(Pool::place(transfer.url, proxy));
  while (true) {
    bool const reused = connection != nullptr;
    if (!reused) {
      transfer.certificates.reset();
      auto dialled = co_await dial(transfer, proxy, services, trace);
      note_certificates(transfer);
      note_kept(transfer.secrets.kept);
      if (!dialled) co_return dialled.error();
      connection = std::move(dialled).value();
      ++totals.connections;
    }
    ++totals.requests;
    transfer.clock.enter(Phase::request);
    auto const due = Due::of(transfer.deadline, settings.first_byte_timeout);
    auto const asked = runtime::Clock::now();
    auto head = co_await exchange(transfer, *connection, text.value(), due, trace);
    if (head) note_clock(transfer.url.host(), head.value(), runtime::Clock::now() - asked);
    if (head && transfer.method == "HEAD") head.value().body = ResponseHead::Body::none;
    bool const stale =
        !head && reused && head.error().kind == FaultKind::reset && connection->input.empty();
    if (!stale) co_return head;
    connection.reset();
  }
}

// Decides whether the body goes on where the last one broke off. 200: from the beginning.
Task<std::optional<Fault>> Client::Impl::begin_body(Transfer& transfer, ResponseHead const& head,
                                                    Trace trace) {
  auto const again = transfer.received > 0;
  if (head.status == 206 && again) {
    auto const range = parse_content_range(head.header("content-range"));
    bool const fits =
        transfer.validator && range && range->first == transfer.received &&
        (!range->total || !transfer.total || *range->total == *transfer.total) &&
        (head.body != ResponseHead::Body::length || head.length == range->last - range->first + 1);
    if (!fits) {
      transfer.validator.reset();  // ask for the whole next time
      co_return transfer.fault(
          FaultKind::malformed,
          "the server answers 206 with the range \"" + std::string{head.header("content-range")} +
              "\" where the rest from byte " + std::to_string(transfer.received) + " was asked for",
          head.status);
    }
    if (range->total) co_return check_length(transfer, *range->total);
    co_return std::nullopt;
  }
  if (again) {
    co_await transfer.sink.restart(trace);
    transfer.received = 0;
  }
  transfer.validator.reset();
  transfer.total.reset();
  if (head.body == ResponseHead::Body::length) {
    transfer.total = head.length;
    bool const resumable = head.status == 200 && transfer.method == "GET";
    if (resumable && head.header("accept-ranges") != "none") {
      transfer.validator =
          validator(head.header("etag"), head.header("last-modified"), head.header("date"));
    }
  }
  co_return std::nullopt;
}

Task<Result<Response>> Client::Impl::take_body(Transfer& transfer, ResponseHead head,
                                               Connection& connection, Trace trace) {
  if (auto fault = check_head(transfer, head)) co_return std::move(*fault);
  bool const resumed = head.status == 206 && transfer.received > 0;
  transfer.clock.enter(Phase::body);
  if (auto fault = co_await begin_body(transfer, head, trace)) co_return std::move(*fault);
  auto const before = transfer.bytes;
  auto broken = co_await receive_body(transfer, connection, head, trace);
  totals.bytes += transfer.bytes - before;
  if (broken) co_return std::move(*broken);
  bool const accepted = co_await transfer.sink.finish(trace);
  if (!accepted) {
    co_return transfer.fault(FaultKind::rejected, "the body was refused at its end");
  }
  auto const last_modified = parse_http_date(head.header("last-modified"));
  Response response{.status = 200,
                    .body = {},
                    .length = transfer.received,
                    .headers = std::move(head.headers),
                    .final_url = transfer.url,
                    .peer = connection.peer(),
                    .proxy = transfer.proxy,
                    .last_modified = last_modified,
                    .attempts = transfer.attempts,
                    .redirects = transfer.redirects,
                    .reused_connection = connection.requests > 1,
                    .times = {}};
  if (!resumed) response.status = head.status;
  co_return response;
}

Task<Result<Client::Impl::Hop>> Client::Impl::hop(Transfer& transfer, Trace trace) {
  transfer.proxy.clear();
  auto proxy = proxy_for(transfer.url, settings, services.proxies);
  if (!proxy) co_return transfer.fault(FaultKind::settings, proxy.error());
  if (proxy.value()) {
    auto& used = *proxy.value();
    totals.proxy = transfer.proxy = used.name();
    auto const& credentials = transfer.secrets.proxy_credentials;
    if (!credentials.empty()) used.authorization = basic_authorization(credentials);
  }
  auto const place = Pool::place(transfer.url, proxy.value());
  std::unique_ptr<Connection> connection;
  auto head = co_await send(transfer, proxy.value(), connection, trace);
  if (!head) co_return head.error();
  bool reusable = head.value().keep_alive;
  Hop result;
  bool const of_proxy = head.value().status == 407 && proxy.value();
  bool const last = transfer.attempts >= attempts_max() || !transfer.is_idempotent();
  if (is_answer(transfer, head.value(), of_proxy, last)) {
    auto response = co_await take_body(transfer, head.value(), *connection, trace);
    if (!response) co_return response.error();
    result.response = std::move(response).value();
  } else {
    transfer.clock.enter(Phase::body);
    reusable = reusable && co_await discard_body(transfer, *connection, head.value(), trace);
  }
  if (reusable && connection->input.empty()) pool.put(place, std::move(connection));
  if (result.response) co_return result;

  auto const& answer = head.value();
  if (transfer.request.follow_redirects && is_redirect(answer)) {
    auto to = redirect_target(transfer, answer);
    if (!to) co_return to.error();
    result.redirect = Redirect{answer.status, std::move(to).value()};
    co_return result;
  }
  transfer.retry_after = retry_after(answer.header("retry-after"), wall_clock());
  if (answer.status == 416) transfer.validator.reset();
  std::string const who = of_proxy ? "the proxy " + transfer.proxy : "the server";
  co_return transfer.fault(of_proxy ? FaultKind::proxy : FaultKind::status,
                           who + " answers " + std::to_string(answer.status) +
                               (answer.reason.empty() ? "" : " " + answer.reason) +
                               about_credentials(transfer, proxy.value(), answer.status),
                           answer.status);
}

Task<Result<Response>> Client::Impl::attempt(Transfer& transfer, Trace trace) {
  transfer.begin();
  if (transfer.url.scheme() == config::Scheme::file) {
    ++totals.requests;
    auto const before = transfer.bytes;
    auto read = co_await read_file(transfer, services.files, trace);
    totals.bytes += transfer.bytes - before;
    if (!read) co_return read;
    bool const accepted = co_await transfer.sink.finish(trace);
    if (!accepted) {
      co_return transfer.fault(FaultKind::rejected, "the file was refused at its end");
    }
    co_return read;
  }
  transfer.secrets = co_await services.secrets.current(settings, trace);
  note_kept(transfer.secrets.kept);
  std::set<std::string> visited{transfer.url.unredacted()};
  bool in_circle = false;
  while (true) {
    auto next = co_await hop(transfer, trace);
    if (!next) co_return next.error();
    if (next.value().response) co_return std::move(*next.value().response);
    auto const& [status, to] = *next.value().redirect;
    // Once in a circle is no loop yet: some servers set a cookie so, and all clients go on.
    in_circle = in_circle || !visited.insert(to.unredacted()).second;
    if (transfer.redirects.size() == static_cast<std::size_t>(settings.max_redirects)) {
      co_return transfer.fault(FaultKind::redirect_loop,
                               in_circle ? "redirected in a circle to " + to.text()
                                         : "more than " + std::to_string(settings.max_redirects) +
                                               " redirects; the next would lead to " + to.text());
    }
    transfer.redirect(status, to);
    if (transfer.redirects.size() > kPythonRedirects) {
      note(transfer.oddities, Oddity::many_redirects);
    }
  }
}

Task<Result<Response>> Client::Impl::run(Request request, BodySink& sink, Deadline deadline,
                                         Trace trace) {
  runtime::require_loop_thread();
  Frame const frame{trace, "http.get", request.url.host()};
  Transfer transfer{std::move(request), sink, settings, deadline};
  while (true) {
    if (transfer.received > 0 && !transfer.validator) {
      co_await sink.restart(frame.trace());
      transfer.received = 0;
    }
    auto outcome = co_await attempt(transfer, frame.trace());
    for (Oddity const oddity : transfer.oddities) {
      totals.oddities.try_emplace(oddity, transfer.request.url);
    }
    if (outcome) {
      auto response = std::move(outcome).value();
      response.times = transfer.clock.times();
      totals.times += response.times;
      co_return response;
    }
    Fault fault = outcome.error();
    // A resumption that was refused: from the beginning, then.
    bool const resumable = transfer.received > 0 && (fault.status == 206 || fault.status == 416);
    auto pause = std::chrono::duration_cast<std::chrono::milliseconds>(
        transfer.retry_after.value_or(std::chrono::seconds{0}));
    pause =
        std::max(pause, backoff(settings, transfer.attempts, transfer.request.url.unredacted()));
    bool again = (is_worth_retrying(fault) || resumable) && transfer.attempts < attempts_max();
    // Before it was sent, nobody can have received it.
    if (!transfer.is_idempotent() && fault.phase >= Phase::request) again = false;
    if (again && deadline.left() <= pause) {
      again = false;
      if (transfer.retry_after) {
        fault.message +=
            "; it asks to come back in " + config::to_text(pause) + ", which is after the deadline";
      }
    }
    if (!again) {
      fault.times = transfer.clock.times();
      totals.times += fault.times;
      co_return fault;
    }
    transfer.clock.enter(Phase::backoff);
    co_await runtime::sleep_until(frame.trace(), "http.backoff", Deadline::after(pause));
    transfer.clock.enter(Phase::queue);
    ++transfer.attempts;
    ++totals.retries;
  }
}

Client::Client(runtime::Executor executor, config::HttpSettings settings, Services& services)
    : impl_(std::make_unique<Impl>(std::move(executor), std::move(settings), services)) {}

Client::~Client() = default;

Task<Result<Response>> Client::get(Request request, Deadline deadline, Trace trace) {
  constexpr std::uint64_t kHintMax = 1024 * 1024;
  auto const hint = std::min(request.exact_length.value_or(0), kHintMax);
  MemorySink sink{impl_->services.cpu, static_cast<std::size_t>(hint)};
  auto outcome = co_await impl_->run(std::move(request), sink, deadline, trace);
  if (outcome) outcome.value().body = sink.take();
  co_return outcome;
}

Task<Result<Response>> Client::download(Request request, BodySink& sink, Deadline deadline,
                                        Trace trace) {
  return impl_->run(std::move(request), sink, deadline, trace);
}

Totals const& Client::totals() const { return impl_->totals; }

}  // namespace canary::fetch
