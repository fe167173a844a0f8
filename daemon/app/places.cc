// SPDX-License-Identifier: Apache-2.0
#include "daemon/app/places.h"

#include <cstdlib>
#include <string_view>

#include "config/url.h"

namespace canary::daemon {

std::filesystem::path Places::probe(std::string_view name) const {
  return probes() / config::percent_encode(name);
}

Places places(std::filesystem::path const& state_directory) {
  char const* const given = std::getenv("RUNTIME_DIRECTORY");
  std::string_view runtime = given == nullptr ? "" : given;
  runtime = runtime.substr(0, runtime.find(':'));
  if (!runtime.starts_with('/')) return {state_directory, state_directory / "run"};
  return {state_directory, std::filesystem::path{runtime}};
}

}  // namespace canary::daemon
