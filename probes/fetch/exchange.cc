// SPDX-License-Identifier: Apache-2.0
#include "probes/fetch/exchange.h"

#include <array>

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>

#include "runtime/contract.h"

namespace canary::fetch {
namespace {

using runtime::Task;
using runtime::Trace;

constexpr int kInterimAnswersMax = 256;  // 1xx before the answer

// Why the bytes of a head stopped coming.
Fault head_broken(Transfer const& transfer, Connection const& connection,
                  runtime::error_code error) {
  auto const& settings = transfer.settings;
  if (connection.timed_out()) {
    auto const allowed = transfer.clock.phase() == Phase::proxy ? settings.connect_timeout
                                                                : settings.first_byte_timeout;
    return transfer.overdue(connection.why() == Due::Why::total, false, allowed,
                            "no complete head of an answer from " + connection.peer());
  }
  bool const ended =
      error == boost::asio::error::eof || error == boost::asio::ssl::error::stream_truncated;
  bool const tls = error.category() == boost::asio::error::get_ssl_category();
  return transfer.fault(
      tls ? FaultKind::tls_handshake : FaultKind::reset,
      connection.peer() +
          (ended ? std::string{" closed the connection before an answer came"}
                 : " broke the connection off before an answer came: " + error.message()));
}

Task<Result<ResponseHead>> read_head(Transfer& transfer, Connection& connection, Due due,
                                     Trace trace) {
  auto& input = connection.input;
  auto parser = std::make_unique<HeadParser>();
  int interim = 0;
  std::array<char, 16 * 1024> buffer;
  while (true) {
    auto const step = parser->put(input);
    input.erase(0, step.consumed);
    if (step.state == HeadParser::State::malformed) {
      co_return transfer.fault(FaultKind::malformed, "the answer of " + connection.peer() +
                                                         " is not HTTP: " + parser->problem());
    }
    if (step.state == HeadParser::State::done) {
      auto head = parser->take();
      for (Oddity const oddity : head.oddities) note(transfer.oddities, oddity);
      bool const is_interim = head.status / 100 == 1 && head.status != 101;
      if (!is_interim) co_return head;
      if (head.status != 100) note(transfer.oddities, Oddity::interim);
      if (++interim > kInterimAnswersMax) {
        co_return transfer.fault(
            FaultKind::malformed,
            "the server sends interim answers (" + std::to_string(head.status) + ") without end");
      }
      parser = std::make_unique<HeadParser>();
      continue;
    }
    auto const io = co_await connection.read_some(buffer, due, trace, "http.first_byte");
    input.append(buffer.data(), io.size);
    if (io.error || connection.timed_out()) {
      co_return head_broken(transfer, connection, io.error);
    }
  }
}

}  // namespace

Task<Result<ResponseHead>> exchange(Transfer& transfer, Connection& connection, std::string text,
                                    Due head_due, Trace trace) {
  runtime::require_loop_thread();
  ++connection.requests;
  auto const send_due = Due::of(transfer.deadline, transfer.settings.idle_timeout);
  auto const sent = co_await connection.write(std::move(text), send_due, trace, "http.write");
  if (connection.timed_out()) {
    co_return transfer.overdue(connection.why() == Due::Why::total, false,
                               transfer.settings.idle_timeout,
                               "the request was not taken by " + connection.peer());
  }
  if (sent.error) {
    co_return transfer.fault(FaultKind::reset, "the request could not be sent to " +
                                                   connection.peer() + ": " + sent.error.message());
  }
  if (transfer.clock.phase() == Phase::request) transfer.clock.enter(Phase::first_byte);
  auto head = co_await read_head(transfer, connection, head_due, trace);
  co_return head;
}

}  // namespace canary::fetch
