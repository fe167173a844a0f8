// SPDX-License-Identifier: Apache-2.0
// A finished dump as the helper left it.
// Thread: any.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <boost/json/object.hpp>

namespace canary::faults {

struct DumpFile {
  std::string path;
  std::string verdict;  // of the first incident
  boost::json::object content;

  // Where the function is in a native stack, or the wait in a run's stack: "name file:line";
  // nothing where it is not there or has no line.
  std::optional<std::string> place_of(std::string const& name) const;
};

// The first one below `folder` that is about that subject.
std::optional<DumpFile> find_dump(std::filesystem::path const& folder, std::string const& subject);

}  // namespace canary::faults
