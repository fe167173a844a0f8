// SPDX-License-Identifier: Apache-2.0
// Which due runs may start: never two of one probe, so many in all, so many against one host.
// Thread: none (pure).
#pragma once

#include <cstddef>
#include <deque>
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
  void set_limits(AdmissionLimits limits) { limits_ = limits; }

  enum class Verdict { queued, overlap, concurrency };
  // overlap: the probe's run is still going on. concurrency: its last one still waits for a turn.
  Verdict offer(Due due, std::string host);

  // The next run that may start now; the caller starts it and says so by finished() when it ended.
  std::optional<Waiting> admit();
  void finished(std::string_view probe);

  // Forgets the probe's waiting run; one that is going on stays counted until it has finished.
  void withdraw(std::string_view probe);

  std::size_t running() const { return running_.size(); }
  std::size_t waiting() const { return waiting_.size(); }
  bool is_running(std::string_view probe) const { return running_.contains(probe); }

 private:
  AdmissionLimits limits_;
  std::deque<Waiting> waiting_;
  std::map<std::string, std::string, std::less<>> running_;  // probe, host
  std::map<std::string, std::size_t, std::less<>> per_host_;
};

}  // namespace canary::daemon
