// SPDX-License-Identifier: Apache-2.0
// What a person's browser gets while the HTTP server hangs: one screen, in words, renewed by
// itself. Thread: none (pure). Allocates nothing.
#pragma once

#include <string_view>

#include "daemon/text/fixed_text.h"

namespace canary::watchdog {

using EmergencyScreen = ShortText<8'191>;

// `reason`: why canaryd is not healthy. `not_live`: why only a restart helps; "": it lives. `page`:
// the emergency page, whose first comments say what hangs.
void write_screen(EmergencyScreen& screen, std::string_view reason, std::string_view not_live,
                  std::string_view page);

}  // namespace canary::watchdog
