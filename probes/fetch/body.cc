// SPDX-License-Identifier: Apache-2.0
#include "probes/fetch/body.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>

#include "probes/fetch/chunked.h"
#include "runtime/contract.h"

namespace canary::fetch {
namespace {

using runtime::Clock;
using runtime::Task;
using runtime::Trace;

constexpr std::size_t kInputBytes = 64 * 1024;
constexpr std::size_t kDiscardMax = 64 * 1024;
constexpr auto kDiscardTime = std::chrono::seconds{1};
constexpr auto kNoLength = std::numeric_limits<std::uint64_t>::max();

// The running parts of one body.
struct Receiving {
  Transfer& transfer;
  Connection& connection;
  Trace trace;
  Pace pace;

  Due due() const {
    auto result = Due::of(transfer.deadline, transfer.settings.idle_timeout);
    if (pace.due() < result.at) result = {pace.due(), Due::Why::rate};
    return result;
  }

  Fault late() const {
    return transfer.overdue(connection.why() == Due::Why::total, connection.why() == Due::Why::rate,
                            transfer.settings.idle_timeout, "nothing more of the body came");
  }

  // Notes that `size` bytes came from the network.
  std::optional<Fault> note(std::size_t size) {
    transfer.bytes += size;
    if (pace.note(size, Clock::now())) return std::nullopt;
    return transfer.overdue(false, true, {}, {});
  }

