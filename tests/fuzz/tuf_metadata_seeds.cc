// SPDX-License-Identifier: Apache-2.0
// Writes the corpus that tuf_metadata_fuzz starts from: tuf_metadata_seeds FOLDER.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "probes/tuf/delegation.h"
#include "tests/fuzz/tuf_world.h"

namespace {

using namespace canary::tuf;

std::string input(std::vector<std::string> const& parts) {
  std::string joined;
  for (std::string const& part : parts) joined.append(part).push_back('\0');
  return joined;
}

std::string timestamp() { return timestamp_json({1, fuzz::kNow}, {"snapshot.json", 1}); }

std::string snapshot(std::vector<std::string> const& roles) {
  std::vector<ListedFile> files;
  for (std::string const& role : roles) files.push_back({role + ".json", 1});
  return snapshot_json({1, fuzz::kNow}, files);
}

TargetsSpec a_targets() {
  return {.expires = fuzz::kNow, .files = {{"hello.txt", "hello\n"}, {"a/b", ""}}};
}

std::vector<std::string> seeds() {
  RootSpec next = fuzz::root_spec();
  next.version = 2;
  Signers const signers{{fuzz::signer()}};
  TargetsSpec delegating = a_targets();
  delegating.delegations = {{"x", signers, {"a/*", "*.txt"}, {}, true},
                            {"y", signers, {}, {"0", "ff"}}};
  TargetsSpec cyclic = a_targets();
  cyclic.delegations = {{"y", signers, {"*"}}};
  TargetsSpec bins = a_targets();
  bins.succinct = SuccinctSpec{signers, 2, "bin"};
  std::string const plain = targets_json(a_targets(), true);
  return {
      input({"", timestamp(), snapshot({"targets"}), plain}),
      input({root_json(next), timestamp(), snapshot({"targets"}), plain}),
      input({"", timestamp(), snapshot({"targets", "x", "y"}), targets_json(delegating),
             targets_json(cyclic), plain, plain}),
      input({"", timestamp(), snapshot({"targets", "bin-0", "bin-1", "bin-2", "bin-3"}),
             targets_json(bins), plain, plain, plain, plain}),
      fuzz::root(),
      sign_metadata(timestamp(), std::vector{fuzz::signer()}),
      sign_metadata(snapshot({"targets", "x"}), std::vector{fuzz::signer()}),
      sign_metadata(targets_json(delegating), std::vector{fuzz::signer()}),
  };
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 1;
  }
  std::filesystem::create_directories(argv[1]);
  int number = 0;
  for (std::string const& seed : seeds()) {
    std::ofstream file(std::filesystem::path(argv[1]) / ("seed" + std::to_string(number++)),
                       std::ios::binary);
    file << seed;
    if (!file) return 1;
  }
  return 0;
}
