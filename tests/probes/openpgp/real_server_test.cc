// SPDX-License-Identifier: Apache-2.0
// Keys and signed files that Debian's nginx serves with TLS.
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/openpgp/spec.h"
#include "tests/probes/openpgp/signatory.h"
#include "tests/probes/probe_fixture.h"
#include "tests/support/certificates.h"
#include "tests/support/nginx.h"
#include "tests/support/temporary_folder.h"

namespace canary::openpgp {
namespace {

using namespace canary::support;
using probes::Severity;

class RealOpenpgp : public probes::ProbeFixture<Spec> {};

TEST_F(RealOpenpgp, AreReadAndVerified) {
  if (!Nginx::installed()) GTEST_SKIP() << "nginx is not installed";
  TemporaryFolder const folder;
  CertificateAuthority const ours{folder.path(), "ca"};
  Signatory const signatory;
  auto const root = folder.path() / "root";
  std::filesystem::create_directories(root);
  std::ofstream{root / "key.asc"} << signatory.armoured();
  std::ofstream{root / "InRelease"} << signatory.clearsigned("Origin: us\n", now_ - 1h);
  Nginx const nginx{folder.path(), ours.issue({.addresses = {"127.0.0.1"}})};
  settings_.ca_file = ours.certificate();
  settings_.proxy_from_environment = false;
  Spec spec{.keys = {nginx.tls_url("/key.asc")},
            .served = {nginx.url("/key.asc")},
            .signed_files = {nginx.tls_url("/InRelease")}};
  auto report = run(spec);
  EXPECT_EQ(report.severity(), Severity::ok) << bad(report).message.text();
  EXPECT_TRUE(report.complete);
  spec.served = {nginx.url("/absent.asc")};
  report = run(spec);
  EXPECT_EQ(bad(report).severity, Severity::critical);
  EXPECT_EQ(bad(report).check.text(), "served");
}

}  // namespace
}  // namespace canary::openpgp
