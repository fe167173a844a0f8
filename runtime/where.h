// SPDX-License-Identifier: Apache-2.0
// Where a run stands, by its rows in the tables: for who gives it up and says so.
// Thread: any, without a lock.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace canary::runtime {

// The innermost row of the run of that name: "http.first_byte (127.0.0.1) for 2.9 s, at
// probes/fetch/exchange.cc:77"; of several branches the one that has stood longest among the
// deepest. Empty where there is no such run, or it moves too fast to be read.
std::string where_it_stands(std::string_view run);

// Changes whenever the run moves: bytes received, steps done, functions entered or left. A wait
// that only looks at its limit now and then is no move.
std::uint64_t moves_of(std::string_view run);

}  // namespace canary::runtime