  // `missing`: how much of an announced length, kNoLength where none was.
  Fault broken(runtime::error_code error, std::uint64_t missing) const {
    bool const ended =
        error == boost::asio::error::eof || error == boost::asio::ssl::error::stream_truncated;
    std::string const after = " after " + std::to_string(transfer.received) + " bytes";
    if (!ended) {
      return transfer.fault(FaultKind::interrupted,
                            "the connection broke" + after + ": " + error.message());
    }
    std::string const lacking =
        missing == kNoLength ? "" : ", " + std::to_string(missing) + " bytes early";
    return transfer.fault(FaultKind::truncated, "the body ended" + after + lacking);
  }
};

Fault no_more_wanted(Transfer const& transfer) {
  return transfer.fault(FaultKind::rejected, "the body was refused after " +
                                                 std::to_string(transfer.received) + " bytes");
}

// Room in the sink; waiting for it is not the server's fault.
Task<std::span<char>> room_in(Receiving& receiving) {
  auto const before = Clock::now();
  auto const room = co_await receiving.transfer.sink.room(receiving.trace);
  receiving.pace.leave_out(Clock::now() - before);
  co_return room;
}

// Copies bytes that are here already to the sink.
Task<std::optional<Fault>> deliver(Receiving& receiving, std::string_view bytes) {
  auto& transfer = receiving.transfer;
  if (auto fault = check_received(transfer, bytes.size())) co_return fault;
  while (!bytes.empty()) {
    auto const room = co_await room_in(receiving);
    auto const size = std::min(room.size(), bytes.size());
    std::memcpy(room.data(), bytes.data(), size);
    if (room.empty() || !transfer.sink.commit(size)) co_return no_more_wanted(transfer);
    transfer.received += size;
    bytes.remove_prefix(size);
  }
  co_return std::nullopt;
}

// A body of known length, or one that ends with the connection: straight into the sink's memory.
Task<std::optional<Fault>> receive_plain(Receiving& receiving, std::uint64_t left) {
  auto& transfer = receiving.transfer;
  auto& connection = receiving.connection;
  bool const has_length = left != kNoLength;
  auto const early =
      static_cast<std::size_t>(std::min<std::uint64_t>(connection.input.size(), left));
  std::string const first = connection.input.substr(0, early);
  connection.input.erase(0, early);
  if (auto fault = receiving.note(early)) co_return fault;
  if (auto fault = co_await deliver(receiving, first)) co_return fault;
  if (has_length) left -= early;
  while (left > 0) {
    auto room = co_await room_in(receiving);
    if (room.empty()) co_return no_more_wanted(transfer);
    room = room.first(static_cast<std::size_t>(std::min<std::uint64_t>(room.size(), left)));
    auto const io =
        co_await connection.read_some(room, receiving.due(), receiving.trace, "http.read");
    if (io.size > 0) {
      if (auto fault = receiving.note(io.size)) co_return fault;
      if (auto fault = check_received(transfer, io.size)) co_return fault;
      if (!transfer.sink.commit(io.size)) co_return no_more_wanted(transfer);
      transfer.received += io.size;
      if (has_length) left -= io.size;
    }
    if (connection.timed_out()) co_return receiving.late();
    if (!io.error) continue;
    // A TLS connection that is cut is no clean end, a TCP connection that is closed is one.
    if (!has_length && io.error == boost::asio::error::eof) co_return std::nullopt;
    co_return receiving.broken(io.error, has_length ? left : kNoLength);
  }
  co_return std::nullopt;
}

Task<std::optional<Fault>> receive_chunked(Receiving& receiving) {
  auto& transfer = receiving.transfer;
  auto& connection = receiving.connection;
  ChunkDecoder decoder;
  std::string buffer = std::exchange(connection.input, {});
  if (auto fault = receiving.note(buffer.size())) co_return fault;
  while (true) {
    std::string_view input{buffer};
    while (!input.empty()) {
      auto const step = decoder.next(input);
      for (Oddity const oddity : decoder.oddities()) note(transfer.oddities, oddity);
      input.remove_prefix(step.consumed);
      if (step.state == ChunkDecoder::State::malformed) {
        co_return transfer.fault(FaultKind::malformed,
                                 "the body's chunks are not as HTTP has them");
      }
      if (step.state == ChunkDecoder::State::done) {
        connection.input = std::string{input};
        co_return std::nullopt;
      }
      if (auto fault = co_await deliver(receiving, step.data)) co_return fault;
    }
    buffer.resize(kInputBytes);
    auto const io =
        co_await connection.read_some(buffer, receiving.due(), receiving.trace, "http.read");
    buffer.resize(io.size);
    if (auto fault = receiving.note(io.size)) co_return fault;
    if (connection.timed_out()) co_return receiving.late();
    if (io.error && io.size == 0) co_return receiving.broken(io.error, kNoLength);
  }
}

}  // namespace

Pace::Pace(std::uint64_t min_rate, Clock::duration window, Time start)
    : needed_(0), window_(window), start_(start) {
  auto const seconds = std::chrono::duration<double>(window).count();
  needed_ = static_cast<std::uint64_t>(static_cast<double>(min_rate) * seconds);
}

bool Pace::note(std::uint64_t bytes, Time now) {
  if (needed_ == 0) return true;
  if (now - start_ >= window_) {
    bool const enough = bytes_ + bytes >= needed_;
    start_ = now;
    bytes_ = 0;
    return enough;
  }
  bytes_ += bytes;
  return true;
}

Pace::Time Pace::due() const {
  if (needed_ == 0) return Time::max();
  return bytes_ >= needed_ ? start_ + 2 * window_ : start_ + window_;
}

std::optional<Fault> check_length(Transfer const& transfer, std::uint64_t total) {
  auto const& request = transfer.request;
  if (request.exact_length && total != *request.exact_length) {
    return transfer.fault(FaultKind::wrong_length, "the server announces " + std::to_string(total) +
                                                       " bytes instead of " +
                                                       std::to_string(*request.exact_length));
  }
  if (total > request.max_bytes) {
    return transfer.fault(FaultKind::too_large,
                          "the server announces " + std::to_string(total) + " bytes; at most " +
                              std::to_string(request.max_bytes) + " are accepted");
  }
  return std::nullopt;
}

std::optional<Fault> check_received(Transfer const& transfer, std::uint64_t more) {
  auto const& request = transfer.request;
  auto const total = transfer.received + more;
  if (request.exact_length && total > *request.exact_length) {
    return transfer.fault(
        FaultKind::wrong_length,
        "the body is longer than the expected " + std::to_string(*request.exact_length) + " bytes");
  }
  if (total > request.max_bytes) {
    return transfer.fault(FaultKind::too_large, "the body is longer than the accepted " +
                                                    std::to_string(request.max_bytes) + " bytes");
  }
  return std::nullopt;
}

Task<std::optional<Fault>> receive_body(Transfer& transfer, Connection& connection,
                                        ResponseHead const& head, Trace trace) {
  runtime::require_loop_thread();
  auto const& settings = transfer.settings;
  Receiving receiving{transfer, connection, trace,
                      Pace{settings.min_rate, settings.min_rate_window, Clock::now()}};
  std::optional<Fault> fault;
  switch (head.body) {
    case ResponseHead::Body::none:
      break;
    case ResponseHead::Body::chunked:
      fault = co_await receive_chunked(receiving);
      break;
    case ResponseHead::Body::length:
      fault = co_await receive_plain(receiving, head.length);
      break;
    case ResponseHead::Body::until_close:
      fault = co_await receive_plain(receiving, kNoLength);
      break;
  }
  auto const& exact = transfer.request.exact_length;
  if (!fault && exact && transfer.received != *exact) {
    fault = transfer.fault(FaultKind::wrong_length,
                           "the body has " + std::to_string(transfer.received) +
                               " bytes instead of " + std::to_string(*exact));
  }
  co_return fault;
}

Task<bool> discard_body(Transfer& transfer, Connection& connection, ResponseHead const& head,
                        Trace trace) {
  runtime::require_loop_thread();
  if (head.body == ResponseHead::Body::none) co_return true;
  // Chunked answers of no interest are rare; a new connection is as good.
  if (head.body != ResponseHead::Body::length || head.length > kDiscardMax) co_return false;
  auto const due = Due::of(transfer.deadline, kDiscardTime);
  auto left = static_cast<std::size_t>(head.length);
  std::string buffer(kInputBytes, '\0');
  auto const early = std::min(left, connection.input.size());
  connection.input.erase(0, early);
  left -= early;
  while (left > 0) {
    auto const room = std::span<char>{buffer}.first(left);
    auto const io = co_await connection.read_some(room, due, trace, "http.discard");
    if (io.error) co_return false;
    transfer.bytes += io.size;
    left -= io.size;
  }
  co_return true;
}

}  // namespace canary::fetch
