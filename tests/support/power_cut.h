// SPDX-License-Identifier: Apache-2.0
// A power cut under another program, without root: a library that is preloaded into it
// (power_cut_preload.cc) notes down every change of files under a folder, and `happen` takes back
// what was not synced, wholly or in part, as a disk may have it afterwards.
//
//   PowerCut power{site / "state", site / "aside"};   // on one file system
//   Daemon daemon{power.around(command)};             // … which is killed with SIGKILL
//   power.happen(random);                             // and its files are as after a cut
//
// Thread: the test's, and `happen` while no program of `around` runs.
#pragma once

#include <filesystem>
#include <random>
#include <string>
#include <vector>

namespace canary::support {

class PowerCut {
 public:
  enum class Syncs : bool { count, do_nothing };

  PowerCut(std::filesystem::path folder, std::filesystem::path aside, Syncs syncs = Syncs::count);

  // `command` with the library preloaded.
  std::vector<std::string> around(std::vector<std::string> const& command) const;
  // Of each file, what was not synced is gone, or kept, or gone page by page; of each folder, the
  // names since its last sync are gone from some moment on.
  void happen(std::minstd_rand& random) const;

 private:
  std::filesystem::path folder_, aside_;
  Syncs syncs_;
};

}  // namespace canary::support
