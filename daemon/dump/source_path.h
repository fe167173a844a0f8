// SPDX-License-Identifier: Apache-2.0
// Where a source file is in the project, however the compiler was told of it.
// Thread: none (pure); async-signal-safe.
#pragma once

#include <string_view>

namespace canary::dump {

// "../../probes/http/client.cc", as a compiler cache has it, is "probes/http/client.cc".
constexpr std::string_view source_path(std::string_view path) {
  while (path.starts_with("../")) path.remove_prefix(3);
  return path;
}

}  // namespace canary::dump
