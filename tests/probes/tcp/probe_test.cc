// SPDX-License-Identifier: Apache-2.0
// The probe against real sockets, and against rsync's own daemon where that is installed.
#include "probes/tcp/probe.h"

#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/fetch/services.h"
#include "runtime/block_on.h"
#include "tests/probes/probe_fixture.h"
#include "tests/support/child_process.h"
#include "tests/support/hostile_server.h"

namespace canary::tcp {
namespace {

using namespace std::chrono_literals;
using probes::Finding;
using probes::Reason;
using probes::Severity;
using support::HostileServer;
using support::Peer;
using ::testing::HasSubstr;

// A server whose connections do what `script` says.
HostileServer serving(support::Script script) {
  return HostileServer{HostileServer::Options{.on_accept = std::move(script)}};
}
support::Script says(std::string bytes, bool stays) {
  return [bytes = std::move(bytes), stays](Peer& peer, support::ServedRequest const&) {
    peer.send(bytes);
    if (stays) peer.wait_for_end();
  };
}

class TcpProbe : public probes::ProbeFixture<Spec> {
 protected:
  static Spec at(std::uint16_t port) {
    Spec spec{.address = "127.0.0.1:" + std::to_string(port)};
    spec.idle_timeout = 200ms;
    return spec;
  }
};

TEST_F(TcpProbe, AConnectionIsEnoughWhereNothingIsExpected) {
  auto const server = serving(says("", true));
  auto const report = run(at(server.port()));
  EXPECT_EQ(report.severity(), Severity::ok);
  EXPECT_TRUE(report.complete);
  EXPECT_THAT(report.findings.at(0).message.text(), HasSubstr("connected to 127.0.0.1:"));
}

TEST_F(TcpProbe, TakesTheBannerThatIsExpected) {
  auto const server = serving(says("SSH-2.0-OpenSSH_9.2\r\n", true));
  Spec spec = at(server.port());
  spec.starts_with = "SSH-2.0-";
  spec.matches = "OpenSSH_[0-9]+";
  auto const report = run(spec);
  EXPECT_EQ(report.severity(), Severity::ok) << bad(report).message.text();
  EXPECT_THAT(report.findings.at(1).message.text(),
              HasSubstr("the answer is \"SSH-2.0-OpenSSH_9.2\""));
  EXPECT_EQ(report.measurements.bytes_received, 21U);
  EXPECT_GT(report.measurements.phases[probes::Phase::connect], 0ns);
}

TEST_F(TcpProbe, AnotherBannerIsBad) {
  auto const server = serving(says("HTTP/1.1 400 Bad Request\r\n\r\n", false));
  Spec spec = at(server.port());
  spec.starts_with = "@RSYNCD: ";
  auto const report = run(spec);
  Finding const finding = bad(report);
  EXPECT_EQ(finding.check, "banner");
  EXPECT_EQ(finding.severity, Severity::critical);
  EXPECT_EQ(finding.reason.word(), "mismatch");
  EXPECT_THAT(finding.message.text(), HasSubstr("expected that it begins with \"@RSYNCD: \""));
  EXPECT_TRUE(report.complete) << "it was looked at";
}

TEST_F(TcpProbe, SaysFirstWhatItIsToldTo) {
  auto const server = serving([](Peer& peer, support::ServedRequest const&) {
    peer.send("+PONG\r\n");
    peer.wait_for_end();
  });
  Spec spec = at(server.port());
  spec.send = "PING\\r\\n";
  spec.starts_with = "+PONG\r\n";
  EXPECT_EQ(run(spec).severity(), Severity::ok);
}

// What a listener of our own gets, byte by byte.
TEST_F(TcpProbe, SendsTheBytesThatItsEscapesMean) {
  int const listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(listener, 1), 0);
  socklen_t size = sizeof address;
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  Spec spec = at(ntohs(address.sin_port));
  spec.send = "A\\x00\\r\\n";
  EXPECT_EQ(run(spec).severity(), Severity::ok);  // the kernel took it
  int const peer = ::accept(listener, nullptr, nullptr);
  std::string got(16, 0);
  got.resize(static_cast<std::size_t>(std::max<ssize_t>(0, ::read(peer, got.data(), got.size()))));
  EXPECT_EQ(got, std::string("A\0\r\n", 4));
  ::close(peer);
  ::close(listener);
}

struct Silence {
  char const* name;
  char const* bytes;
  bool stays;
  char const* reason;
};
class CouldNotTell : public TcpProbe, public ::testing::WithParamInterface<Silence> {};

TEST_P(CouldNotTell, WhereNoAnswerCame) {
  auto const server = serving(says(GetParam().bytes, GetParam().stays));
  Spec spec = at(server.port());
  spec.starts_with = "@RSYNCD: ";
  Finding const finding = bad(run(spec));
  EXPECT_EQ(finding.check, "reachable");
  EXPECT_EQ(finding.severity, Severity::unknown);
  EXPECT_EQ(finding.reason.word(), GetParam().reason);
}
INSTANTIATE_TEST_SUITE_P(Cases, CouldNotTell,
                         ::testing::Values(Silence{"silence", "", true, "timeout"},
                                           Silence{"a_part_and_silence", "@RS", true, "timeout"},
                                           Silence{"closed", "", false, "connect"}),
                         [](auto const& each) { return each.param.name; });

TEST_F(TcpProbe, ARefusedConnectionIsCouldNotTell) {
  std::uint16_t port = 0;
  {
    port = serving(says("", false)).port();
  }
  Finding const finding = bad(run(at(port)));
  EXPECT_EQ(finding.severity, Severity::unknown);
  EXPECT_EQ(finding.reason, Reason::connect);
  EXPECT_THAT(finding.message.text(), HasSubstr("refused"));
}

TEST_F(TcpProbe, ANameThatIsNoneIsCouldNotTell) {
  Spec spec = at(1);
  spec.address = "no-such-host.invalid:873";
  Finding const finding = bad(run(spec));
  EXPECT_EQ(finding.severity, Severity::unknown);
  EXPECT_EQ(finding.check, "reachable");
}

TEST_F(TcpProbe, ReadsNoMoreThanItsLimit) {
  auto const server = serving([](Peer& peer, support::ServedRequest const&) {
    while (peer.send(std::string(4096, 'x'))) continue;
  });
  Spec spec = at(server.port());
  spec.contains = "yes";
  spec.max_bytes = 10'000;
  auto const report = run(spec);
  EXPECT_EQ(report.measurements.bytes_received, 10'000U);
  EXPECT_EQ(bad(report).severity, Severity::critical);
  EXPECT_THAT(bad(report).message.text(), HasSubstr("within 10"));
}

TEST_F(TcpProbe, AnAnswerOfControlBytesIsShownHarmless) {
  auto const server = serving(says("\x1b[2J\x07\xff\n", false));
  Spec spec = at(server.port());
  spec.starts_with = "hello";
  EXPECT_THAT(bad(run(spec)).message.text(), HasSubstr("\"\\x1b[2J\\x07\\xff\""));
}

// A byte now and then is no silence: the run's own timeout ends it.
TEST_F(TcpProbe, ATrickleEndsWithTheRun) {
  auto const server = serving([](Peer& peer, support::ServedRequest const&) {
    while (peer.send("x") && !peer.wait_for_end(20ms)) continue;
  });
  Spec spec = at(server.port());
  spec.contains = "yes";
  auto const report = run(spec, 400ms);
  EXPECT_EQ(bad(report).severity, Severity::unknown);
  EXPECT_EQ(bad(report).reason, Reason::timeout);
}

// rsync's own greeting.
TEST_F(TcpProbe, KnowsRsyncsDaemon) {
  if (!std::filesystem::exists("/usr/bin/rsync")) GTEST_SKIP() << "rsync is not installed";
  std::uint16_t port = 0;
  {
    port = serving(says("", false)).port();
  }  // free a moment ago
  auto const folder =
      std::filesystem::temp_directory_path() / ("canary-rsyncd-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  std::ofstream{folder / "rsyncd.conf"} << "use chroot = no\nlog file = /dev/null\n";
  {
    support::ChildProcess const rsyncd{{"/usr/bin/rsync", "--daemon", "--no-detach",
                                        "--address=127.0.0.1", "--port=" + std::to_string(port),
                                        "--config=" + (folder / "rsyncd.conf").string()}};
    Spec spec = at(port);
    spec.idle_timeout = 5s;
    spec.starts_with = "@RSYNCD: ";
    auto report = run(spec);
    auto const until = std::chrono::steady_clock::now() + 10s;
    while (report.severity() != Severity::ok && std::chrono::steady_clock::now() < until) {
      report = run(spec);  // it is starting
    }
    EXPECT_EQ(report.severity(), Severity::ok) << bad(report).message.text();
    EXPECT_THAT(report.findings.back().message.text(), HasSubstr("@RSYNCD: 3"));
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace canary::tcp
