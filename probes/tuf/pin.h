// SPDX-License-Identifier: Apache-2.0
// What is to be said of a pinned root that can't be trusted. It is a file of ours: where it is no
// TUF root at all, that is our configuration's fault and not the repository's.
// Thread: none (pure).
#pragma once

#include <string>

#include "probes/report.h"
#include "probes/tuf/rejection.h"

namespace canary::tuf {

// `file` names the pin.
probes::Finding pin_finding(std::string const& file, Rejection const& why);

}  // namespace canary::tuf
