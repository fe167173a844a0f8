// SPDX-License-Identifier: Apache-2.0
// The files that a process runs from (its program and libraries), held open from when they were
// first seen: an upgrade replaces them under their names, and the names of functions are in the old
// ones alone.
// Thread: one (the helper's).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace canary::dump {

class HeldFiles {
 public:
  HeldFiles() = default;
  ~HeldFiles();
  HeldFiles(HeldFiles const&) = delete;
  HeldFiles& operator=(HeldFiles const&) = delete;

  // Opens what /proc/PROCESS/maps names and is not held yet, if under that name there still is the
  // file that is mapped; lets go what another process ran from.
  void hold(std::int32_t process);

  // A descriptor of its own for the file that is mapped under `name` ("/usr/bin/x", or with
  // " (deleted)" behind it); -1 where it is not held.
  int open(std::string_view name) const;

 private:
  void release();

  std::int32_t process_ = 0;
  std::map<std::string, int, std::less<>> files_;  // by path
};

}  // namespace canary::dump
