// SPDX-License-Identifier: Apache-2.0
// TLS: who is believed, for which name, until when; and our own certificate.
#include <gmock/gmock.h>

#include "tests/fetch/client_fixture.h"

namespace canary::fetch {
namespace {

using namespace std::chrono_literals;
using namespace canary::support;
using Wanted = CertificateAuthority::Wanted;

class Tls : public ClientTest {
 protected:
  Tls() { settings_.ca_file = authority_.certificate(); }

  HostileServer& serve(Wanted wanted) { return serve_with(authority_.issue(std::move(wanted))); }
  HostileServer& serve_with(Credentials credentials,
                            std::optional<std::filesystem::path> client_ca = {}) {
    HostileServer::Options options;
    options.tls = std::move(credentials);
    options.client_ca = std::move(client_ca);
    tls_server_ = std::make_unique<HostileServer>(options);
    tls_server_->on("/a", respond("safe"));
    return *tls_server_;
  }
  FaultKind fault_of(std::string const& text) {
    auto const client = make_client();
    auto const result = get_with(*client, text);
    auto const& seen = client->totals().certificates;
    end_seen_.reset();
    if (!seen.empty()) end_seen_ = seen.begin()->second.ends;
    if (result) {
      ADD_FAILURE() << "accepted";
      return FaultKind::rejected;
    }
    EXPECT_EQ(result.error().phase, Phase::tls) << result.error().message;
    bad_ = result.error().answered;
    return result.error().kind;
  }

  bool bad_ = false;  // what fault_of() saw was an answer, and wrong
  std::optional<std::chrono::sys_seconds> end_seen_;

  CertificateAuthority authority_{folder(), "ca"};
  std::unique_ptr<HostileServer> tls_server_;
};

TEST_F(Tls, AcceptsAGoodCertificateAndSaysWhenItEnds) {
  auto& server = serve({.names = {"localhost"}, .ends = 10h});
  auto const client = make_client();
  auto const result = get_with(*client, server.url("/a", "localhost"));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result.value().body, "safe");
  auto const& seen = client->totals().certificates;
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen.begin()->first, "localhost:" + std::to_string(server.port()));
  auto const left = seen.begin()->second.ends - std::chrono::system_clock::now();
  EXPECT_GT(left, 9h);
  EXPECT_LT(left, 11h);
  EXPECT_GT(result.value().times[Phase::tls], 0ns);
}

TEST_F(Tls, VerifiesAddresses) {
  auto& server = serve({.addresses = {"127.0.0.1"}});
  EXPECT_TRUE(get(server.url("/a")));
}

