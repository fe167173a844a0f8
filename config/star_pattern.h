// SPDX-License-Identifier: Apache-2.0
// Patterns with `*`, as they stand in a configuration for names and subjects.
// Thread: none (pure).
#pragma once

#include <string_view>

namespace canary::config {

// Does the whole of `text` match, where `*` in the pattern stands for any text, none included? The
// time is that of the product of their lengths at most.
bool matches_stars(std::string_view pattern, std::string_view text);

}  // namespace canary::config
