// SPDX-License-Identifier: Apache-2.0
// The page at "/runbook": docs/runbook.md as it was when the program was built. "/runbook#ALERT" is
// what to do when that alert fires.
// Thread: any (pure).
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace canary::daemon::page {

std::string runbook_page();

// One after another they are a template. Written by runbook.py.
std::span<std::string_view const> runbook_pieces();

}  // namespace canary::daemon::page
