// SPDX-License-Identifier: Apache-2.0
// When certificates end, and when that becomes a warning.
#include "probes/certificate_end.h"

#include <gtest/gtest.h>

#include "probes/fetched.h"

namespace canary::probes {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;

constexpr std::chrono::sys_seconds kNow{1'790'000'000s};

// The threshold of fourteen days fits a certificate of six, as some authorities issue them.
TEST(CertificateEnd, OfASixDayCertificateIsAWarningInItsLastThird) {
  fetch::Totals totals;
  totals.certificates["a:443"] = {kNow, kNow + days{6}};
  Measurements measured;
  add_totals(measured, totals);
  EXPECT_EQ(measured.certificates, (CertificateEnds{kNow + days{6}, kNow + days{4}}));
}

// One ends sooner, the other is a warning sooner.
TEST(CertificateEnd, OfSeveralIsTheFirstEndAndTheFirstWarning) {
  fetch::Totals totals;
  totals.certificates["short:443"] = {kNow - days{1}, kNow + days{5}};
  totals.certificates["long:443"] = {kNow - days{80}, kNow + days{10}};
  Measurements measured;
  add_totals(measured, totals);
  EXPECT_EQ(measured.certificates, (CertificateEnds{kNow + days{5}, kNow - days{4}}));
}

TEST(CertificateEnd, IsNotKnownWhereNoneWasSeen) {
  Measurements measured;
  add_totals(measured, {});
  EXPECT_EQ(measured.certificates, std::nullopt);
}

}  // namespace
}  // namespace canary::probes
