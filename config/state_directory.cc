// SPDX-License-Identifier: Apache-2.0
#include "config/state_directory.h"

#include <system_error>
#include <utility>

#include "config/config.h"
#include "config/reader.h"
#include "config/yaml.h"

namespace canary::config {

Result<std::filesystem::path, std::vector<Problem>> load_state_directory(
    std::filesystem::path const& file) {
  Problems problems;
  auto const root = yaml::parse_file(file, problems);
  if (!root) return problems.take();
  auto directory = Config{}.state_directory;
  yaml::Cursor const top(*root, file.string(), problems);
  yaml::Fields fields(top);
  std::error_code ignored;
  auto const folder = std::filesystem::absolute(file, ignored).lexically_normal().parent_path();
  Environment const none;
  Reader(fields, {folder, &none, nullptr, false}).folder({"state_directory"}, directory);
  if (!problems.empty()) return problems.take();
  return directory;
}

}  // namespace canary::config
