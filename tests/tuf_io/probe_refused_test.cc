// SPDX-License-Identifier: Apache-2.0
// 403: missing where other files are served, and nothing learnt where none is.
#include <gmock/gmock.h>

#include "tests/tuf_io/io_world.h"

namespace canary::tuf {
namespace {

Published three_roots() {
  Repository repository = a_repository(kNow);
  add_root(repository);
  add_root(repository);
  return publish(repository);
}

void refuse_everything(ProbeWorld& world, Published const& published) {
  for (auto const& [path, content] : as_files(published)) world.server.answer(path, 403);
  world.server.answer("metadata/4.root.json", 403);
}

TEST(Probe, LearnsNothingWhereEverythingIsRefused) {
  Published const published = three_roots();
  ProbeWorld world{published};
  refuse_everything(world, published);
  probes::Report report = world.run();
  std::string const url = world.server.url("metadata/timestamp.json");
  EXPECT_EQ(bad(report), "unknown reachable " + url + " (http_status)\n");
  EXPECT_THAT(findings(report, "reachable")[0].message,
              testing::HasSubstr("refused or missing: the server answers 403"));
  EXPECT_TRUE(findings(report, "root_chain").empty()) << "whether 1 is the newest, nobody knows";

  world.serve(published);
  ASSERT_EQ(bad(world.run()), "");
  refuse_everything(world, published);
  EXPECT_EQ(bad(world.run()), "unknown reachable " + url + " (http_status)\n")
      << "nor that the roots of before are gone";
}

TEST(Probe, TakesARefusalForMissingWhereOtherFilesAreServed) {
  Published const published = three_roots();
  ProbeWorld world{published};
  world.server.answer("metadata/4.root.json", 403);
  EXPECT_EQ(bad(world.run()), "") << "the end of the chain, as storage services say it";
  world.server.answer("metadata/3.root.json", 403);
  EXPECT_EQ(bad(world.run()), "critical root_chain root (metadata_missing)\n")
      << "the one that was seen before";
  world.remember = false;
  world.serve(published);
  world.server.answer("metadata/timestamp.json", 403);
  EXPECT_EQ(bad(world.run()), "critical metadata timestamp (metadata_missing)\n");
}

TEST(Probe, ClaimsNothingOfRootsWhereNoFileWasServed) {
  Published const published = three_roots();
  ProbeWorld world{published};
  world.spec.metadata_url = url_of(world.server.url("elsewhere"));
  probes::Report const report = world.run();
  EXPECT_EQ(bad(report), "critical metadata timestamp (metadata_missing)\n");
  EXPECT_TRUE(findings(report, "root_chain").empty());
  EXPECT_TRUE(findings(report, "reachable").empty());
}

}  // namespace
}  // namespace canary::tuf
