// SPDX-License-Identifier: Apache-2.0
// A TUF repository in a folder, and its owner: signs it, then does what standard input says.
// Usage: story_repository FOLDER
//   expire SECONDS   publishes a new timestamp that is valid for so long
// Each order is answered by a line on standard output.
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <string>

#include "probes/tuf/authoring.h"

namespace {

namespace fs = std::filesystem;
using canary::tuf::Time;

Time now() { return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()); }

// As a careful owner does it: a reader sees the old file or the new one.
void write(fs::path const& folder, std::map<std::string, std::string> const& files) {
  for (auto const& [name, bytes] : files) {
    fs::path const path = folder / name;
    fs::create_directories(path.parent_path());
    std::ofstream{path.string() + ".new", std::ios::binary} << bytes;
    fs::rename(path.string() + ".new", path);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: story_repository FOLDER\n");
    return 2;
  }
  fs::path const folder = argv[1];
  auto repository = canary::tuf::a_repository(now());
  auto const publish = [&] {
    auto const published = canary::tuf::publish(repository);
    write(folder / "targets", published.targets);
    auto metadata = published.metadata;
    auto const timestamp = metadata.extract("timestamp.json");
    write(folder / "metadata", metadata);
    write(folder / "metadata", {{timestamp.key(), timestamp.mapped()}});  // last: it names the rest
    write(folder, {{"root.json", published.root(1)}});
    std::puts("published");
    std::fflush(stdout);
  };
  publish();
  std::string order;
  long valid = 0;
  while (std::cin >> order >> valid) {
    if (order != "expire") {
      std::fprintf(stderr, "story_repository: no such order: %s\n", order.c_str());
      return 2;
    }
    ++repository.timestamp.version;
    repository.timestamp.expires = now() + std::chrono::seconds{valid};
    publish();
  }
  return 0;
}
