// SPDX-License-Identifier: Apache-2.0
// The hostile answers that every kind of probe over HTTP has to end on.
// Thread: any.
#pragma once

#include <string>
#include <vector>

#include "tests/support/hostile_server.h"

namespace canary::support {

struct HostileAnswer {
  std::string name;
  Script script;
};
// Some are silent or slow without end: the client's own limits end them.
std::vector<HostileAnswer> hostile_answers();
// REQUIRES: there is one of that name.
Script hostile_answer(std::string const& name);

}  // namespace canary::support
