// SPDX-License-Identifier: Apache-2.0
// The HTTP server with TLS, client certificates and passwords, asked by the curl that people have.
#include "daemon/publish/web_gate.h"

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/publish/server.h"
#include "daemon/watchdog/sample/self_channels.h"
#include "probes/tuf/declaration.h"
#include "tests/daemon/publish/exposition_parser.h"
#include "tests/daemon/publish/plain_client.h"
#include "tests/support/certificates.h"
#include "tests/support/child_process.h"
#include "tests/support/temporary_folder.h"

namespace canary::daemon {
namespace {

using namespace std::chrono_literals;
using support::CertificateAuthority;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using tests::Client;

// Of "secret" and "changed".
constexpr char kSecret[] = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";
constexpr char kChanged[] = "$2b$04$abcdefghijklmnopqrstuu5XQl64I3WPWSJw.ftK7xXCrRn1r6QJi";

struct Asked {
  int code = -1;   // curl's
  int status = 0;  // of HTTP
  std::string body;
};

class WebGateTest : public ::testing::Test {
 protected:
  WebGateTest() {
    std::vector<ProbeFacts> all;
    for (int i = 0; i < 300; ++i) {
      all.push_back({.name = "demo" + std::to_string(i),
                     .repository = "repo",
                     .kind = &tuf::kDeclaration,
                     .enabled = true,
                     .interval = 60s,
                     .timeout = 30s});
    }
    store_.configure(all);
    authority_.issue({.addresses = {"127.0.0.1"}});
  }

