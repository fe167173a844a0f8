// SPDX-License-Identifier: Apache-2.0
// Which phase of its life the daemon is in, as control says; systemd hears of each.
// Thread: the watchdog's. Allocates nothing, takes no lock.
#pragma once

#include <cstdint>

#include "daemon/watchdog/act/notify.h"
#include "daemon/watchdog/inputs.h"
#include "daemon/watchdog/tell/sentence.h"

namespace canary::watchdog {

class Phases {
 public:
  // Looks at what control said since. `runs`: that go on now.
  void look(Inputs const& inputs, Notifier& notifier, std::uint32_t runs, std::int64_t now_ns);

  bool stopping() const { return stopping_; }
  PhaseView::Phase phase() const;
  // Steps of control, and runs that ended since the stop: one that hangs is no progress.
  std::uint64_t progress(Inputs const& inputs, std::uint32_t runs);

 private:
  std::uint32_t ready_ = 0, reloading_ = 0, reloaded_ = 0;
  bool stopping_ = false;
  std::uint32_t draining_ = 0, drained_ = 0;  // runs that go on while stopping, and that ended
};

}  // namespace canary::watchdog
