// SPDX-License-Identifier: Apache-2.0
// A pinned root alone.
#include "probes/tuf/probe.h"
#include "tests/tuf_io/io_world.h"

namespace canary::tuf {
namespace {

probes::Report check(std::string bytes, Time now = kNow) {
  return check_root({.bytes = std::move(bytes), .name = "root.json"}, now,
                    {std::chrono::days{7}, {}});
}

TEST(RootCheck, SaysWhatItLookedAtWhereAllIsWell) {
  probes::Report const report = check(publish(a_repository(kNow)).root(1));
  EXPECT_EQ(report.severity(), probes::Severity::ok);
  for (std::string_view const checked : {"metadata", "signatures", "expiry"}) {
    EXPECT_EQ(findings(report, checked, "root").size(), 1U) << checked;
  }
  ASSERT_EQ(report.measurements.things.size(), 1U);
  EXPECT_EQ(report.measurements.things[0].numbers[kVersion], 1);
}

TEST(RootCheck, FitsThresholdsToTheFilesOwnTime) {
  Repository repository = a_repository(kNow);
  repository.roots[0].expires = kNow + std::chrono::days{7};
  RootFile file{.bytes = publish(repository).root(1), .name = "root.json", .last_modified = kNow};
  EXPECT_EQ(bad(check_root(file, kNow, ExpirySpec{}.root)), "");
  file.last_modified = kNow - std::chrono::days{358};
  EXPECT_EQ(bad(check_root(file, kNow, ExpirySpec{}.root)), "warning expiry root (expiring)\n");
}

TEST(RootCheck, FindsTheExpiryOfARootThatIsBadlySignedToo) {
  Repository repository = a_repository(kNow);
  repository.roots[0].root.signing = std::vector<SigningKey>{SigningKey::ed25519("untrusted")};
  EXPECT_EQ(bad(check(publish(repository).root(1), kNow + 2 * kYear)),
            "critical signatures root (threshold)\ncritical expiry root (expired)\n");
}

TEST(RootCheck, RefusesWhatIsNoRoot) {
  EXPECT_EQ(bad(check("{}")), "critical metadata root (parse)\n");
  EXPECT_EQ(bad(check(publish(a_repository(kNow)).metadata.at("timestamp.json"))),
            "critical metadata root (parse)\n");
}

TEST(RootCheck, WarnsOfAKeyThatStrictClientsRefuse) {
  Repository repository = a_repository(kNow);
  Signers& signers = repository.roots[0].root;
  signers.keys = {signers.keys[0].with_id(std::string(64, 'a'))};
  EXPECT_EQ(bad(check(publish(repository).root(1))), "warning signatures root (signature)\n");
}

}  // namespace
}  // namespace canary::tuf
