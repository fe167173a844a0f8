// SPDX-License-Identifier: Apache-2.0
// Servers that choose what their handshake costs us: each ends as a finding, and no handler of the
// loop uses more than 20 ms of CPU on the way.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "probes/fetch/client.h"
#include "probes/fetch/services.h"
#include "probes/fetch/tls_session.h"
#include "probes/kind.h"
#include "probes/tls/spec.h"
#include "runtime/workers.h"
#include "tests/probes/probe_fixture.h"
#include "tests/runtime/handler_meter.h"
#include "tests/support/certificates.h"
#include "tests/support/child_process.h"
#include "tests/support/hostile_server.h"
#include "tests/support/sanitizer.h"

namespace canary::tls {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using probes::Severity;
using ::testing::HasSubstr;

constexpr std::chrono::milliseconds kHandler{20};

using Key = std::unique_ptr<EVP_PKEY, decltype(&::EVP_PKEY_free)>;

Key key_of(char const* type, int selection, std::function<void(OSSL_PARAM_BLD*)> const& fill) {
  OSSL_PARAM_BLD* const fields = ::OSSL_PARAM_BLD_new();
  fill(fields);
  OSSL_PARAM* const parameters = ::OSSL_PARAM_BLD_to_param(fields);
  EVP_PKEY_CTX* const context = ::EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr);
  EVP_PKEY* key = nullptr;
  ::EVP_PKEY_fromdata_init(context);
  ::EVP_PKEY_fromdata(context, &key, selection, parameters);
  ::EVP_PKEY_CTX_free(context);
  ::OSSL_PARAM_free(parameters);
  ::OSSL_PARAM_BLD_free(fields);
  return {key, &::EVP_PKEY_free};
}

BIGNUM* odd_number(int bits) {
  BIGNUM* const number = ::BN_new();
  ::BN_rand(number, bits, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD);
  return number;
}

// Nobody has the private key: it costs as much. So long an exponent is the most that is computed.
Key rsa_key(int bits) {
  BIGNUM* const modulus = odd_number(bits);
  BIGNUM* const exponent = odd_number(64);
  auto key = key_of("RSA", EVP_PKEY_PUBLIC_KEY, [&](OSSL_PARAM_BLD* fields) {
    ::OSSL_PARAM_BLD_push_BN(fields, OSSL_PKEY_PARAM_RSA_N, modulus);
    ::OSSL_PARAM_BLD_push_BN(fields, OSSL_PKEY_PARAM_RSA_E, exponent);
  });
  ::BN_free(exponent);
  ::BN_free(modulus);
  return key;
}

void write_dh_parameters(fs::path const& file, int bits) {
  BIGNUM* const prime = odd_number(bits);
  BIGNUM* const base = ::BN_new();
  ::BN_set_word(base, 2);
  auto const key = key_of("DH", EVP_PKEY_KEY_PARAMETERS, [&](OSSL_PARAM_BLD* fields) {
    ::OSSL_PARAM_BLD_push_BN(fields, OSSL_PKEY_PARAM_FFC_P, prime);
    ::OSSL_PARAM_BLD_push_BN(fields, OSSL_PKEY_PARAM_FFC_G, base);
  });
  ::BN_free(base);
  ::BN_free(prime);
  BIO* const out = ::BIO_new_file(file.c_str(), "w");
  ::PEM_write_bio_Parameters(out, key.get());
  ::BIO_free(out);
}

