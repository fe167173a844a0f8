// SPDX-License-Identifier: Apache-2.0
// The body of an answer, from a connection to a sink: in large pieces, counted, limited, and not
// too slowly.
// Thread: loop.
#pragma once

#include <cstdint>
#include <optional>

#include "probes/fetch/connection.h"
#include "probes/fetch/head.h"
#include "probes/fetch/transfer.h"
#include "runtime/task.h"

namespace canary::fetch {

// Whether a body keeps the minimum rate, judged once per window. Pure.
class Pace {
 public:
  using Time = runtime::Clock::time_point;
  Pace(std::uint64_t min_rate, runtime::Clock::duration window, Time start);
  // False: the window that has just ended brought too little.
  bool note(std::uint64_t bytes, Time now);
  // Time that the sink took does not count against the server.
  void leave_out(runtime::Clock::duration span) { start_ += span; }
  // Without another byte until then it is too slow.
  Time due() const;

 private:
  std::uint64_t needed_;  // bytes per window; 0: anything goes
  runtime::Clock::duration window_;
  Time start_;
  std::uint64_t bytes_ = 0;
};

// Checks what the head alone shows: announced lengths against the request's limits.
std::optional<Fault> check_length(Transfer const& transfer, std::uint64_t total);

// Counts `size` more bytes against the limits. Nothing: fine.
std::optional<Fault> check_received(Transfer const& transfer, std::uint64_t more);

// Receives the whole body that `head` announces, after the transfer.received bytes that the sink
// has already. Then the connection may carry another request, unless the body ended with it.
// The references outlive the task.
runtime::Task<std::optional<Fault>> receive_body(Transfer& transfer, Connection& connection,
                                                 ResponseHead const& head, runtime::Trace trace);

// Reads a short body of no interest so that the connection can be used again; false: it cannot.
runtime::Task<bool> discard_body(Transfer& transfer, Connection& connection,
                                 ResponseHead const& head, runtime::Trace trace);

}  // namespace canary::fetch
