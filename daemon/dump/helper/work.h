// SPDX-License-Identifier: Apache-2.0
// Turns raw dumps into text and JSON, keeps copies, forgets old ones.
// Thread: one (the helper's). May take its time and may hang: nobody waits.
#pragma once

#include <memory>
#include <string>

#include "daemon/dump/helper/held_files.h"
#include "daemon/dump/helper/retention.h"
#include "daemon/dump/helper/unwind.h"
#include "daemon/dump/read/document.h"

namespace canary::dump {

struct WorkPlace {
  std::string runtime;  // where raw dumps are written
  std::string state;    // where finished ones are kept; empty: nowhere else
  Retention limits;
};

class Work {
 public:
  explicit Work(WorkPlace place) : place_(std::move(place)) {}

  // Holds open what the process runs from, so that its functions keep their names over an upgrade.
  void hold_files_of(std::int32_t process) { held_.hold(process); }

  // Reads the raw dump, unwinds its stacks and names what they are in.
  DumpDocument read(std::string const& path);
  // Text and JSON beside the dump, copies in the state directory, limits kept. Returns what went
  // wrong; empty where nothing did.
  std::string finish(std::string const& path);
  // Dumps that an earlier process left behind unfinished.
  void finish_leftovers();

 private:
  void unwind(DumpDocument& document);
  AddressSpace& space_of(DumpDocument const& document);

  WorkPlace place_;
  HeldFiles held_;
  std::unique_ptr<AddressSpace> space_;  // of the last dump: mostly the next one's, too
  std::int32_t process_ = 0;
};

}  // namespace canary::dump
