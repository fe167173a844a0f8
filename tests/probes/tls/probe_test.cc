// SPDX-License-Identifier: Apache-2.0
// The probe against servers with certificates of all sorts, and against openssl's own with staples.
#include "probes/tls/probe.h"

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/fetch/services.h"
#include "probes/kind.h"
#include "runtime/block_on.h"
#include "tests/probes/probe_fixture.h"
#include "tests/support/certificates.h"
#include "tests/support/child_process.h"
#include "tests/support/hostile_server.h"

namespace canary::tls {
namespace {

using namespace std::chrono_literals;
using probes::Finding;
using probes::Severity;
using support::CertificateAuthority;
using support::HostileServer;
using ::testing::HasSubstr;

constexpr std::chrono::seconds kDay{86'400};

class TlsProbe : public probes::ProbeFixture<Spec> {
 protected:
  ~TlsProbe() override { std::filesystem::remove_all(folder_); }

  // A server that shows what `wanted` says, issued by `by`.
  HostileServer showing(CertificateAuthority const& by, CertificateAuthority::Wanted wanted) {
    wanted.addresses = {"127.0.0.1"};
    return HostileServer{HostileServer::Options{.tls = by.issue(std::move(wanted))}};
  }
  Spec at(std::uint16_t port, std::filesystem::path const& ca) {
    Spec spec{.address = "127.0.0.1:" + std::to_string(port)};
    if (!ca.empty()) spec.ca_file = ca;
    return spec;
  }
  static Finding of(probes::Report const& report, std::string_view check) {
    Finding worst{.check = "none", .message = "no such finding"};
    for (auto const& finding : report.findings) {
      if (finding.check == check && (worst.check == "none" || finding.severity > worst.severity)) {
        worst = finding;
      }
    }
    return worst;
  }

  std::filesystem::path folder_ = new_folder();
  CertificateAuthority ours_{folder_, "ca"};

 private:
  static std::filesystem::path new_folder() {
    auto const folder =
        std::filesystem::temp_directory_path() / ("canary-tls-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
    return folder;
  }
};

TEST_F(TlsProbe, TellsEachCertificateWithItsEnd) {
  auto const server = showing(ours_, {.ends = 90 * kDay});
  auto const report = run(at(server.port(), ours_.certificate()));
  EXPECT_EQ(report.severity(), Severity::ok) << report.worst()->message.text();
  EXPECT_TRUE(report.complete);
  ASSERT_GE(report.measurements.things.size(), 1U);
  auto const& own = report.measurements.things.front();
  EXPECT_EQ(own.type->name, "certificate");
  auto const left = own.expiry->at - std::chrono::system_clock::now();
  EXPECT_GT(left, 89 * kDay);
  EXPECT_LE(left, 90 * kDay);
  EXPECT_THAT(of(report, "reachable").message.text(), HasSubstr("TLSv1."));
  EXPECT_GT(report.measurements.phases[probes::Phase::tls], 0ns);
}

TEST_F(TlsProbe, WarnsOfAnEndThatIsNear) {
  auto const server = showing(ours_, {.begins = -80 * kDay, .ends = 10 * kDay});
  auto const report = run(at(server.port(), ours_.certificate()));
  EXPECT_EQ(of(report, "expiry").severity, Severity::warning);
  EXPECT_EQ(of(report, "expiry").reason.word(), "expiring");
}

// A certificate of six days has half of them left.
TEST_F(TlsProbe, FitsItsThresholdsToShortValidities) {
  auto const server = showing(ours_, {.begins = -3 * kDay, .ends = 3 * kDay});
  EXPECT_EQ(run(at(server.port(), ours_.certificate())).severity(), Severity::ok);
}

TEST_F(TlsProbe, GoesOnPastACertificateThatHasEnded) {
  auto const server = showing(ours_, {.begins = -30 * kDay, .ends = -kDay});
  auto const report = run(at(server.port(), ours_.certificate()));
  EXPECT_EQ(of(report, "expiry").severity, Severity::critical);
  EXPECT_EQ(of(report, "expiry").reason.word(), "expired");
  EXPECT_EQ(of(report, "chain").severity, Severity::ok) << "said once";
  EXPECT_EQ(of(report, "name").severity, Severity::ok);
}

TEST_F(TlsProbe, ACertificateOfTomorrowIsBadToday) {
  auto const server = showing(ours_, {.begins = kDay, .ends = 30 * kDay});
  EXPECT_EQ(of(run(at(server.port(), ours_.certificate())), "expiry").reason.word(),
            "tls_not_yet_valid");
}

TEST_F(TlsProbe, AnotherNameIsBad) {
  auto const server = showing(ours_, {.names = {"a.example", "b.example"}, .ends = 90 * kDay});
  Spec spec = at(server.port(), ours_.certificate());
  spec.name = "c.example";
  Finding const finding = of(run(spec), "name");
  EXPECT_EQ(finding.severity, Severity::critical);
  EXPECT_EQ(finding.reason.word(), "tls_wrong_name");
  EXPECT_THAT(finding.message.text(), HasSubstr("a.example, b.example"));
  spec.name = "b.example";
  EXPECT_EQ(run(spec).severity(), Severity::ok);
}

TEST_F(TlsProbe, AnUnknownIssuerIsBadOnlyWhereTheIssuersAreGiven) {
  CertificateAuthority const other{folder_, "other"};
  auto const server = showing(other, {.ends = 90 * kDay});
  Finding const told = of(run(at(server.port(), {})), "chain");
  EXPECT_EQ(told.severity, Severity::unknown) << "our CAs may be lacking";
  EXPECT_EQ(told.reason.word(), "tls_untrusted");
  EXPECT_EQ(of(run(at(server.port(), ours_.certificate())), "chain").severity, Severity::critical);
}

TEST_F(TlsProbe, AServerWithoutTlsIsCouldNotTell) {
  HostileServer const server{
      HostileServer::Options{.on_accept = [](support::Peer& peer, support::ServedRequest const&) {
        peer.send("220 no TLS here\r\n");
        peer.wait_for_end();
      }}};
  Finding const finding = of(run(at(server.port(), ours_.certificate())), "reachable");
  EXPECT_EQ(finding.severity, Severity::unknown);
  EXPECT_EQ(finding.reason.word(), "tls");
}

TEST_F(TlsProbe, ASilentServerIsCouldNotTell) {
  HostileServer const server{
      HostileServer::Options{.on_accept = [](support::Peer& peer, support::ServedRequest const&) {
        peer.wait_for_end();
      }}};
  Spec spec = at(server.port(), ours_.certificate());
  spec.tls_timeout = 200ms;
  EXPECT_EQ(of(run(spec), "reachable").reason.word(), "timeout");
}

TEST_F(TlsProbe, ACaFileThatIsGoneIsOurOwnAffair) {
  auto const server = showing(ours_, {.ends = 90 * kDay});
  Finding const finding = of(run(at(server.port(), folder_ / "gone.pem")), "reachable");
  EXPECT_EQ(finding.severity, Severity::unknown);
  EXPECT_EQ(finding.reason.word(), "configuration");
}

TEST_F(TlsProbe, MissesAStapleOnlyWhereItIsRequired) {
  auto const server = showing(ours_, {.ends = 90 * kDay});
  Spec spec = at(server.port(), ours_.certificate());
  EXPECT_EQ(of(run(spec), "staple").check, "none");
  spec.staple = StapleWanted::required;
  EXPECT_EQ(of(run(spec), "staple").reason.word(), "staple_missing");
}

// openssl as CA, responder and server. `row` is the certificate's line of the responder's index.
class Stapled : public TlsProbe {
 protected:
  probes::Report stapled(std::string const& row, std::string const& more = "-ndays 7") {
    std::uint16_t port = 0;
    {
      port = HostileServer{}.port();
    }  // free a moment ago
    std::string const script =
        "set -e; cd " + folder_.string() +
        "\nk='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'"
        "\nopenssl req -x509 $k -keyout i.key -out i.pem -subj /CN=Issuer -days 90"
        "\nopenssl req $k -keyout s.key -out s.csr -subj /CN=server"
        " -addext subjectAltName=IP:127.0.0.1"
        "\nopenssl x509 -req -in s.csr -CA i.pem -CAkey i.key -set_serial 0x1234 -days 90"
        " -copy_extensions copy -out s.pem"
        "\nprintf '" +
        row +
        "' > index.txt"
        "\nopenssl ocsp -index index.txt -CA i.pem -rsigner i.pem -rkey i.key -issuer i.pem"
        " -cert s.pem -respout staple.der " +
        more;
    auto const made = support::run({"/bin/sh", "-c", script});
    EXPECT_EQ(made.code, 0) << made.err;
    // Its certificates are valid from now on: this test may have begun a second ago.
    now_ = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    support::ChildProcess const server{
        {"/usr/bin/openssl", "s_server", "-accept", "127.0.0.1:" + std::to_string(port), "-cert",
         (folder_ / "s.pem").string(), "-key", (folder_ / "s.key").string(), "-status_file",
         (folder_ / "staple.der").string(), "-quiet"}};
    Spec const spec = at(port, folder_ / "i.pem");
    probes::Report report;
    support::eventually([&] {  // it is starting
      report = run(spec);
      return report.complete;
    });
    return report;
  }
};

TEST_F(Stapled, AGoodStapleIsTold) {
  auto const report = stapled("V\\t30000101000000Z\\t\\t1234\\tunknown\\t/CN=server\\n");
  EXPECT_EQ(of(report, "staple").severity, Severity::ok) << of(report, "staple").message.text();
  EXPECT_THAT(of(report, "staple").message.text(), HasSubstr("good, until "));
  EXPECT_EQ(report.severity(), Severity::ok);
}

TEST_F(Stapled, ARevokedCertificateIsBad) {
  auto const report =
      stapled("R\\t30000101000000Z\\t250101000000Z\\t1234\\tunknown\\t/CN=server\\n");
  EXPECT_EQ(of(report, "staple").severity, Severity::critical);
  EXPECT_EQ(of(report, "staple").reason.word(), "revoked");
}

TEST_F(Stapled, ACertificateThatTheResponderDoesNotKnowIsBad) {
  auto const report = stapled("V\\t30000101000000Z\\t\\t99\\tunknown\\t/CN=another\\n");
  EXPECT_EQ(of(report, "staple").reason.word(), "staple_invalid");
}

}  // namespace
}  // namespace canary::tls
