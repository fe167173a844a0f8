// SPDX-License-Identifier: Apache-2.0
#include "probes/phase_times.h"

#include <numeric>

namespace canary::probes {

std::chrono::nanoseconds PhaseTimes::total() const {
  return std::accumulate(spent.begin(), spent.end(), std::chrono::nanoseconds{0});
}

PhaseTimes& PhaseTimes::operator+=(PhaseTimes const& other) {
  for (std::size_t i = 0; i < spent.size(); ++i) spent[i] += other.spent[i];
  return *this;
}

std::array<ShownPhase, kShownPhases> PhaseTimes::shown() const {
  auto const& times = *this;
  return {{{"queue", "waiting for a connection", times[Phase::queue] + times[Phase::backoff]},
           {"dns", "name", times[Phase::resolve]},
           {"connect", "connect", times[Phase::connect] + times[Phase::proxy]},
           {"tls", "TLS", times[Phase::tls]},
           {"request", "request", times[Phase::request]},
           {"first_byte", "first byte", times[Phase::first_byte]},
           {"body", "body", times[Phase::body]},
           {"verify", "verify", times[Phase::verify]}}};
}

}  // namespace canary::probes
