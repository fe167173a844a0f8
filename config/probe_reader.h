// SPDX-License-Identifier: Apache-2.0
// Reads the probes of files and of lists: each starts from the defaults of its kind, names are
// unique over all of them.
// Thread: any but the loop's (looks at files).
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/reader.h"
#include "config/waits.h"
#include "config/yaml.h"

namespace canary::config {

class ProbeReader {
 public:
  // `defaults` has one for each kind, in the order of `options.kinds`; `options.folder` is of each
  // call.
  ProbeReader(ReadOptions options, std::vector<ProbeSpec> defaults);

  std::vector<ProbeSpec>& defaults() { return defaults_; }
  WaitRule& waits() { return waits_; }
  // Who has a name already ("the list of fleet"); "" where it is free. Beside those that are read.
  void set_taken(std::function<std::string(std::string_view)> taken) { taken_ = std::move(taken); }

  // The `probes` of a file; true where they are said to be none (`probes: []`).
  bool read(yaml::Fields& fields, std::filesystem::path const& folder);
  // Of those that were read; those with problems are among them where `all`.
  std::vector<ProbeSpec> take(bool all);

 private:
  void read_probe(yaml::Cursor const& at, std::filesystem::path const& folder);
  std::optional<std::string> read_name(yaml::Fields& fields);
  std::optional<std::size_t> find_kind(yaml::Fields& fields);
  void refuse_http(yaml::Fields& fields, ProbeSpec const& probe);
  ReadOptions options_in(std::filesystem::path const& folder, bool use_files = true) const;

  ReadOptions options_;
  std::vector<ProbeSpec> defaults_;
  WaitRule waits_;
  std::function<std::string(std::string_view)> taken_;
  std::map<std::string, std::string> first_place_;  // of a probe's name: "file:line"
  std::vector<ProbeSpec> probes_;
  std::vector<bool> good_;  // of each of them: it was read without a problem
};

// What canaryd is told beside probes belongs into the main file.
void refuse_main_fields(yaml::Fields& fields);

// What probes start from where nothing else is said, one for each kind.
std::vector<ProbeSpec> built_in_defaults(Kinds const& kinds);

}  // namespace canary::config
