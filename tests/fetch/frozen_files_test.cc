// SPDX-License-Identifier: Apache-2.0
// Files of ours whose disk does not answer: what was read before goes on serving, and nobody else
// is held up or accused.
#include <future>

#include <gmock/gmock.h>

#include "tests/fetch/client_fixture.h"
#include "tests/support/frozen_file.h"

namespace canary::fetch {
namespace {

using namespace std::chrono_literals;
using namespace canary::support;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class FrozenFiles : public ClientTest {
 protected:
  FrozenFiles() {
    HostileServer::Options options;
    options.tls = authority_.issue({.addresses = {"127.0.0.1"}});
    tls_server_ = std::make_unique<HostileServer>(options);
    tls_server_->on("/a", respond("safe"));
    server_.on_any(respond("plain"));
    settings_.ca_file = authority_.certificate();
  }
  // The body, or what was in the way.
  std::string body(std::string const& text) {
    auto const client = make_client();
    auto const result = get_with(*client, text);
    kept_ = client->totals().kept_credentials;
    if (result) return result.value().body;
    kind_ = result.error().kind;
    return result.error().message;
  }

  CertificateAuthority authority_{folder(), "ca"};
  std::unique_ptr<HostileServer> tls_server_;
  std::vector<KeptCredential> kept_;
  FaultKind kind_ = FaultKind::rejected;
};

TEST_F(FrozenFiles, OfCertificatesThatWereReadBeforeAreAWarning) {
  ASSERT_EQ(body(tls_server_->url("/a")), "safe");
  auto const frozen = FrozenFile::at(*settings_.ca_file);
  EXPECT_EQ(body(tls_server_->url("/a")), "safe");
  EXPECT_THAT(kept_,
              ElementsAre(AllOf(Field(&KeptCredential::file, settings_.ca_file->string()),
                                Field(&KeptCredential::waits, true),
                                Field(&KeptCredential::why, HasSubstr(settings_.ca_file->string() +
                                                                      " waits for the disk")))));
}

TEST_F(FrozenFiles, OfCertificatesThatWereNeverReadAreTheDisksFault) {
  auto const frozen = FrozenFile::at(*settings_.ca_file);
  deadline_ = runtime::Deadline::after(400ms);
  EXPECT_THAT(body(tls_server_->url("/a")),
              StartsWith(settings_.ca_file->string() + " waits for the disk: no answer for 0."));
  EXPECT_EQ(kind_, FaultKind::disk);
}

TEST_F(FrozenFiles, NameTheOneOfSeveralThatIsFrozen) {
  auto const own = authority_.issue({.names = {"client"}});
  settings_.client_cert_file = own.certificate;
  settings_.client_key_file = own.key;
  auto const frozen = FrozenFile::at(own.key);
  deadline_ = runtime::Deadline::after(400ms);
  EXPECT_THAT(body(tls_server_->url("/a")), StartsWith(own.key.string() + " waits for the disk"));
}

TEST_F(FrozenFiles, HoldUpNobodyWhoDoesNotNeedThem) {
  auto const frozen = FrozenFile::at(*settings_.ca_file);
  deadline_ = runtime::Deadline::after(200ms);
  body(tls_server_->url("/a"));
  deadline_ = runtime::Deadline::after(50s);
  settings_.ca_file.reset();
  EXPECT_EQ(body(server_.url("/")), "plain");
  EXPECT_EQ(body("file://" + folder_.write("file", "bytes").string()), "bytes");
  EXPECT_TRUE(kept_.empty());
}

TEST_F(FrozenFiles, OfASecretKeepItsLastValue) {
  auto const token = folder_.write("token", "Bearer one\n");
  settings_.secret_headers = {{"Authorization", {"Bearer one", token}}};
  ASSERT_EQ(body(server_.url("/")), "plain");
  std::promise<void> gate;
  runtime::FileAsk const ask{.name = "test.frozen", .file = token};
  auto const stuck = files_.start(running_.executor(), ask, [released = gate.get_future().share()] {
    released.wait();
    return true;
  });
  services_.secrets.forget_when_looked_at();
  EXPECT_EQ(body(server_.url("/")), "plain");
  EXPECT_EQ(server_.requests().back().headers.at("authorization"), "Bearer one");
  EXPECT_THAT(kept_, ElementsAre(AllOf(Field(&KeptCredential::file, token.string()),
                                       Field(&KeptCredential::waits, true))));
  gate.set_value();
}

class FrozenNames : public ::testing::Test {
 protected:
  canary::Result<runtime::Resolver::Addresses, runtime::ResolveFault> resolve() {
    auto const until = runtime::Deadline::after(30s);
    return running_.block_on(
        resolver_.resolve("listed.test", runtime::AddressFamily::any, until, {}));
  }

  TempFolder folder_;
  std::filesystem::path hosts_ = folder_.write("hosts", "192.0.2.9 listed.test\n");
  runtime::RunningLoop running_;
  runtime::FileThreads files_{{.patience = 200ms}};
  runtime::Resolver resolver_{
      files_, {.hosts_file = hosts_, .resolv_conf = folder_.write("resolv.conf", "")}};
};

TEST_F(FrozenNames, AreLookedUpByWhatTheFileWasBefore) {
  ASSERT_TRUE(resolve());
  EXPECT_TRUE(resolver_.waits().empty());
  auto const frozen = FrozenFile::at(hosts_);
  // What was read a moment ago is not looked at again.
  auto const look = [](runtime::Resolver& resolver) -> runtime::Task<bool> {
    auto const limit = runtime::Deadline::after(20s);
    while (resolver.waits().empty() && !limit.passed()) {
      co_await runtime::sleep_until({}, "test.wait", runtime::Deadline::after(50ms));
      auto const found =
          co_await resolver.resolve("listed.test", runtime::AddressFamily::any, limit, {});
      if (!found) co_return false;
    }
    co_return true;
  };
  EXPECT_TRUE(running_.block_on(look(resolver_)));
  ASSERT_EQ(resolver_.waits().size(), 1u);
  EXPECT_EQ(resolver_.waits()[0].file, hosts_.string());
}

TEST_F(FrozenNames, ThatWereNeverReadAreTheDisksFault) {
  auto const frozen = FrozenFile::at(hosts_);
  auto const found = resolve();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, runtime::ResolveFault::Kind::disk);
  EXPECT_THAT(found.error().message, StartsWith(hosts_.string() + " waits for the disk"));
}

}  // namespace
}  // namespace canary::fetch
