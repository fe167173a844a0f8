// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/tell/status.h"

namespace canary::watchdog {

std::string_view to_text(End end) {
  switch (end) {
    case End::unknown:
      return "unknown";
    case End::orderly:
      return "orderly";
    case End::aborted:
      return "aborted";
    case End::killed:
      return "killed";
  }
  return "unknown";
}

}  // namespace canary::watchdog
