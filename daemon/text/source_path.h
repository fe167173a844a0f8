// SPDX-License-Identifier: Apache-2.0
// Where a source file is in the project, however the compiler was told of it.
// Thread: none (pure); async-signal-safe.
#pragma once

#include <string_view>

namespace canary {

// "../../probes/fetch/client.cc", as a compiler cache has it, is "probes/fetch/client.cc".
constexpr std::string_view source_path(std::string_view path) {
  // By hand: starts_with() may throw, in theory.
  while (path.size() > 3 && path[0] == '.' && path[1] == '.' && path[2] == '/') {
    path = {path.data() + 3, path.size() - 3};
  }
  return path;
}

}  // namespace canary
