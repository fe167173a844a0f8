// SPDX-License-Identifier: Apache-2.0
// The sentence that `systemctl status` shows.
// Thread: the watchdog's. Allocates nothing, takes no lock.
#pragma once

#include <cstdint>
#include <string_view>

#include "daemon/text/fixed_text.h"
#include "daemon/watchdog/judge/incidents.h"
#include "daemon/watchdog/tell/status.h"

namespace canary::watchdog {

using Sentence = ShortText<255>;

// What canaryd is at while nothing hangs.
struct PhaseView {
  enum class Phase : std::uint8_t { starting, running, reloading, stopping };
  Phase phase = Phase::starting;
  std::string_view step;   // of a start, a reload or a stop; empty: not known
  std::string_view words;  // while running; empty: "monitoring"
  std::uint32_t runs = 0;  // that go on
};

// The worst incident, else that the loop stands still, else the phase.
void write_sentence(Sentence& sentence, Incidents const& incidents, Record const& record,
                    PhaseView const& phase, std::int64_t now_ns);

// "steady_timer async_wait probes/fetch/client.cc:88"
void add_site(FixedText& text, Incident const& incident);

}  // namespace canary::watchdog
