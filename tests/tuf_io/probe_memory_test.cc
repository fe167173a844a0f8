// SPDX-License-Identifier: Apache-2.0
// What a probe remembers from run to run, and what of it is never trusted.
#include <gmock/gmock.h>

#include "probes/tuf/parse.h"
#include "probes/tuf/probe.h"
#include "probes/tuf/verified_signatures.h"
#include "tests/tuf_io/io_world.h"

namespace canary::tuf {
namespace {

using std::chrono::days;

class ProbeMemory : public testing::Test {
 protected:
  Files stored() const { return read_folder(world_.folder.path() / "state"); }
  void next_version() {
    ++repository_.timestamp.version;
    ++repository_.snapshot.version;
    ++repository_.targets.version;
    world_.serve(publish(repository_));
  }

  Repository repository_ = a_repository(kNow);
  ProbeWorld world_{publish(repository_)};
};

TEST_F(ProbeMemory, FindsARollbackAcrossRuns) {
  Published const old = publish(repository_);
  next_version();
  ASSERT_EQ(bad(world_.run()), "");
  world_.serve(old);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(bad(world_.run()), "critical rollback timestamp (rollback)\n") << "and stays so";
  }
  world_.remember = false;
  EXPECT_EQ(bad(world_.run()), "") << "a newcomer can't know";
}

TEST_F(ProbeMemory, FindsARoleThatSnapshotNoLongerLists) {
  repository_.targets.delegations = {
      {.name = "gone", .signers = {.keys = {SigningKey::ed25519("d")}}, .paths = {"d/*"}}};
  next_version();
  ASSERT_EQ(bad(world_.run()), "");
  repository_.targets.delegations.clear();
  next_version();
  EXPECT_EQ(bad(world_.run()), "critical rollback gone (rollback)\n");
}

TEST_F(ProbeMemory, SaysWhetherThereWasAnythingToCompareWith) {
  EXPECT_THAT(findings(world_.run(), "rollback")[0].message, testing::HasSubstr("the first"));
  EXPECT_THAT(findings(world_.run(), "rollback")[0].message,
              testing::HasSubstr("not older than what was trusted before"));
}

TEST_F(ProbeMemory, AsksTheServerForEverythingEachTime) {
  ASSERT_EQ(bad(world_.run()), "");
  auto const first = world_.server.take_requests();
  ASSERT_EQ(bad(world_.run()), "");
  EXPECT_THAT(world_.server.take_requests(), testing::UnorderedElementsAreArray(first));
}

TEST_F(ProbeMemory, KeepsNothingOfAnExpiredChainButRoots) {
  repository_.timestamp.expires = kNow - days{1};
  add_root(repository_);
  world_.serve(publish(repository_));
  ASSERT_EQ(bad(world_.run()), "critical expiry timestamp (expired)\n");
  Files files = stored();
  EXPECT_EQ(files.erase("root.json"), 1U);
  EXPECT_EQ(files.erase("pinned.sha256"), 1U);
  EXPECT_EQ(files.erase("versions.seen"), 1U)
      << "when what was seen, which is trusted with nothing";
  EXPECT_TRUE(files.empty());
}

TEST_F(ProbeMemory, MissesARootThatNewClientsNeed) {
  add_root(repository_);
  add_root(repository_);
  Published published = publish(repository_);
  world_.serve(published);
  ASSERT_EQ(bad(world_.run()), "");
  published.metadata.erase("2.root.json");
  world_.serve(published);
  EXPECT_EQ(bad(world_.run()), "critical root_chain root (metadata_missing)\n");
  published = publish(repository_);
  published.metadata.erase("3.root.json");
  world_.serve(published);
  EXPECT_EQ(bad(world_.run()), "critical root_chain root (metadata_missing)\n")
      << "the newest one was trusted before";
}

TEST_F(ProbeMemory, FindsARootWithOtherContentUnderTheSameVersion) {
  add_root(repository_);
  world_.serve(publish(repository_));
  ASSERT_EQ(bad(world_.run()), "");
  repository_.roots[1].expires += days{1};
  world_.serve(publish(repository_));
  EXPECT_EQ(bad(world_.run()), "critical root_chain root (equivocation)\n");
}

// What is known to be valid is taken for valid; a signature that nobody could have verified shows
// it.
TEST_F(ProbeMemory, DoesNotVerifyASignatureTwice) {
  TrustMemory::Threads const threads{world_.machine.disk, world_.machine.cpu};
  world_.memory = std::make_shared<TrustMemory>(world_.folder.path() / "state", threads,
                                                world_.machine.loop.executor());
  Published published = publish(repository_);
  std::string& timestamp = published.metadata.at("timestamp.json");
  auto const begin = timestamp.find("\"sig\":\"") + 7;
  timestamp.replace(begin, timestamp.find('"', begin) - begin, "00");
  world_.serve(published);
  ASSERT_THAT(bad(world_.run()), testing::HasSubstr("signature"));

  auto const root = parse_root(published.root(1));
  auto const parsed = parse_timestamp(timestamp);
  ASSERT_TRUE(root && parsed);
  auto const& content = root.value().content;
  Key const* const key = find_key(content.keys, content.timestamp.keyids.at(0));
  Message message{parsed.value().signed_bytes};
  world_.memory->verified->add(VerifiedSignatures::id_of(*key, "00", message),
                               {.fingerprint = "f"});
  EXPECT_EQ(bad(world_.run()), "");
}

TEST_F(ProbeMemory, StartsAnewFromAnotherPinnedRoot) {
  ASSERT_EQ(bad(world_.run()), "");
  Repository other = a_repository(kNow);
  other.roots[0].root.keys = {SigningKey::ed25519("another repository")};
  other.timestamp.version = 7;
  Published const published = publish(other);
  world_.serve(published);
  write_folder(world_.folder.path(), {{"pinned.json", published.root(1)}});
  EXPECT_EQ(bad(world_.run()), "");
  EXPECT_EQ(stored().at("root.json"), published.root(1));
}

TEST_F(ProbeMemory, PassesOverAStoredRootThatIsOlderThanThePinnedOne) {
  add_root(repository_);
  Published const published = publish(repository_);
  world_.serve(published);
  write_folder(world_.folder.path(), {{"pinned.json", published.root(2)}});
  ASSERT_EQ(bad(world_.run()), "");
  write_folder(world_.folder.path() / "state", {{"root.json", published.root(1)}});
  world_.server.take_requests();
  probes::Report const report = world_.run();
  EXPECT_EQ(bad(report), "warning store root (internal)\n");
  EXPECT_THAT(findings(report, "store")[0].evidence,
              testing::HasSubstr("older than the pinned root: version 1, pinned is 2"));
  EXPECT_THAT(world_.server.take_requests(),
              testing::Not(testing::Contains("metadata/2.root.json")));
  EXPECT_EQ(stored().at("root.json"), published.root(2));
}

class ManyRoots : public ProbeMemory {
 protected:
  ManyRoots() {
    for (int i = 0; i < 6; ++i) add_root(repository_);
    world_.serve(publish(repository_));
  }
};

TEST_F(ManyRoots, GiveTheSameVerdictInEveryRun) {
  world_.spec.limits.root_rotations = 4;
  for (int run = 0; run < 3; ++run) {
    probes::Report const report = world_.run();
    EXPECT_EQ(bad(report), "warning root_chain root (size_limit)\n") << run;
    EXPECT_EQ(
        findings(report, "root_chain")[0].message,
        "there are more than 4 roots after the pinned root 1; what follows was judged by root "
        "5. python-tuf and go-tuf take 256 new roots in one refresh and work with the last of "
        "them, tough gives up after 1,024: ship a newer root with them, pin a newer one here, "
        "or raise limits.root_rotations");
    EXPECT_EQ(report.measurements.things[0].numbers[kVersion], 5);
  }
}

TEST_F(ManyRoots, AreWalkedToTheEndWithinTheLimit) {
  world_.spec.limits.root_rotations = 6;
  for (int run = 0; run < 2; ++run) {
    EXPECT_EQ(bad(world_.run()), "") << run;
    EXPECT_EQ(stored().at("root.json"), publish(repository_).root(7)) << run;
  }
}

TEST_F(ManyRoots, AreJudgedAnewWhenTheLimitIsLowered) {
  ASSERT_EQ(bad(world_.run()), "");
  world_.spec.limits.root_rotations = 4;
  EXPECT_EQ(bad(world_.run()), "warning root_chain root (size_limit)\n");
}

TEST_F(ProbeMemory, GoesOnFromThePinnedRootWhereTheStoredOneIsGarbage) {
  add_root(repository_);
  world_.serve(publish(repository_));
  ASSERT_EQ(bad(world_.run()), "");
  write_folder(world_.folder.path() / "state", {{"root.json", "garbage"}});
  EXPECT_EQ(bad(world_.run()), "warning store root (internal)\n");
  EXPECT_EQ(bad(world_.run()), "") << "and repairs it";
}

TEST_F(ProbeMemory, WatchesOnWhereItCannotRemember) {
  write_folder(world_.folder.path(), {{"state", "a file in the way"}});
  probes::Report const report = world_.run();
  EXPECT_EQ(bad(report),
            "warning store " + (world_.folder.path() / "state").string() + " (internal)\n");
  EXPECT_EQ(report.measurements.value(kTargetCount, kVerified), 2U);
}

TEST_F(ProbeMemory, RecoversFromAFastForwardWhenKeysAreRotated) {
  repository_.timestamp.version = repository_.snapshot.version = 1'000'000;
  world_.serve(publish(repository_));
  ASSERT_EQ(bad(world_.run()), "");
  repository_.timestamp.version = repository_.snapshot.version = 2;
  RootSpec& root = add_root(repository_);
  root.timestamp.keys = {SigningKey::ed25519("new timestamp")};
  root.snapshot.keys = {SigningKey::ed25519("new snapshot")};
  world_.serve(publish(repository_));
  EXPECT_EQ(bad(world_.run()), "");
  // From now on the rotation is history: it must not switch the comparison off for ever.
  next_version();
  ASSERT_EQ(bad(world_.run()), "");
  --repository_.timestamp.version;
  world_.serve(publish(repository_));
  EXPECT_EQ(bad(world_.run()), "critical rollback timestamp (rollback)\n");
}

}  // namespace
}  // namespace canary::tuf
