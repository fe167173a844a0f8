// SPDX-License-Identifier: Apache-2.0
// Which known name somebody probably meant.
// Thread: none (pure).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace canary::config {

// "did you mean interval?" when one of `known` is close to `given` (edits of a letter and swaps of
// neighbours, about one per three letters, or the rest of a word; case is ignored), else "".
std::string did_you_mean(std::string_view given, std::vector<std::string> const& known);

}  // namespace canary::config
