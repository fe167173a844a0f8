// SPDX-License-Identifier: Apache-2.0
// The probe on repositories that others published. Skipped where the shared data is absent.
#include <cstdlib>

#include <gmock/gmock.h>

#include "probes/tuf/probe.h"
#include "tests/tuf_io/io_world.h"

namespace canary::tuf {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using probes::Severity;

fs::path shared_data() {
  char const* set = std::getenv("CANARY_SHARED_DATA");
  return fs::absolute(set != nullptr ? fs::path(set) : fs::path("../shared/data"));
}

Time day(std::chrono::year_month_day date) { return std::chrono::sys_days{date}; }

// A probe of a folder, by file: URLs.
class ProbedFolder : public testing::Test {
 protected:
  void use(fs::path const& root, fs::path const& metadata, fs::path const& targets) {
    world_.spec.root = root;
    world_.spec.metadata_url = file_url(metadata);
    world_.spec.targets_url = file_url(targets);
  }
  void use_tough(std::string const& name) {
    fs::path const folder = shared_data() / "tough" / name;
    if (!fs::exists(folder)) GTEST_SKIP() << folder << " is absent";
    use(folder / "metadata/1.root.json", folder / "metadata", folder / "targets");
  }
  // The one delegated role of Sigstore's targets: found by position.
  static std::string delegated(probes::Report const& report) {
    return report.measurements.things.at(4).name;
  }

