// SPDX-License-Identifier: Apache-2.0
// What to do where no probe runs yet.
// Thread: any (pure).
#pragma once

#include <string>
#include <string_view>

namespace canary::daemon {

// One line.
std::string first_steps(std::string_view config_file);

}  // namespace canary::daemon
