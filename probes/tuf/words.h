// SPDX-License-Identifier: Apache-2.0
// Numbers and spans as people say them.
// Thread: none (pure).
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace canary::tuf {

// "12 days 3 hours", "5 minutes": the two largest units. REQUIRES: not negative.
std::string words(std::chrono::seconds span);
// "1 target", "12 targets".
std::string count(std::uint64_t number, std::string_view noun);

}  // namespace canary::tuf