TEST_F(Tls, KeepsTheConnection) {
  auto& server = serve({.addresses = {"127.0.0.1"}});
  auto const client = make_client();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(get_with(*client, server.url("/a")));
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(Tls, ACertificateForAnotherNameIsBad) {
  EXPECT_EQ(fault_of(serve({.names = {"other.test"}}).url("/a", "localhost")),
            FaultKind::tls_wrong_host);
  EXPECT_TRUE(bad_);
  EXPECT_EQ(fault_of(serve({.addresses = {"127.0.0.2"}}).url("/a")), FaultKind::tls_wrong_host);
  EXPECT_TRUE(bad_);
}

TEST_F(Tls, AnExpiredCertificateIsBadAndItsEndIsKnown) {
  Wanted const expired{.addresses = {"127.0.0.1"}, .begins = -48h, .ends = -24h};
  EXPECT_EQ(fault_of(serve(expired).url("/a")), FaultKind::tls_expired);
  EXPECT_TRUE(bad_);
  ASSERT_TRUE(end_seen_);
  auto const ago = std::chrono::system_clock::now() - *end_seen_;
  EXPECT_GT(ago, 23h);
  EXPECT_LT(ago, 25h);
}

TEST_F(Tls, ACertificateThatIsNotValidYetIsBad) {
  Wanted const early{.addresses = {"127.0.0.1"}, .begins = 24h, .ends = 48h};
  EXPECT_EQ(fault_of(serve(early).url("/a")), FaultKind::tls_not_yet_valid);
  EXPECT_TRUE(bad_);
}

TEST_F(Tls, AnIssuerUnknownToUsTellsNothingOfTheServerButTheEnd) {
  CertificateAuthority const other{folder(), "other"};
  auto& server = serve_with(other.issue({.addresses = {"127.0.0.1"}}));
  EXPECT_EQ(fault_of(server.url("/a")), FaultKind::tls_untrusted);
  EXPECT_FALSE(bad_);
  EXPECT_TRUE(end_seen_);
}

TEST_F(Tls, RefusesAPrivateAuthorityWithTheSystemsOnes) {
  auto& server = serve({.addresses = {"127.0.0.1"}});
  settings_.ca_file.reset();
  EXPECT_EQ(fault_of(server.url("/a")), FaultKind::tls_untrusted);
}

TEST_F(Tls, RefusesWhatIsNoTls) {
  server_.on_any(respond("plain"));
  HostileServer::Options options;
  options.on_accept = [](Peer& peer, ServedRequest const&) {
    peer.send("HTTP/1.1 400 Bad Request\r\n\r\n");
    peer.wait_for_end(100ms);
  };
  HostileServer plain{options};
  EXPECT_EQ(fault_of("https://127.0.0.1:" + std::to_string(plain.port()) + "/"),
            FaultKind::tls_handshake);
}

TEST_F(Tls, ASilentServerEndsAtTheTlsDeadline) {
  HostileServer::Options options;
  options.on_accept = [](Peer& peer, ServedRequest const&) { peer.wait_for_end(); };
  HostileServer silent{options};
  settings_.tls_timeout = 60ms;
  EXPECT_EQ(fault_of("https://127.0.0.1:" + std::to_string(silent.port()) + "/"),
            FaultKind::timeout);
}

TEST_F(Tls, ABodyThatIsCutIsNotComplete) {
  auto& server = serve({.addresses = {"127.0.0.1"}});
  server.on("/cut", raw("HTTP/1.0 200 OK\r\n\r\nhalf"));
  auto const result = get(server.url("/cut"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, FaultKind::truncated);
}

TEST_F(Tls, LeadsToPlainHttpAsClientsDoAndSaysSo) {
  auto& server = serve({.addresses = {"127.0.0.1"}});
  support::HostileServer plain;
  plain.on("/end", support::respond("here"));
  server.on("/down", redirect_to(plain.url("/end")));
  auto const client = make_client();
  auto const result = get_with(*client, server.url("/down"));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result.value().body, "here");
  EXPECT_TRUE(client->totals().oddities.contains(Oddity::downgraded));
}

TEST_F(Tls, ShowsOurCertificateWhereOneIsWanted) {
  auto const ours = authority_.issue({.file_name = "client", .names = {"canary"}});
  auto& server =
      serve_with(authority_.issue({.addresses = {"127.0.0.1"}}), authority_.certificate());
  auto const without = get(server.url("/a"));
  ASSERT_FALSE(without);
  EXPECT_THAT(without.error().kind, ::testing::AnyOf(FaultKind::tls_handshake, FaultKind::reset));
  settings_.client_cert_file = ours.certificate;
  settings_.client_key_file = ours.key;
  auto const with = get(server.url("/a"));
  ASSERT_TRUE(with) << with.error().message;
}

TEST_F(Tls, NamesTheFileThatCannotBeUsed) {
  settings_.ca_file = folder() / "missing.pem";
  auto const missing = get("https://127.0.0.1:1/");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, FaultKind::settings);
  EXPECT_THAT(missing.error().message, ::testing::HasSubstr("missing.pem"));

  settings_.ca_file = folder_.write("junk.pem", "no certificate");
  EXPECT_THAT(get("https://127.0.0.1:1/").error().message, ::testing::HasSubstr("junk.pem"));

  settings_.ca_file = authority_.certificate();
  auto const one = authority_.issue({.file_name = "one"});
  auto const two = authority_.issue({.file_name = "two"});
  settings_.client_cert_file = one.certificate;
  settings_.client_key_file = two.key;
  EXPECT_THAT(get("https://127.0.0.1:1/").error().message, ::testing::HasSubstr("two.key"));
}

TEST_F(Tls, GoesOnWithTheCertificatesItHasWhereTheirFilesBecameUnusable) {
  auto& server = serve({.addresses = {"127.0.0.1"}});
  ASSERT_TRUE(get(server.url("/a")));
  folder_.write("ca.pem", "half a certifi");
  auto const client = make_client();
  ASSERT_TRUE(get_with(*client, server.url("/a")));
  ASSERT_EQ(client->totals().kept_credentials.size(), 1u);
  EXPECT_EQ(client->totals().kept_credentials[0].file, authority_.certificate());
  EXPECT_THAT(
      client->totals().kept_credentials[0].why,
      ::testing::StartsWith("TLS certificates cannot be read again, so what was read before "
                            "is used: the CA certificates in "));
}

TEST_F(Tls, ReadsTheAuthoritysFileAgainWhenItChanges) {
  CertificateAuthority const other{folder(), "other"};
  auto& server = serve_with(other.issue({.addresses = {"127.0.0.1"}}));
  EXPECT_EQ(fault_of(server.url("/a")), FaultKind::tls_untrusted);
  std::filesystem::rename(other.certificate(), authority_.certificate());
  EXPECT_TRUE(get(server.url("/a")));
}

}  // namespace
}  // namespace canary::fetch
