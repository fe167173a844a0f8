// SPDX-License-Identifier: Apache-2.0
// One probe of the effective configuration as YAML.
// Thread: none (pure).
#pragma once

#include <string>

#include "config/probe_spec.h"

namespace canary::config {

// As show() has it: an entry of `probes`, every default written out, secrets masked.
std::string show_probe(ProbeSpec const& probe);

}  // namespace canary::config
