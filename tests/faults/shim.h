// SPDX-License-Identifier: Apache-2.0
// The test's end of the shim that is preloaded into canaryd.
// Thread: the one that made it; the process's threads meanwhile.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tests/faults/shim_control.h"

namespace canary::faults {

class Shim {
 public:
  // Makes the file that both map.
  explicit Shim(std::filesystem::path const& file);
  ~Shim();
  Shim(Shim const&) = delete;
  Shim& operator=(Shim const&) = delete;

  // For the process that is to have it.
  std::vector<std::string> environment() const;
  // Nobody but this process misbehaves: not its children, nor whoever wraps it.
  void aim_at(int process) { control_->process = process; }

  struct How {
    Misdeed misdeed = Misdeed::hang;
    std::string_view thread = "";  // prefix of its name; empty: any
    std::int64_t argument = 0, skip = 0, limit = 0;
    std::string_view path = "";  // a part of it; empty: any
  };
  void set(Call call, How how);
  // That thread misbehaves at once, whatever it is at, as Call::signal is set. Throws where the
  // process has no shim.
  void signal(int thread);
  void clear(Call call);
  void clear_all();
  std::int64_t hits(Call call) const;

  // From the `from`th on so many allocations of the threads fail: ",loop,cpu," names prefixes. 0:
  // they are counted only.
  void arm_allocations(std::string_view threads, std::int64_t from, std::int64_t count);
  void disarm_allocations() { control_->allocations.armed = 0; }
  std::int64_t allocations_seen() const { return control_->allocations.seen; }
  std::int64_t allocations_failed() const { return control_->allocations.failed; }

 private:
  std::filesystem::path file_;
  ShimControl* control_ = nullptr;
};

}  // namespace canary::faults
