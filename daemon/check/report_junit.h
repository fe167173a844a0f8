// SPDX-License-Identifier: Apache-2.0
// What a check found as JUnit's XML, which systems of continuous integration show: a testsuite a
// probe, a testcase a check.
// Thread: any (pure). Source: Jenkins' junit-10.xsd, which is what is read everywhere.
#pragma once

#include <string>
#include <vector>

#include "daemon/check/check.h"

namespace canary::daemon {

// A check fails by its worst finding: `failure` for critical and warning, `error` for what could
// not be told. One that the kind knows and this run did not come to is `skipped`. `quiet`: only
// what failed.
std::string report_junit(std::vector<CheckedProbe> const& checked, bool quiet);

}  // namespace canary::daemon