// One of another, `number` of them, each with a key of `key` and a signature that nobody made.
void write_chain(fs::path const& file, int number, Key const& key) {
  std::FILE* const out = std::fopen(file.c_str(), "w");
  for (int i = 0; i < number; ++i) {
    X509* const certificate = ::X509_new();
    ::X509_set_version(certificate, X509_VERSION_3);
    ::ASN1_INTEGER_set(::X509_get_serialNumber(certificate), i + 1);
    ::X509_gmtime_adj(::X509_getm_notBefore(certificate), -3'600);
    ::X509_gmtime_adj(::X509_getm_notAfter(certificate), 90L * 86'400);
    auto const name = [](X509_NAME* into, int which) {
      auto const text = "Link " + std::to_string(which);
      ::X509_NAME_add_entry_by_txt(into, "CN", MBSTRING_UTF8,
                                   reinterpret_cast<unsigned char const*>(text.c_str()), -1, -1, 0);
    };
    name(::X509_get_subject_name(certificate), i);
    name(::X509_get_issuer_name(certificate), i + 1);
    ::X509_set_pubkey(certificate, key.get());
    bool const rsa = ::EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_RSA;
    auto const as_signed = [rsa](X509_ALGOR const* algorithm) {
      ::X509_ALGOR_set0(const_cast<X509_ALGOR*>(algorithm),
                        ::OBJ_nid2obj(rsa ? NID_sha256WithRSAEncryption : NID_ecdsa_with_SHA256),
                        rsa ? V_ASN1_NULL : V_ASN1_UNDEF, nullptr);
    };
    ASN1_BIT_STRING const* signature = nullptr;
    X509_ALGOR const* algorithm = nullptr;
    ::X509_get0_signature(&signature, &algorithm, certificate);
    as_signed(algorithm);
    as_signed(::X509_get0_tbs_sigalg(certificate));
    std::string forged(static_cast<std::size_t>(::EVP_PKEY_get_size(key.get())), '\7');
    auto* const bytes = const_cast<ASN1_BIT_STRING*>(signature);
    ::ASN1_BIT_STRING_set(bytes, reinterpret_cast<unsigned char*>(forged.data()),
                          static_cast<int>(forged.size()));
    bytes->flags = ASN1_STRING_FLAG_BITS_LEFT;  // of whole bytes
    ::PEM_write_X509(out, certificate);
    ::X509_free(certificate);
  }
  std::fclose(out);
}

class HostileTls : public probes::ProbeFixture<Spec> {
 protected:
  // The server's certificate, by "Link 0".
  static void SetUpTestSuite() {
    fs::create_directories(kFolder);
    std::string const script = "cd " + kFolder.string() +
                               " && openssl req -newkey rsa:2048 -nodes -keyout s.key -out s.csr "
                               "-subj /CN=server 2>&1 && openssl req -x509 -newkey rsa:2048 -nodes "
                               "-keyout i.key -out i.pem -subj '/CN=Link 0' -days 9 2>&1 && "
                               "echo subjectAltName=IP:127.0.0.1 > san && "
                               "openssl x509 -req -in s.csr -CA i.pem -CAkey i.key -days 9 "
                               "-set_serial 9 -extfile san -out s.pem 2>&1";
    auto const made = support::run({"/bin/sh", "-c", script});
    ASSERT_EQ(made.code, 0) << made.out;
  }
  static void TearDownTestSuite() { fs::remove_all(kFolder); }

  // openssl's server with more options.
  void serve(std::vector<std::string> more) {
    port_ = support::HostileServer{}.port();  // free a moment ago
    std::vector<std::string> command{"/usr/bin/openssl",
                                     "s_server",
                                     "-quiet",
                                     "-accept",
                                     "127.0.0.1:" + std::to_string(port_),
                                     "-cert",
                                     (kFolder / "s.pem").string(),
                                     "-key",
                                     (kFolder / "s.key").string()};
    command.insert(command.end(), more.begin(), more.end());
    server_ = std::make_unique<support::ChildProcess>(std::move(command));
  }

  // Once the server is there.
  probes::Report run_on_server() {
    probes::Report report;
    support::eventually([&] {
      report = run({.address = "127.0.0.1:" + std::to_string(port_)});
      return report.worst() == nullptr || report.worst()->reason.word() != "connect";
    });
    return report;
  }
  static void expect_short(runtime::HandlerMeter const& meter, char const* name) {
    auto const longest = std::chrono::ceil<std::chrono::milliseconds>(meter.longest());
    std::printf("hostile server: %-24s longest handler %3d ms\n", name, int(longest.count()));
    if (!support::kSanitizer) EXPECT_LE(longest, kHandler);
  }

  static inline fs::path const kFolder =
      fs::temp_directory_path() / ("canary-hostile-tls-" + std::to_string(::getpid()));
  std::uint16_t port_ = 0;
  std::unique_ptr<support::ChildProcess> server_;
};

std::vector<std::string> finite_field(fs::path const& parameters) {
  return {"-dhparam", parameters.string(), "-tls1_2", "-cipher", "DHE-RSA-AES128-GCM-SHA256"};
}

TEST_F(HostileTls, AnEndlessDiffieHellmanExchangeIsGivenUp) {
  write_dh_parameters(kFolder / "dh.pem", 8'192);
  serve(finite_field(kFolder / "dh.pem"));
  runtime::HandlerMeter const meter;
  auto const report = run_on_server();
  ASSERT_NE(report.worst(), nullptr);
  EXPECT_EQ(report.worst()->severity, Severity::unknown);
  EXPECT_EQ(report.worst()->reason.word(), "size_limit");
  EXPECT_THAT(report.worst()->message.text(), HasSubstr("8192 bits"));
  expect_short(meter, "dh_8192");
}

// As a client of a repository meets it: its certificate is by one of our CAs.
TEST_F(HostileTls, NeitherDoesAClientOfARepositoryComputeIt) {
  write_dh_parameters(kFolder / "dh.pem", 8'192);
  serve(finite_field(kFolder / "dh.pem"));
  config::HttpSettings settings;
  settings.ca_file = kFolder / "i.pem";
  settings.max_attempts = 100;  // it is starting
  settings.backoff_first = settings.backoff_limit = 50ms;
  settings.proxy_from_environment = false;
  fetch::Client client{loop_.executor(), settings, services_};
  fetch::Request request{
      .url = config::Url::parse("https://127.0.0.1:" + std::to_string(port_) + "/").value()};
  auto const answer =
      loop_.block_on(client.get(std::move(request), runtime::Deadline::after(30s), {}));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, fetch::FaultKind::tls_costly) << answer.error().message;
}

TEST_F(HostileTls, OneThatIsComputedHoldsUpNoHandler) {
  write_dh_parameters(kFolder / "dh.pem", fetch::kMostDiffieHellmanBits);
  serve(finite_field(kFolder / "dh.pem"));
  runtime::HandlerMeter const meter;
  auto const report = run_on_server();
  EXPECT_TRUE(report.complete) << report.worst()->message.text();
  expect_short(meter, "dh_4096");
}

TEST_F(HostileTls, AChainOfLargeKeysHoldsUpNoHandler) {
  write_chain(kFolder / "chain.pem", 20, rsa_key(16'384));
  serve({"-cert_chain", (kFolder / "chain.pem").string()});
  runtime::HandlerMeter const meter;
  auto const report = run_on_server();
  EXPECT_TRUE(report.complete) << report.worst()->message.text();
  EXPECT_NE(report.severity(), Severity::ok);
  expect_short(meter, "rsa_16384_chain");
}

TEST_F(HostileTls, AChainOfManyCertificatesIsNotVerified) {
  write_chain(kFolder / "chain.pem", 90, Key{::EVP_EC_gen("P-256"), &::EVP_PKEY_free});
  serve({"-cert_chain", (kFolder / "chain.pem").string()});
  runtime::HandlerMeter const meter;
  auto const report = run_on_server();
  ASSERT_NE(report.worst(), nullptr);
  EXPECT_EQ(report.worst()->reason.word(), "size_limit");
  EXPECT_THAT(report.worst()->message.text(), HasSubstr("91 certificates"));
  expect_short(meter, "chain_of_90");
}

}  // namespace
}  // namespace canary::tls
