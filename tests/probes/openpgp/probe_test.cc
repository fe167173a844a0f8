// SPDX-License-Identifier: Apache-2.0
// The probe beside servers and files that have keys, other things, or nothing.
#include "probes/openpgp/probe.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/flags.h"
#include "probes/kind.h"
#include "tests/probes/openpgp/signatory.h"
#include "tests/probes/probe_fixture.h"
#include "tests/support/hostile_answers.h"
#include "tests/support/temporary_folder.h"

namespace canary::openpgp {
namespace {

using namespace canary::support;
using probes::Finding;
using probes::Severity;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class OpenpgpProbe : public probes::ProbeFixture<Spec> {
 protected:
  OpenpgpProbe() {
    settings_.max_attempts = 1;
    settings_.proxy_from_environment = false;
  }
  std::string file(std::string const& name, std::string const& bytes) const {
    std::ofstream{folder_.path() / name, std::ios::binary} << bytes;
    return (folder_.path() / name).string();
  }
  static Finding of(probes::Report const& report, std::string_view check) {
    auto const found = std::ranges::find(report.findings, check,
                                         [](Finding const& one) { return one.check.text(); });
    return found == report.findings.end() ? Finding{.check = "none"} : *found;
  }

  TemporaryFolder const folder_;
  HostileServer server_;
};

TEST_F(OpenpgpProbe, ComparesWhatClientsHaveWithWhatIsServedAndVerifiesFiles) {
  Signatory signatory;
  std::string const old = signatory.binary();
  signatory.set_lifetime(24h * 365 * 40, now_ - 24h);
  server_.on("/key.asc", respond(signatory.armoured()));
  server_.on("/InRelease", respond(signatory.clearsigned("Origin: us\n", now_ - 1h)));
  server_.on("/Release", respond("Origin: us\n"));
  server_.on("/Release.gpg", respond(signatory.detached("Origin: us\n", now_ - 1h)));
  Spec const spec{.keys = {file("archive.gpg", old)},
                  .served = {server_.url("/key.asc")},
                  .signed_files = {server_.url("/InRelease"),
                                   server_.url("/Release") + " " + server_.url("/Release.gpg")}};
  auto const report = run(spec);
  EXPECT_TRUE(report.complete);
  EXPECT_EQ(report.severity(), Severity::warning) << bad(report).message.text();
  EXPECT_EQ(bad(report).check.text(), "served");
  EXPECT_THAT(bad(report).message.text(), HasSubstr("has no end as clients have it, and ends 20"));
  EXPECT_EQ(of(report, "signatures").severity, Severity::ok);
  EXPECT_EQ(of(report, "clients").severity, Severity::ok);
  EXPECT_EQ(report.measurements.requests, 5U);
  ASSERT_THAT(report.measurements.things, SizeIs(1));
}

TEST_F(OpenpgpProbe, WithoutItsOwnFileCannotTell) {
  auto const report = run({.keys = {(folder_.path() / "missing.gpg").string()}});
  EXPECT_EQ(bad(report).severity, Severity::unknown);
  EXPECT_EQ(bad(report).reason, probes::Reason::configuration);
  EXPECT_FALSE(report.complete);
}

TEST_F(OpenpgpProbe, AKeyOrAFileThatIsNotServedIsBad) {
  server_.on("/key.asc", respond(404, "no"));
  std::string const keys = file("archive.gpg", Signatory{}.binary());
  auto report = run({.keys = {keys}, .served = {server_.url("/key.asc")}});
  EXPECT_EQ(bad(report).severity, Severity::critical);
  EXPECT_EQ(bad(report).check.text(), "served");
  EXPECT_EQ(of(report, "expiry").severity, Severity::ok) << "what can be told is told";
  report = run({.keys = {keys}, .signed_files = {server_.url("/key.asc")}});
  EXPECT_EQ(bad(report).check.text(), "signatures");
}

TEST_F(OpenpgpProbe, ReadsNoMoreThanItsLimit) {
  server_.on("/key.asc", respond(std::string(20'000, 'x')));
  auto const report = run({.keys = {server_.url("/key.asc")}, .max_bytes = 10'000});
  EXPECT_EQ(bad(report).severity, Severity::unknown);
  EXPECT_EQ(bad(report).reason, probes::Reason::size_limit);
}

TEST_F(OpenpgpProbe, ShowsNoQuery) {
  server_.on("/key.asc?token=secret", respond("<html>"));
  auto const report = run({.keys = {server_.url("/key.asc?token=secret")}});
  EXPECT_EQ(bad(report).severity, Severity::critical);
  for (Finding const& finding : report.findings) {
    EXPECT_EQ(probes::sentence(finding).find("secret"), std::string::npos);
  }
}

class OpenpgpProbeOfHostile : public OpenpgpProbe,
                              public ::testing::WithParamInterface<HostileAnswer> {};

TEST_P(OpenpgpProbeOfHostile, AnswersEndsAsAFinding) {
  server_.on("/key", GetParam().script);
  settings_.first_byte_timeout = settings_.idle_timeout = 300ms;
  settings_.min_rate = 1 << 20;
  settings_.min_rate_window = 200ms;
  auto const report = run({.keys = {server_.url("/key")}, .max_bytes = 1 << 20});
  Finding const finding = bad(report);
  EXPECT_NE(finding.severity, Severity::ok) << finding.message.text();
  EXPECT_NE(finding.severity, Severity::warning) << finding.message.text();
  EXPECT_NE(finding.reason, probes::Reason::none);
  EXPECT_NE(finding.reason, probes::Reason::internal);
  EXPECT_FALSE(finding.message.empty());
  EXPECT_TRUE(server_.wait_until_idle());
}

INSTANTIATE_TEST_SUITE_P(Answers, OpenpgpProbeOfHostile, ::testing::ValuesIn(hostile_answers()),
                         [](auto const& info) { return info.param.name; });

struct Refused {
  std::string name;
  config::GivenFlags given;
  std::string says;
};
class OpenpgpFlags : public ::testing::TestWithParam<Refused> {};

TEST_P(OpenpgpFlags, AreRefusedInWords) {
  auto const kinds = probes::configured_kinds();
  auto const kind =
      std::ranges::find(kinds, "openpgp", [](auto const& each) { return each.spec.name(); });
  ASSERT_NE(kind, kinds.end());
  auto const probe = config::probe_of(*kind, GetParam().given);
  ASSERT_FALSE(probe);
  EXPECT_THAT(probe.error().front(), HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, OpenpgpFlags,
    ::testing::Values(
        Refused{"no_keys", {}, "keys: "},
        Refused{"a_bare_name", {{"keys", {"archive.gpg"}}}, "begins with ./"},
        Refused{"a_wrong_url", {{"keys", {"gopher://host/key"}}}, "--keys"},
        Refused{"a_client", {{"keys", {"/k"}}, {"clients", {"apt-4"}}}, "expected one of apt-2"},
        Refused{"a_signer", {{"keys", {"/k"}}, {"signers", {"ABCD"}}}, "expected a fingerprint"},
        Refused{"a_signature", {{"keys", {"/k"}}, {"signed", {"/data sig"}}}, "begins with ./"}),
    [](auto const& info) { return info.param.name; });

}  // namespace
}  // namespace canary::openpgp
