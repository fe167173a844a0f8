// SPDX-License-Identifier: Apache-2.0
// The probe of a repository that Debian's nginx serves with TLS, and of servers that answer as no
// server should.
#include <chrono>
#include <filesystem>
#include <string>

#include "tests/support/certificates.h"
#include "tests/support/hostile_answers.h"
#include "tests/support/nginx.h"
#include "tests/tuf_io/io_world.h"

namespace canary::tuf {
namespace {

using namespace std::chrono_literals;
using probes::Reason;
using probes::Severity;

TEST(RealServer, ARepositoryBehindNginxWithTlsIsWell) {
  if (!support::Nginx::installed()) GTEST_SKIP() << "nginx is not installed";
  Published const published = publish(a_repository(kNow));
  ProbeWorld world{published};
  auto const folder = world.folder.path() / "nginx";
  write_folder(folder / "root", as_files(published));
  support::CertificateAuthority const ours{world.folder.path(), "ca"};
  support::Nginx const nginx{folder, ours.issue({.addresses = {"127.0.0.1"}})};
  world.http.ca_file = ours.certificate();
  world.spec.metadata_url = url_of(nginx.tls_url("/metadata"));
  world.spec.targets_url = url_of(nginx.tls_url("/targets"));
  world.spec.targets = {config::Selection::Kind::all, {}};
  auto const report = world.run();
  EXPECT_EQ(bad(report), "");
  EXPECT_TRUE(report.complete);
  EXPECT_TRUE(report.measurements.certificates);
  EXPECT_GT(report.measurements.phases[probes::Phase::tls], 0ns);
}

class TufProbeOfHostile : public ::testing::TestWithParam<support::HostileAnswer> {};

TEST_P(TufProbeOfHostile, AnswersEndsAsAFinding) {
  ProbeWorld world{publish(a_repository(kNow))};
  support::HostileServer server;
  server.on("/metadata/timestamp.json", GetParam().script);
  world.http.max_attempts = 1;
  world.http.first_byte_timeout = world.http.idle_timeout = 300ms;
  world.http.min_rate = 1 << 20;
  world.http.min_rate_window = 200ms;
  world.spec.metadata_url = url_of(server.url("/metadata"));
  auto const report = world.run();
  auto const* const finding = report.worst();
  ASSERT_NE(finding, nullptr);
  EXPECT_TRUE(finding->severity == Severity::critical || finding->severity == Severity::unknown)
      << finding->message.text();
  EXPECT_NE(finding->reason, Reason::none);
  EXPECT_NE(finding->reason, Reason::internal);
  EXPECT_FALSE(finding->message.empty());
  EXPECT_TRUE(server.wait_until_idle());
}

INSTANTIATE_TEST_SUITE_P(Answers, TufProbeOfHostile,
                         ::testing::ValuesIn(support::hostile_answers()),
                         [](auto const& info) { return info.param.name; });

}  // namespace
}  // namespace canary::tuf