  std::string path(std::string const& name) const { return (folder_.path() / name).string(); }
  WebAccessPointer read(std::string const& text) {
    std::ofstream{path("web.yml")} << text;
    auto access = read_web_access(path("web.yml"));
    EXPECT_TRUE(access) << (access ? "" : to_text(access.error().front()));
    return access ? access.value() : nullptr;
  }
  void start(std::string const& text) {
    gate_.emplace(read(text));
    config::WebSettings settings;
    settings.listen_addresses = {"127.0.0.1:0"};
    auto started = Server::start(settings,
                                 {.store = store_,
                                  .healthy = [] { return Health{}; },
                                  .live = [] { return Health{}; },
                                  .log_lines_dropped = [] { return std::uint64_t{0}; },
                                  .wall_clock = [] { return SysTime{1'790'000'000s}; },
                                  .asking = &channels_,
                                  .gate = &*gate_},
                                 path("socket"));
    ASSERT_TRUE(started) << started.error();
    server_ = std::move(started).value();
    address_ = server_->addresses().front();
  }
  // What curl makes of it; `path` with the scheme before the address.
  Asked ask(std::string const& url_path, std::vector<std::string> more = {},
            std::string const& scheme = "https") {
    std::vector<std::string> command{"/usr/bin/curl", "--silent",
                                     "--max-time",    "30",
                                     "--cacert",      authority_.certificate().string(),
                                     "--write-out",   "\n%{http_code}"};
    command.insert(command.end(), more.begin(), more.end());
    command.push_back(scheme + "://" + address_ + url_path);
    auto const ran = support::run(command);
    auto const line = ran.out.rfind('\n');
    Asked asked{.code = ran.code.value_or(-1)};
    if (line == std::string::npos) return asked;
    asked.status = std::atoi(ran.out.c_str() + line + 1);
    asked.body = ran.out.substr(0, line);
    return asked;
  }
  std::vector<std::string> with(support::Credentials const& client) {
    return {"--cert", client.certificate.string(), "--key", client.key.string()};
  }

  support::TemporaryFolder folder_;
  CertificateAuthority authority_{folder_.path(), "authority"};
  ResultStore store_{
      DaemonFacts{.version = "", .revision = "", .started = SysTime{1'790'000'000s}}};
  watchdog::SelfChannels channels_;
  std::optional<WebGate> gate_;
  std::unique_ptr<Server> server_;
  std::string address_;
};

constexpr char kTls[] = "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n";

TEST_F(WebGateTest, ServesOverTlsAndNotWithout) {
  start(kTls);
  EXPECT_EQ(ask("/-/healthy").body, "canaryd works.\n");
  auto const page = ask("/metrics");
  EXPECT_EQ(page.status, 200);
  auto const privately = Client{path("socket")}.request("GET", "/metrics").body;
  EXPECT_GT(page.body.size(), privately.size() * 9 / 10) << "all of a large page";
  EXPECT_GT(page.body.size(), 200'000);
  EXPECT_THAT(tests::parse_exposition(page.body).problems, IsEmpty());
  auto const plain = ask("/metrics", {}, "http");
  EXPECT_NE(plain.code, 0);
  EXPECT_EQ(plain.status, 0);
}

TEST_F(WebGateTest, SpeaksTheVersionsThatItIsTold) {
  start(std::string{kTls} + "  min_version: TLS13\n");
  EXPECT_EQ(ask("/-/healthy", {"--tls-max", "1.2"}).code, 35);
  EXPECT_EQ(ask("/-/healthy", {"--tlsv1.3"}).status, 200);
  gate_->replace(read(std::string{kTls} + "  max_version: TLS12\n"));
  EXPECT_EQ(ask("/-/healthy", {"--tlsv1.3"}).code, 35);
  EXPECT_EQ(ask("/-/healthy", {"--tls-max", "1.2"}).status, 200);
  std::vector<std::string> const old{"--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0"};
  EXPECT_EQ(ask("/-/healthy", old).code, 35) << "1.2 unless it is told otherwise";
  gate_->replace(read(std::string{kTls} + "  min_version: TLS10\n"));
  EXPECT_EQ(ask("/-/healthy", old).status, 200);
}

TEST_F(WebGateTest, ServesClientsWithACertificateOfTheRightAuthorityAlone) {
  CertificateAuthority const clients{folder_.path(), "clients"}, others{folder_.path(), "others"};
  auto const good = clients.issue({.file_name = "good", .names = {"prometheus.example"}});
  auto const ended = clients.issue({.file_name = "ended", .begins = -7'200s, .ends = -3'600s});
  auto const foreign = others.issue({.file_name = "foreign", .names = {"prometheus.example"}});
  start(std::string{kTls} + "  client_ca_file: clients.pem\n" +
        "  client_auth_type: RequireAndVerifyClientCert\n");
  EXPECT_EQ(ask("/-/healthy", with(good)).status, 200);
  for (auto const& bad : {std::vector<std::string>{}, with(foreign), with(ended)}) {
    auto const refused = ask("/-/healthy", bad);
    EXPECT_NE(refused.code, 0);
    EXPECT_EQ(refused.status, 0);
  }

  gate_->replace(read(std::string{kTls} + "  client_ca_file: clients.pem\n" +
                      "  client_auth_type: VerifyClientCertIfGiven\n"));
  EXPECT_EQ(ask("/-/healthy").status, 200);
  EXPECT_EQ(ask("/-/healthy", with(good)).status, 200);
  EXPECT_EQ(ask("/-/healthy", with(ended)).status, 0);

  gate_->replace(read(std::string{kTls} + "  client_auth_type: RequireAnyClientCert\n"));
  EXPECT_EQ(ask("/-/healthy").status, 0);
  EXPECT_EQ(ask("/-/healthy", with(foreign)).status, 200);

  std::string const named = std::string{kTls} + "  client_ca_file: clients.pem\n" +
                            "  client_auth_type: RequireAndVerifyClientCert\n" +
                            "  client_allowed_sans: ";
  gate_->replace(read(named + "[other.example]\n"));
  EXPECT_EQ(ask("/-/healthy", with(good)).status, 0);
  gate_->replace(read(named + "[other.example, prometheus.example, 192.0.2.7, '2001:db8::7']\n"));
  EXPECT_EQ(ask("/-/healthy", with(good)).status, 200);
  for (char const* const address : {"192.0.2.7", "2001:db8::7"}) {
    auto const by_address = clients.issue({.file_name = "address", .addresses = {address}});
    EXPECT_EQ(ask("/-/healthy", with(by_address)).status, 200) << address;
  }
}

TEST_F(WebGateTest, ShowsANewCertificateAndNobodyIsTurnedAwayMeanwhile) {
  start(kTls);
  CertificateAuthority const next{folder_.path(), "next"};
  EXPECT_EQ(ask("/-/healthy").status, 200);
  EXPECT_EQ(ask("/-/healthy", {"--cacert", next.certificate().string()}).code, 60);
  next.issue({.addresses = {"127.0.0.1"}});  // over the files of the first
  gate_->replace(read(kTls));
  EXPECT_EQ(ask("/-/healthy", {"--cacert", next.certificate().string()}).status, 200);
  EXPECT_EQ(ask("/-/healthy").code, 60) << "the old one is shown no more";
}

TEST_F(WebGateTest, WaitsForAHandshakeWithoutComputing) {
  start(kTls);
  Client half{address_};
  // A record that says more than comes.
  half.send(std::string_view{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 and no more", 23});
  auto const cpu = [] {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    return std::chrono::seconds{used.ru_utime.tv_sec + used.ru_stime.tv_sec} +
           std::chrono::microseconds{used.ru_utime.tv_usec + used.ru_stime.tv_usec};
  };
  EXPECT_EQ(ask("/-/healthy").status, 200) << "beside it";
  auto const before = cpu();
  EXPECT_FALSE(half.has_more_within(1'500ms));
  EXPECT_LT(cpu() - before, 300ms);
}

// Each thread, over the connection that the server made for it.
TEST_F(WebGateTest, AnswersTheWatchdogAlthoughThatSpeaksNoTls) {
  start(std::string{kTls} + "basic_auth_users: {alice: " + kSecret + "}\n");
  ASSERT_TRUE(support::eventually(
      [this] { return channels_.count() == 4 && !channels_.wanted(0) && !channels_.wanted(1); }));
  for (int round = 0; round < 3; ++round) {
    for (std::size_t place = 0; place < 4; ++place) {
      std::string_view const question = "GET /-/asked HTTP/1.1\r\nHost: localhost\r\n\r\n";
      ASSERT_EQ(::send(channels_.at(place), question.data(), question.size(), MSG_NOSIGNAL),
                static_cast<ssize_t>(question.size()));
      pollfd readable{.fd = channels_.at(place), .events = POLLIN, .revents = 0};
      ASSERT_EQ(::poll(&readable, 1, 30'000), 1) << place;
      char bytes[1'024];
      auto const got = ::recv(channels_.at(place), bytes, sizeof bytes, 0);
      ASSERT_GT(got, 0);
      EXPECT_THAT((std::string{bytes, static_cast<std::size_t>(got)}),
                  ::testing::StartsWith("HTTP/1.1 200"))
          << place;
    }
  }
}

TEST_F(WebGateTest, AsksForAPasswordWhateverIsAskedFor) {
  start(std::string{"basic_auth_users: {alice: "} + kSecret + "}\n");
  auto const get = [this](std::string const& url_path, std::string const& user = {}) {
    std::vector<std::string> more;
    if (!user.empty()) more = {"--user", user};
    return ask(url_path, more, "http").status;
  };
  for (char const* const each : {"/", "/metrics", "/-/healthy", "/-/live", "/-/asked", "/config",
                                 "/nothing", "/debug/dump", "/-/order/1"}) {
    EXPECT_EQ(get(each), 401) << each;
  }
  EXPECT_EQ(get("/metrics", "alice:secret"), 200);
  EXPECT_EQ(get("/metrics", "alice:wrong"), 401);
  EXPECT_EQ(get("/metrics", "bob:secret"), 401);
  EXPECT_EQ(get("/metrics", "alice:secret"), 200) << "from memory";
  EXPECT_EQ(get("/-/healthy", "alice:secret"), 200);
  EXPECT_EQ(get("/nothing", "alice:secret"), 404);
  EXPECT_EQ(ask("/-/reload", {"--data", "x", "--user", "alice:secret"}, "http").status, 413);

  Client client{address_};
  auto const refused = client.request("GET", "/metrics");
  EXPECT_EQ(refused.status, 401);
  EXPECT_THAT(refused.headers.at("www-authenticate"), HasSubstr("Basic realm="));
  EXPECT_EQ(refused.body, "Unauthorized\n");
  auto const given = client.request("GET", "/metrics", "Authorization: Basic YWxpY2U6c2VjcmV0\r\n");
  EXPECT_EQ(given.status, 200) << "over the same connection";
  EXPECT_EQ(client.request("GET", "/metrics").status, 401) << "each request for itself";
  auto const page = tests::parse_exposition(given.body);
  EXPECT_GE(page.value(R"(canaryd_http_requests_total{code="401",handler="/metrics"})"), 3);

  EXPECT_EQ(Client{path("socket")}.request("GET", "/metrics").status, 200)
      << "this machine's canaryd asks over the private socket, as ever";
}

TEST_F(WebGateTest, LetsInWhoeverHasAPasswordNow) {
  start(std::string{"basic_auth_users: {alice: "} + kSecret + "}\n");
  auto const status = [this](std::string const& user) {
    return ask("/-/healthy", {"--user", user}, "http").status;
  };
  EXPECT_EQ(status("alice:secret"), 200);
  gate_->replace(read(std::string{"basic_auth_users: {alice: "} + kChanged + "}\n"));
  EXPECT_EQ(status("alice:secret"), 401);
  EXPECT_EQ(status("alice:changed"), 200);
  gate_->replace(read(std::string{"basic_auth_users: {bob: "} + kSecret + "}\n"));
  EXPECT_EQ(status("alice:changed"), 401);
  EXPECT_EQ(status("bob:secret"), 200);
  gate_->replace(read(""));
  EXPECT_EQ(ask("/-/healthy", {}, "http").status, 200);
}

TEST_F(WebGateTest, SendsTheHeadersThatItIsTold) {
  start(
      "http_server_config: {headers: {X-Frame-Options: sameorigin, "
      "Strict-Transport-Security: max-age=3600}}\n");
  auto const reply = Client{address_}.request("GET", "/-/healthy");
  EXPECT_EQ(reply.headers.at("x-frame-options"), "sameorigin");
  EXPECT_EQ(reply.headers.at("strict-transport-security"), "max-age=3600");
  EXPECT_EQ(reply.headers.at("x-content-type-options"), "nosniff") << "as ever";
}

struct BadFile {
  std::string name, text, expected;
};
class WebGateRefuses : public WebGateTest, public ::testing::WithParamInterface<BadFile> {};

TEST_P(WebGateRefuses, ByFileLineAndField) {
  std::ofstream{path("nothing.pem")} << "nothing\n";
  CertificateAuthority const other{folder_.path(), "other"};
  other.issue({.file_name = "another"});
  auto const locked = support::run({"/usr/bin/openssl", "ec", "-aes128", "-passout", "pass:x",
                                    "-in", path("server.key"), "-out", path("locked.key")});
  ASSERT_EQ(locked.code, 0) << locked.err;
  std::ofstream{path("web.yml")} << GetParam().text;
  auto const access = read_web_access(path("web.yml"));
  ASSERT_FALSE(access);
  EXPECT_THAT(to_text(access.error().front()), HasSubstr(path("web.yml") + GetParam().expected));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, WebGateRefuses,
    ::testing::Values(
        BadFile{"no_certificate", "tls_server_config: {cert_file: none, key_file: server.key}\n",
                ":1:32: tls_server_config.cert_file: can't read "},
        BadFile{"no_key", "tls_server_config: {cert_file: server.pem, key_file: none}\n",
                ":1:54: tls_server_config.key_file: can't read "},
        BadFile{"no_pem", "tls_server_config: {cert_file: nothing.pem, key_file: server.key}\n",
                ":1:"},
        BadFile{"anothers_key",
                "tls_server_config: {cert_file: server.pem, key_file: another.key}\n",
                ":1:54: tls_server_config.key_file: "},
        BadFile{"an_encrypted_key",
                "tls_server_config: {cert_file: server.pem, key_file: locked.key}\n",
                ":1:54: tls_server_config.key_file: "},
        BadFile{"no_authority",
                "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n"
                "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: nothing.pem\n",
                ":5:19: tls_server_config.client_ca_file: "}),
    [](auto const& each) { return each.param.name; });

}  // namespace
}  // namespace canary::daemon
