// SPDX-License-Identifier: Apache-2.0
// The tables as the judgement wants them.
// Thread: any; reads while others write. Allocates nothing, takes no lock.
#pragma once

#include <array>
#include <cstdint>

#include "daemon/watchdog/judge/judgement.h"
#include "runtime/tables.h"

namespace canary::watchdog {

// Where in the source and in whose name something hangs.
struct Place {
  std::uint16_t run = runtime::kNoRun;
  std::uint32_t generation = 0;
  bool probe = false;  // the run is a probe's, not a service's
  runtime::TextOffset operation = 0, file = 0, function = 0;
  std::uint32_t line = 0;
  std::array<char, 104> name{};
};
void say_where(Incident& incident, Place const& place);

// The handler that runs now or ran last.
Place handler_place(runtime::Tables& tables);

struct RunView {
  bool live = false;  // a probe's run
  bool torn = false;  // it moved while being read: it is not stuck
  RunFacts facts;
  Place place;                 // its deepest wait, the oldest of several
  std::int64_t lookup_ns = 0;  // since when it looks a name up; 0: it does not
  Place lookup;
};
// Without `orphan`, which costs a pass over all operations: see find_orphan.
RunView view_run(runtime::Tables& tables, std::uint16_t index);

// Is there a row at the tip of the run's stack for which nothing is pending? Then nothing will
// ever wake it.
bool find_orphan(runtime::Tables& tables, std::uint16_t index);

}  // namespace canary::watchdog
