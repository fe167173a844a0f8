// SPDX-License-Identifier: Apache-2.0
// The probe against servers that answer well, badly, and not at all.
#include "probes/http/probe.h"

#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/fetch/services.h"
#include "probes/kind.h"
#include "runtime/block_on.h"
#include "tests/probes/probe_fixture.h"
#include "tests/support/certificates.h"
#include "tests/support/hostile_answers.h"
#include "tests/support/temporary_folder.h"

namespace canary::http {
namespace {

using namespace std::chrono_literals;
using namespace canary::support;
using probes::Severity;

class HttpProbe : public probes::ProbeFixture<Spec> {
 protected:
  HttpProbe() {
    settings_.max_attempts = 1;
    settings_.proxy_from_environment = false;
  }
  Spec at(std::string const& url) { return {.url = config::Url::parse(url).value()}; }

  HostileServer server_;
};

TEST_F(HttpProbe, OfAGoodAnswerIsOkAndMeasured) {
  server_.on("/start", redirect_to("/state?x=1"));
  server_.on("/state?x=1",
             respond(200, R"({"state": "ok"})", {{"Content-Type", "application/json"}}));
  Spec spec = at(server_.url("/start"));
  spec.json = {"/state: ok"};
  spec.redirects = 1;
  spec.header_matches = {"content-type: ^application/json$"};
  spec.sha256 = "9cd16dd25ac9128d9c4ce8e5fef5d0ffdc6f9a69aec45aa1c5dc8ffc42f8f6e9";
  auto report = run(spec);
  // Its hash is told where it differs.
  ASSERT_EQ(bad(report).subject.text(), "sha256");
  std::string const message = bad(report).message;
  spec.sha256 = message.substr(message.find(" is ") + 4, 64);
  report = run(spec);
  EXPECT_EQ(report.severity(), Severity::ok) << bad(report).message.text();
  EXPECT_TRUE(report.complete);
  ASSERT_EQ(report.measurements.samples.size(), 3U);
  EXPECT_EQ(report.measurements.samples[0].value, 200);
  EXPECT_EQ(report.measurements.samples[1].value, 1);
  EXPECT_EQ(report.measurements.samples[2].value, 15);
  EXPECT_EQ(report.measurements.requests, 2U);
}

TEST_F(HttpProbe, SendsMethodBodyAndHeaders) {
  server_.on("/", respond(201, "made"));
  settings_.headers = {{"Content-Type", "text/plain"}};
  Spec spec = at(server_.url("/"));
  spec.method = "POST";
  spec.body = "hello";
  spec.status = {"201"};
  EXPECT_EQ(run(spec).severity(), Severity::ok);
  auto const request = server_.requests().at(0);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.body, "hello");
  EXPECT_EQ(request.headers.at("content-type"), "text/plain");
}

TEST_F(HttpProbe, FindsTextThatLiesBeyondTheFirstBuffers) {
  server_.on("/", respond(std::string(700'000, 'x') + "needle"));
  Spec spec = at(server_.url("/"));
  spec.matches = "xneedle$";
  EXPECT_EQ(run(spec).severity(), Severity::ok);
}

TEST_F(HttpProbe, OfAnotherStatusIsBadAndKeepsItsNumber) {
  server_.on("/", respond(503, "away"));
  auto const report = run(at(server_.url("/")));
  EXPECT_EQ(bad(report).check.text(), "status");
  EXPECT_EQ(bad(report).severity, Severity::critical);
  EXPECT_EQ(report.measurements.samples.at(0).value, 503);
}

TEST_F(HttpProbe, ReadsFiles) {
  TemporaryFolder const folder;
  std::ofstream{folder.path() / "state"} << "fine";
  Spec spec = at("file://" + (folder.path() / "state").string());
  spec.contains = "fine";
  EXPECT_EQ(run(spec).severity(), Severity::ok);
  spec.contains = "foul";
  EXPECT_EQ(bad(run(spec)).check.text(), "body");
  std::filesystem::remove(folder.path() / "state");
  EXPECT_EQ(bad(run(spec)).check.text(), "status");
  EXPECT_EQ(bad(run(spec)).severity, Severity::critical);
  spec.status = {"404"};
  EXPECT_EQ(run(spec).severity(), Severity::ok) << "it is meant not to be there";
}

TEST_F(HttpProbe, KnowsWhenACertificateEnds) {
  TemporaryFolder const folder;
  CertificateAuthority const ours{folder.path(), "ca"};
  HostileServer tls{
      HostileServer::Options{.tls = ours.issue({.addresses = {"127.0.0.1"}, .ends = 86'400s})}};
  tls.on("/", respond("hello"));
  settings_.ca_file = ours.certificate();
  Spec spec = at("https://127.0.0.1:" + std::to_string(tls.port()) + "/");
  spec.expiry = {config::ExpiryThreshold{7 * 86'400s}, config::ExpiryThreshold{0s}};
  auto const report = run(spec);
  EXPECT_EQ(bad(report).check.text(), "expiry") << bad(report).message.text();
  EXPECT_EQ(bad(report).severity, Severity::warning);
  ASSERT_EQ(report.measurements.things.size(), 1U);
  EXPECT_EQ(report.measurements.things[0].name.text(), "127.0.0.1:" + std::to_string(tls.port()));
  EXPECT_TRUE(report.measurements.certificates);
}

// Our clock is ahead by the word of this server and of one of two others.
TEST_F(HttpProbe, CannotTellOfAnEndWhereOurClockIsOff) {
  TemporaryFolder const folder;
  CertificateAuthority const ours{folder.path(), "ca"};
  HostileServer tls{HostileServer::Options{
      .tls = ours.issue({.addresses = {"127.0.0.1"}, .ends = 30 * 86'400s})}};
  settings_.ca_file = ours.certificate();
  Spec const spec = at("https://127.0.0.1:" + std::to_string(tls.port()) + "/");
  std::time_t const seconds = std::chrono::system_clock::to_time_t(now_);
  char date[64];
  std::strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", std::gmtime(&seconds));
  tls.on("/", respond("hello"));
  now_ += 200 * 86'400s;
  services_.wall_clock = [now = now_] { return std::chrono::system_clock::time_point{now}; };
  auto& clocks = services_.clocks;
  clocks.add("b", {{"b.example", {.theirs_minus_ours = -200 * 86'400s}}}, runtime::Clock::now());
  clocks.add("c", {{"c.example", {.theirs_minus_ours = 0s}}}, runtime::Clock::now());
  auto report = run(spec);
  EXPECT_EQ(bad(report).reason, probes::Reason::expired) << "two do not agree";
  EXPECT_EQ(bad(report).severity, Severity::critical);
  tls.on("/", respond(200, "hello", {{"Date", date}}));
  report = run(spec);
  EXPECT_EQ(bad(report).check.text(), "expiry");
  EXPECT_EQ(bad(report).reason, probes::Reason::clock) << bad(report).message.text();
  EXPECT_EQ(bad(report).severity, Severity::unknown);
  EXPECT_EQ(report.findings.back().check.text(), "clock");
}

TEST_F(HttpProbe, CannotTellWhereNobodyListens) {
  std::string url;
  {
    HostileServer const gone;
    url = gone.url("/");
  }
  auto const report = run(at(url));
  EXPECT_EQ(bad(report).check.text(), "reachable");
  EXPECT_EQ(bad(report).severity, Severity::unknown);
  EXPECT_FALSE(report.complete);
}

// Each ends as a finding: what is no answer can't be told, what is a wrong one is bad.
class HttpProbeOfHostile : public HttpProbe, public ::testing::WithParamInterface<HostileAnswer> {};

TEST_P(HttpProbeOfHostile, AnswersEndsAsAFinding) {
  server_.on("/", GetParam().script);
  settings_.first_byte_timeout = settings_.idle_timeout = 300ms;
  settings_.min_rate = 1 << 20;
  settings_.min_rate_window = 200ms;
  Spec spec = at(server_.url("/"));
  spec.max_bytes = 1 << 20;
  auto const report = run(spec);
  auto const finding = bad(report);
  EXPECT_NE(finding.severity, Severity::ok) << finding.message.text();
  EXPECT_NE(finding.severity, Severity::warning) << finding.message.text();
  EXPECT_NE(finding.reason, probes::Reason::none);
  EXPECT_NE(finding.reason, probes::Reason::internal);
  EXPECT_FALSE(finding.message.empty());
  bool const reached = finding.check.text() != "reachable";
  bool const ours =
      finding.reason == probes::Reason::size_limit || GetParam().name == "too_many_requests";
  EXPECT_EQ(finding.severity == Severity::critical, reached && !ours) << finding.message.text();
  EXPECT_TRUE(server_.wait_until_idle());
}

INSTANTIATE_TEST_SUITE_P(Answers, HttpProbeOfHostile, ::testing::ValuesIn(hostile_answers()),
                         [](auto const& info) { return info.param.name; });

}  // namespace
}  // namespace canary::http
