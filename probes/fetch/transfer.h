// SPDX-License-Identifier: Apache-2.0
// One request while it is under way, across attempts and redirects: what has been received, where
// the time went.
// Thread: loop.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/probe_spec.h"
#include "probes/fetch/body_sink.h"
#include "probes/fetch/fault.h"
#include "probes/fetch/message.h"
#include "probes/fetch/oddity.h"
#include "probes/fetch/secret_files.h"
#include "runtime/deadline.h"
#include "runtime/trace.h"

namespace canary::fetch {

// Exactly one phase is running at any time.
class PhaseClock {
 public:
  void enter(Phase next) {
    auto const now = runtime::Clock::now();
    times_[phase_] += now - since_;
    since_ = now;
    phase_ = next;
  }
  Phase phase() const { return phase_; }
  // Up to now.
  PhaseTimes times() {
    enter(phase_);
    return times_;
  }

 private:
  runtime::Clock::time_point since_ = runtime::Clock::now();
  Phase phase_ = Phase::queue;
  PhaseTimes times_;
};

struct Transfer {
  Transfer(Request asked, BodySink& to, config::HttpSettings const& with, runtime::Deadline until)
      : request(std::move(asked)), sink(to), settings(with), deadline(until), url(request.url) {}

  Request const request;
  BodySink& sink;
  config::HttpSettings const& settings;
  runtime::Deadline const deadline;
  PhaseClock clock;
  std::uint32_t attempts = 1;

  config::Url url;         // of the current redirect
  std::string proxy;       // "host:port" of the one on the way to `url`; empty: none
  CurrentSecrets secrets;  // as of the current attempt
  std::string method;      // likewise: after a redirect it may be GET
  bool with_body = false;
  std::vector<Redirect> redirects;  // of the current attempt
  Oddities oddities;                // of all its answers

  std::uint64_t received = 0;                       // bytes that the sink has
  std::uint64_t bytes = 0;                          // bytes of bodies ever received
  std::optional<std::string> validator;             // what a resumption would hold the body to
  std::optional<std::uint64_t> total;               // the body's length as announced
  std::optional<std::chrono::seconds> retry_after;  // of the last answer
  // Of the certificates that the last handshake showed, whether it was accepted or not.
  std::optional<Validity> certificates;

  std::optional<std::chrono::sys_seconds> last_modified;  // of what is being read

  // At the beginning of an attempt, and where a redirect leads: RFC 9110 section 15.4, as clients
  // do it.
  void begin();
  void redirect(int status, config::Url to);
  // May the server get the request twice?
  bool is_idempotent() const;

  // A fault here and now.
  Fault fault(FaultKind kind, std::string message, int status = 0) const;
  // The fault for a due time that passed.
  Fault overdue(bool whole_deadline, bool rate, runtime::Clock::duration allowed,
                std::string const& what) const;
};

}  // namespace canary::fetch
