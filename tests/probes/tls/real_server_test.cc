// SPDX-License-Identifier: Apache-2.0
// The probe against the TLS of Debian's nginx.
#include <algorithm>
#include <chrono>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/tls/spec.h"
#include "tests/probes/probe_fixture.h"
#include "tests/support/certificates.h"
#include "tests/support/nginx.h"
#include "tests/support/temporary_folder.h"

namespace canary::tls {
namespace {

using namespace canary::support;
using namespace std::chrono_literals;
using probes::Finding;
using probes::Severity;
using ::testing::HasSubstr;

class RealTls : public probes::ProbeFixture<Spec> {
 protected:
  void SetUp() override {
    if (!Nginx::installed()) GTEST_SKIP() << "nginx is not installed";
  }
  Spec serving(CertificateAuthority::Wanted const& wanted, std::string const& directives = {}) {
    nginx_.emplace(folder_.path(), ours_.issue(wanted), directives);
    now_ = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    Spec spec{.address = "127.0.0.1:" + std::to_string(nginx_->tls_port())};
    spec.ca_file = ours_.certificate();
    return spec;
  }
  static Finding of(probes::Report const& report, std::string_view check) {
    auto const found = std::ranges::find(report.findings, check,
                                         [](Finding const& one) { return one.check.text(); });
    return found == report.findings.end() ? Finding{.check = "none"} : *found;
  }

  TemporaryFolder const folder_;
  CertificateAuthority const ours_{folder_.path(), "ca"};
  std::optional<Nginx> nginx_;
};

TEST_F(RealTls, IsWellByBothVersionsOfTheProtocol) {
  for (std::string const version : {"TLSv1.2", "TLSv1.3"}) {
    Spec const spec = serving({.addresses = {"127.0.0.1"}},
                              "ssl_protocols " + version + "; keepalive_timeout 0;");
    auto const report = run(spec);
    EXPECT_EQ(report.severity(), Severity::ok) << bad(report).message.text();
    EXPECT_TRUE(report.complete);
    EXPECT_THAT(of(report, "reachable").message.text(), HasSubstr(version));
    EXPECT_GE(report.measurements.things.size(), 1U);
  }
}

TEST_F(RealTls, AskedForAnotherNameIsBadAndSaysWhatItHas) {
  Spec spec = serving({.names = {"www.example"}});
  spec.name = "other.example";
  auto const finding = of(run(spec), "name");
  EXPECT_EQ(finding.severity, Severity::critical);
  EXPECT_EQ(finding.expected.text(), "other.example");
  EXPECT_EQ(finding.received.text(), "www.example");
  spec.name = "www.example";
  EXPECT_EQ(run(spec).severity(), Severity::ok);
}

TEST_F(RealTls, WithACertificateThatHasEndedIsBad) {
  Spec const spec = serving({.addresses = {"127.0.0.1"}, .begins = -86'400s, .ends = -3'600s});
  auto const finding = of(run(spec), "expiry");
  EXPECT_EQ(finding.severity, Severity::critical);
  EXPECT_THAT(finding.expected.text(), HasSubstr("an end that is after now"));
}

TEST_F(RealTls, ItsPlainPortIsCouldNotTell) {
  Spec spec = serving({.addresses = {"127.0.0.1"}});
  spec.address = "127.0.0.1:" + std::to_string(nginx_->port());
  auto const report = run(spec);
  EXPECT_EQ(bad(report).check.text(), "reachable");
  EXPECT_EQ(bad(report).severity, Severity::unknown);
}

}  // namespace
}  // namespace canary::tls
