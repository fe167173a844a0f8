// SPDX-License-Identifier: Apache-2.0
// The probe against Debian's nginx, plain and with TLS.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/http/spec.h"
#include "tests/probes/probe_fixture.h"
#include "tests/support/certificates.h"
#include "tests/support/nginx.h"
#include "tests/support/temporary_folder.h"

namespace canary::http {
namespace {

using namespace canary::support;
using namespace std::chrono_literals;
using probes::Reason;
using probes::Severity;
using ::testing::HasSubstr;

constexpr char kDirectives[] = R"(
  location = /old { return 301 /state.json; }
  location = /away { return 302 https://$server_addr:$arg_port/state.json; }
  location = /gone { return 410; }
  location = /down { return 503; }
  location /included/ { ssi on; ssi_types text/plain; }
)";

class RealHttp : public probes::ProbeFixture<Spec> {
 protected:
  void SetUp() override {
    if (!Nginx::installed()) GTEST_SKIP() << "nginx is not installed";
    settings_.max_attempts = 1;
    settings_.proxy_from_environment = false;
    settings_.ca_file = ours_.certificate();
    auto const root = folder_.path() / "root";
    std::filesystem::create_directories(root / "included");
    std::ofstream{root / "state.json"} << R"({"state": "ok", "lag": 3})";
    std::ofstream{root / "included/page"} << "lag: <!--# include virtual=\"/lag\" -->";
    std::ofstream{root / "lag"} << "3 s";
    nginx_.emplace(folder_.path(), ours_.issue({.addresses = {"127.0.0.1"}}), kDirectives);
  }
  Spec at(std::string const& url) { return {.url = config::Url::parse(url).value()}; }

  TemporaryFolder const folder_;
  CertificateAuthority const ours_{folder_.path(), "ca"};
  std::optional<Nginx> nginx_;
};

TEST_F(RealHttp, IsWellWithAndWithoutTls) {
  for (auto const& url : {nginx_->url("/state.json"), nginx_->tls_url("/state.json")}) {
    Spec spec = at(url);
    spec.header_matches = {"server: ^nginx", "content-type: ^application/json"};
    spec.json = {"/state: ok", "/lag: 3"};
    spec.min_size = spec.max_size = 25;
    auto const report = run(spec);
    EXPECT_EQ(report.severity(), Severity::ok) << url << ": " << bad(report).message.text();
    EXPECT_TRUE(report.complete);
  }
}

TEST_F(RealHttp, KnowsTheCertificateThatItShows) {
  Spec spec = at(nginx_->tls_url("/state.json"));
  spec.expiry = {config::ExpiryThreshold{40 * 86'400s}, config::ExpiryThreshold{0s}};
  EXPECT_EQ(bad(run(spec)).reason, Reason::expiring);
  settings_.ca_file = {};
  EXPECT_EQ(bad(run(spec)).reason, Reason::tls_untrusted) << "by the machine's own CAs";
  EXPECT_EQ(bad(run(spec)).severity, Severity::unknown);
}

TEST_F(RealHttp, FollowsItsRedirects) {
  Spec spec = at(nginx_->url("/old"));
  spec.redirects = 1;
  spec.final_url = config::Url::parse(nginx_->url("/state.json")).value();
  EXPECT_EQ(run(spec).severity(), Severity::ok) << bad(run(spec)).message.text();
  spec = at(nginx_->url("/away?port=" + std::to_string(nginx_->tls_port())));
  spec.final_url = config::Url::parse(nginx_->tls_url("/state.json")).value();
  auto const report = run(spec);
  EXPECT_EQ(report.severity(), Severity::ok) << bad(report).message.text();
  EXPECT_EQ(report.measurements.things.size(), 1U) << "the certificate it was led to";
}

TEST_F(RealHttp, TellsItsStatusesApart) {
  auto const gone = bad(run(at(nginx_->url("/gone"))));
  EXPECT_EQ(gone.severity, Severity::critical);
  EXPECT_EQ(gone.expected.text(), "status 200-299");
  EXPECT_EQ(gone.received.text(), "410");
  Spec spec = at(nginx_->url("/gone"));
  spec.status = {"410"};
  EXPECT_EQ(run(spec).severity(), Severity::ok);
  EXPECT_THAT(bad(run(at(nginx_->url("/down")))).message.text(), HasSubstr("503"));
  EXPECT_THAT(bad(run(at(nginx_->url("/absent")))).message.text(), HasSubstr("404"));
}

TEST_F(RealHttp, TakesItsChunksApart) {
  Spec spec = at(nginx_->tls_url("/included/page"));
  spec.matches = "^lag: 3 s$";
  spec.header_matches = {"transfer-encoding: chunked"};
  EXPECT_EQ(run(spec).severity(), Severity::ok) << bad(run(spec)).message.text();
}

TEST_F(RealHttp, IsAskedByHead) {
  Spec spec = at(nginx_->url("/state.json"));
  spec.method = "HEAD";
  spec.min_size = spec.max_size = 25;
  EXPECT_EQ(run(spec).severity(), Severity::ok) << bad(run(spec)).message.text();
}

}  // namespace
}  // namespace canary::http
