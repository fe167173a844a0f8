// SPDX-License-Identifier: Apache-2.0
// Which due runs may start: never two of one probe, so many in all, so many against one host.
// Each call costs the logarithm of what waits: after a stall all probes may be due at once.
// Thread: none (pure).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/schedule/schedule.h"

namespace canary::daemon {

struct AdmissionLimits {
  std::size_t total = 64;
  std::size_t per_host = 8;
};

// A due run that waits for its turn, in order of arrival among those of its host.
struct Waiting {
  Due due;
  std::string host;
};

class Admission {
 public:
  explicit Admission(AdmissionLimits limits) : limits_(limits) {}
  Admission(Admission const&) = delete;  // its tables point into each other
  Admission& operator=(Admission const&) = delete;
  void set_limits(AdmissionLimits limits);

  enum class Verdict { queued, overlap, concurrency };
  // overlap: the probe's run is still going on. concurrency: its last one still waits for a turn.
  Verdict offer(Due due, std::string const& host);

  // The next run that may start now; the caller starts it and says so by finished() when it ended.
  std::optional<Waiting> admit();
  void finished(std::string_view probe);

  // Forgets the probe's waiting run; one that is going on stays counted until it has finished.
  void withdraw(std::string_view probe);

  std::size_t running() const { return running_.size(); }
  std::size_t waiting() const { return waiting_.size(); }
  bool is_running(std::string_view probe) const { return running_.find(probe) != running_.end(); }

 private:
  struct Host {
    std::size_t running = 0;
    std::map<std::uint64_t, Due> waiting;  // by arrival
    std::optional<std::uint64_t> turn;     // its place in turns_
  };
  using Hosts = std::map<std::string, Host, std::less<>>;
  struct Place {
    Hosts::iterator host;
    std::uint64_t arrival;
  };

  // After a change of the host: whether it may start its first waiting run, or is of no use.
  void settle(Hosts::iterator host);
  void update_turn(Hosts::iterator host);

  AdmissionLimits limits_;
  std::uint64_t arrivals_ = 0;
  Hosts hosts_;                                                  // with a run that goes on or waits
  std::map<std::string, Hosts::iterator, std::less<>> running_;  // by probe
  std::map<std::string, Place, std::less<>> waiting_;            // by probe
  std::map<std::uint64_t, Hosts::iterator> turns_;  // hosts that may start, by their first arrival
};

}  // namespace canary::daemon
