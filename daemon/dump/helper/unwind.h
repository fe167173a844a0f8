// SPDX-License-Identifier: Apache-2.0
// Callers of a copied stack, by the frame information of the program and its libraries, and the
// functions, files and lines they are in.
// Thread: one (the helper's). Allocates and reads files as it likes.
// Source: elfutils' libdwfl.h, version 0.188.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "daemon/dump/helper/held_files.h"
#include "daemon/dump/read/document.h"

namespace canary::dump {

// The address space of a process as it was when the dump was written. Keeps what it has looked up.
class AddressSpace {
 public:
  // `maps` is /proc/PID/maps'; `vdso` where the kernel's own code is, 0 for nowhere. `held` has the
  // files that are no longer found under their names; it outlives this.
  AddressSpace(std::string maps, std::int32_t process, std::uint64_t vdso, HeldFiles const& held);
  ~AddressSpace();
  AddressSpace(AddressSpace const&) = delete;
  AddressSpace& operator=(AddressSpace const&) = delete;

  std::string const& maps() const { return maps_; }
  // Fills `stack.frames`, `complete` and `note`. `live`: what was not copied may be read from the
  // process, which still is what it was.
  void unwind(NativeStack& stack, bool live);

 private:
  struct Impl;
  std::string maps_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace canary::dump
