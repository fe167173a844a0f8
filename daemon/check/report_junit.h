// SPDX-License-Identifier: Apache-2.0
// What a check found as JUnit's XML, which systems of continuous integration show: a testsuite a
// probe, a testcase a check.
// Thread: any (pure). Source: Jenkins' junit-10.xsd, which is what is read everywhere.
#pragma once

#include <string>
#include <vector>

#include "daemon/check/check.h"

namespace canary::daemon {

struct JunitStyle {
  bool quiet = false;    // only what failed
  bool explain = false;  // beside each finding that is not ok, what it means
};

// A check fails by its worst finding: `failure` for critical and warning, `error` for what could
// not be told. One that the kind knows and this run did not come to is `skipped`.
std::string report_junit(std::vector<CheckedProbe> const& checked, JunitStyle style);

}  // namespace canary::daemon
