// SPDX-License-Identifier: Apache-2.0
// A connection to a host and port, for the kinds of probe that speak something else than HTTP, and
// what all of them say of one that can't be had.
// Thread: loop.
#pragma once

#include <memory>
#include <string>

#include "config/probe_spec.h"
#include "probes/fetch/body_sink.h"
#include "probes/fetch/connection.h"
#include "probes/fetch/transfer.h"
#include "probes/probe.h"
#include "probes/report.h"

namespace canary::probes {

// What is wrong with "host:port" or "[2001:db8::1]:port"; "" where nothing is.
std::string wrong_address(std::string const& text);

// Lives in the frame of one run.
class Dialled {
 public:
  // `address` is one that wrong_address() says nothing against; `location` names it in findings.
  // `context` outlives this.
  Dialled(std::string const& address, std::string location, config::HttpSettings settings,
          ProbeContext const& context);
  // Whatever ends the run: where the time went is told.
  ~Dialled();
  Dialled(Dialled const&) = delete;
  Dialled& operator=(Dialled const&) = delete;

  // nullptr where there is none; a finding says why.
  runtime::Task<std::unique_ptr<fetch::Connection>> connect(runtime::Trace trace);

  // `reachable`, unknown.
  void could_not_tell(Reason reason, std::string message);
  void reached(std::string message);  // `reachable`, ok
  void add(Finding finding);
  void step(std::string text);  // what the run is at
  void enter(fetch::Phase phase) { transfer_.clock.enter(phase); }
  config::HttpSettings const& settings() const { return settings_; }

 private:
  ProbeContext const& context_;
  std::string const location_;
  config::HttpSettings const settings_;
  fetch::MemorySink body_;  // stays empty
  fetch::Transfer transfer_;
};

}  // namespace canary::probes
