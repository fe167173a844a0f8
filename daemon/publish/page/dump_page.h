// SPDX-License-Identifier: Apache-2.0
// The page at "/hangs/NAME": a dump to read. The line that is accused comes first; frames of
// libraries are folded.
// Thread: any (pure).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace canary::daemon::page {

// `json`: as the dump helper wrote it (daemon/dump/render). Nothing where it is none.
std::optional<std::string> dump_page(std::string const& name, std::string_view json);

}  // namespace canary::daemon::page
