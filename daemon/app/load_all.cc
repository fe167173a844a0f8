// SPDX-License-Identifier: Apache-2.0
#include "daemon/app/load_all.h"

#include <iterator>
#include <utility>

namespace canary::daemon {

Result<LoadedAll, std::vector<config::Problem>> load_all(AppOptions const& options) {
  auto config = options.load();
  if (options.web_config_file.empty()) {
    if (!config) return std::move(config).error();
    return LoadedAll{.config = std::move(config).value(), .access = nullptr};
  }
  auto access = read_web_access(options.web_config_file);
  if (config && access) {
    return LoadedAll{.config = std::move(config).value(), .access = std::move(access).value()};
  }
  std::vector<config::Problem> problems;
  if (!config) problems = std::move(config).error();
  if (!access) {
    auto& more = access.error();
    problems.insert(problems.end(), std::make_move_iterator(more.begin()),
                    std::make_move_iterator(more.end()));
  }
  return problems;
}

}  // namespace canary::daemon