  ProbeWorld world_{publish(a_repository(kNow))};
};

class SigstoreProbe : public ProbedFolder {
 protected:
  void SetUp() override {
    fs::path const archive = shared_data() / "sigstore.tar.gz";
    if (!fs::exists(archive)) GTEST_SKIP() << archive << " is absent";
    fs::path const folder = world_.folder.path();
    std::string const command = "tar -xzf '" + archive.string() + "' -C '" + folder.string() + "'";
    ASSERT_EQ(std::system(command.c_str()), 0);
    use(folder / "sigstore/metadata/1.root.json", folder / "sigstore/metadata",
        folder / "sigstore/targets");
    // What `check` uses where nothing is configured: a week for everybody.
    config::ExpiryThresholds const week{std::chrono::days{7}, {}};  // as it stands
    world_.spec.expiry = {week, week, week, week, week, {}};
  }
};

TEST_F(SigstoreProbe, WasHealthyWhileItWasValid) {
  probes::Report const report = world_.run(day(2026y / 8 / 1));
  EXPECT_EQ(bad(report), "");
  EXPECT_EQ(report.measurements.value(kTargetCount, kVerified), 12U);
  EXPECT_THAT(findings(report, "root_chain")[0].message, testing::HasSubstr("1 to root 15"));
  EXPECT_EQ(report.measurements.things.size(), 5U);
}

TEST_F(SigstoreProbe, HasExactlyThreeExpiredRolesInNovember) {
  probes::Report const report = world_.run(day(2026y / 11 / 24));
  EXPECT_EQ(bad(report),
            "critical expiry root (expired)\n"
            "critical expiry timestamp (expired)\n"
            "critical expiry " +
                delegated(report) + " (expired)\n");
  EXPECT_EQ(report.measurements.value(kTargetCount, kVerified), 12U);
}

TEST_F(SigstoreProbe, MissesATargetThatIsGoneAndOneThatChanged) {
  auto const targets = world_.folder.path() / "sigstore/targets";
  for (auto const& entry : fs::directory_iterator(targets)) {
    if (entry.path().string().ends_with(".ctfe.pub")) fs::remove(entry.path());
    if (entry.path().string().ends_with(".rekor.pub")) {
      std::string content = read_file(entry.path());
      content[50] ^= 1;
      write_folder(targets, {{entry.path().filename().string(), content}});
    }
  }
  EXPECT_EQ(bad(world_.run(day(2026y / 8 / 1))),
            "critical targets ctfe.pub (target_missing)\n"
            "critical targets rekor.pub (hash_mismatch)\n");
}

TEST_F(SigstoreProbe, IsComparedWithWhatWasTrustedBefore) {
  ASSERT_EQ(bad(world_.run(day(2026y / 8 / 1))), "");
  probes::Report const again = world_.run(day(2026y / 8 / 2));
  EXPECT_EQ(bad(again), "");
  EXPECT_THAT(findings(again, "rollback")[0].message, testing::HasSubstr("not older"));
}

using Tough = ProbedFolder;

TEST_F(Tough, ConsistentSnapshots) {
  use_tough("consistent-snapshots");
  if (IsSkipped()) return;
  probes::Report const report = world_.run(day(2020y / 1 / 1));
  EXPECT_EQ(bad(report), "");
  EXPECT_EQ(report.measurements.value(kTargetCount, kVerified), 2U);
}

TEST_F(Tough, ReferenceImplementation) {
  use_tough("tuf-reference-impl");
  if (IsSkipped()) return;
  probes::Report const report = world_.run(day(2020y / 1 / 1));
  EXPECT_EQ(bad(report), "");
  EXPECT_EQ(report.measurements.value(kTargetCount, kVerified), 3U);
  EXPECT_EQ(findings(report, "delegations")[0].message, "2 delegated roles verified");
}

TEST_F(Tough, SafeTargetPaths) {
  use_tough("safe-target-paths");
  if (IsSkipped()) return;
  probes::Report const report = world_.run(day(2020y / 1 / 1));
  // tough matches the delegation's pattern after cleaning the path, other clients before.
  // Nor do they ask for the same: some clean the name, some send it as it stands.
  EXPECT_EQ(bad(report),
            "warning targets foo/../bar/../baz/../data1.txt (target_missing)\n"
            "warning targets foo/bar/baz/../data2.txt (target_missing)\n"
            "warning delegations ../delegated/foo/../subdir/data3.txt (target_missing)\n");
  EXPECT_EQ(report.measurements.value(kTargetCount, kVerified), 2U);
}

// Fractions of a second in `expires` everywhere, and names that want to leave the folder.
TEST_F(Tough, DubiousRoleNames) {
  use_tough("dubious-role-names");
  if (IsSkipped()) return;
  probes::Report const report = world_.run(day(2021y / 2 / 1));
  EXPECT_EQ(report.severity(), Severity::warning);
  EXPECT_EQ(findings(report, "metadata").size(), 6U);
  EXPECT_EQ(findings(report, "delegations")[0].message, "3 delegated roles verified");
  EXPECT_EQ(report.measurements.value(kTargetCount, kVerified), 2U);
}

TEST_F(Tough, ExpiredRepository) {
  use_tough("expired-repository");
  if (IsSkipped()) return;
  EXPECT_EQ(bad(world_.run(day(2020y / 1 / 1))), "critical expiry timestamp (expired)\n");
}

TEST_F(Tough, RotatedRoot) {
  fs::path const folder = shared_data() / "tough/rotated-root";
  if (!fs::exists(folder)) GTEST_SKIP() << folder << " is absent";
  use(folder / "1.root.json", folder, shared_data() / "tough/targets");
  probes::Report const report = world_.run(day(2020y / 1 / 1));
  EXPECT_EQ(bad(report), "");
}

// One defect per folder where there is nothing but a root.
struct LoneRoot {
  std::string folder;
  std::string expected;
};

class ToughRoot : public testing::TestWithParam<LoneRoot> {};

TEST_P(ToughRoot, IsReportedAsWhatItIs) {
  fs::path const folder = shared_data() / "tough" / GetParam().folder;
  if (!fs::exists(folder)) GTEST_SKIP() << folder << " is absent";
  fs::path const file =
      fs::exists(folder / "root.json") ? folder / "root.json" : folder / "1.root.json";
  probes::Report const report = check_root({read_file(file), file.filename().string()},
                                           day(2019y / 12 / 1), {std::chrono::days{7}, {}});
  EXPECT_EQ(bad(report), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Each, ToughRoot,
    testing::Values(
        LoneRoot{"simple-rsa", ""}, LoneRoot{"pem-encoded-ecdsa-sig-keys", ""},
        LoneRoot{"ecdsa-new-type-sig-keys", ""},
        LoneRoot{"cross-sign-root", "critical signatures root (threshold)\n"},
        LoneRoot{"duplicate-keyid", "critical metadata root (parse)\n"},
        LoneRoot{"duplicate-sig-keys", "critical metadata root (parse)\n"},
        LoneRoot{"duplicate-sigs", "critical metadata root (parse)\n"},
        LoneRoot{"expired-root-json-signature", "critical expiry root (expired)\n"},
        LoneRoot{"hex-encoded-ecdsa-sig-keys",
                 "warning signatures root (signature)\nwarning metadata root (parse)\n"},
        LoneRoot{"invalid-root-json-signature", "critical signatures root (signature)\n"},
        LoneRoot{"mismatched-root-json-keyids",
                 "critical signatures root (threshold)\nwarning signatures root (signature)\n"},
        LoneRoot{"no-root-json-signatures", "critical signatures root (threshold)\n"}),
    [](auto const& info) {
      std::string name = info.param.folder;
      std::erase(name, '-');
      return name;
    });

}  // namespace
}  // namespace canary::tuf
