// SPDX-License-Identifier: Apache-2.0
// Reading of `discovery`, and of what a list from outside may name.
// Thread: any but the loop's (looks at files).
#include <algorithm>
#include <system_error>
#include <utility>

#include "config/read_file.h"
#include "config/reader.h"
#include "config/touched_files.h"

namespace canary::config {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostSources = 32;

// Does `path` lie in `folder`, when all links are followed? True where that cannot be told: whoever
// opens it says why.
bool stays_inside(fs::path const& folder, fs::path const& path) {
  std::error_code failed;
  about_to_touch(path);
  auto const real_folder = fs::canonical(folder, failed);
  if (failed) return true;
  auto const real = fs::canonical(path, failed);
  if (failed) return true;
  auto const [end, rest] =
      std::mismatch(real_folder.begin(), real_folder.end(), real.begin(), real.end());
  return end == real_folder.end();
}

}  // namespace

void Reader::discovery(Field field, std::vector<DiscoverySource>& value) {
  auto const at = fields_->find(field.name);
  auto const list =
      at ? at->list("a list of {name: NAME, url: URL} or {name: NAME, file: PATH}") : std::nullopt;
  if (!list) return;
  if (list->size() > kMostSources) {
    at->fail("expected at most " + std::to_string(kMostSources) + " sources, got " +
             std::to_string(list->size()));
    return;
  }
  for (auto const& element : *list) {
    inside(element, [&] {
      auto source = discovery_source(element);
      if (!source) return;
      if (std::ranges::find(value, source->name, &DiscoverySource::name) != value.end()) {
        element.fail("the same name twice: " + source->name);
        return;
      }
      value.push_back(*std::move(source));
    });
  }
}

std::optional<DiscoverySource> Reader::discovery_source(yaml::Cursor const& at) {
  auto const before = at.problem_count();
  DiscoverySource source;
  describe_source(*this, source);
  auto const folder = fields_->find("files");
  if (folder && source.files && options_.use_files) {
    std::error_code failed;
    about_to_touch(*source.files);
    if (!fs::is_directory(*source.files, failed)) {
      folder->fail("expected a folder, got " + folder->got() +
                   (failed ? ": " + failed.message() : std::string{}));
    }
  }
  if (at.problem_count() != before) return std::nullopt;
  return source;
}

std::optional<fs::path> Reader::path_of_list(yaml::Cursor const& at, std::string const& name,
                                             bool readable) {
  auto const& files = options_.list->files;
  if (!files) {
    at.fail("a list may name no file unless its source in the main file has `files`, a folder");
    return std::nullopt;
  }
  fs::path const given{name};
  bool const leaves = std::ranges::find(given, fs::path{".."}) != given.end();
  if (given.is_absolute() || leaves) {
    at.fail("expected the name of a file in the source's folder of files, without .., got " +
            at.got());
    return std::nullopt;
  }
  auto path = (*files / given).lexically_normal();
  if (!options_.use_files) return path;
  if (!stays_inside(*files, path)) {
    at.fail("expected the name of a file in the source's folder of files, got " + at.got() +
            ", which leads out of it");
    return std::nullopt;
  }
  if (auto const why = readable ? why_unreadable(path) : std::nullopt) {
    at.fail("expected a readable file: " + *why);
    return std::nullopt;
  }
  return path;
}

}  // namespace canary::config
