// SPDX-License-Identifier: Apache-2.0
// The file of --web.config.file: what is taken, and what is refused by file, line and field.
#include "config/web_file.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/config/temp_dir.h"

namespace canary::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kHash[] = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";

class WebFileTest : public ::testing::Test {
 protected:
  Result<WebFile, std::vector<Problem>> read(std::string const& text) {
    return read_web_file(folder_.write("web.yml", text));
  }
  // A line a problem, without the folder; "" where the file is taken.
  std::string refusal(std::string const& text) {
    auto const got = read(text);
    std::string all;
    if (got) return all;
    for (auto const& problem : got.error()) all += to_text(problem) + "\n";
    auto const folder = folder_.path().string() + "/";
    for (auto at = all.find(folder); at != std::string::npos; at = all.find(folder)) {
      all.erase(at, folder.size());
    }
    return all;
  }
  TempDir folder_;
};

TEST_F(WebFileTest, TakesWhatExportersTake) {
  auto const got = read(std::string{R"(
tls_server_config:
  cert_file: tls/server.crt
  key_file: /etc/tls/server.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: tls/clients.pem
  client_allowed_sans: [prometheus.example, 192.0.2.7]
  min_version: TLS13
  max_version: TLS13
  prefer_server_cipher_suites: false
http_server_config:
  http2: false
  headers:
    Strict-Transport-Security: max-age=31536000
    x-frame-options: SAMEORIGIN
basic_auth_users:
  alice: )"} + kHash + "\n");
  ASSERT_TRUE(got) << to_text(got.error().front());
  auto const& web = got.value();
  ASSERT_TRUE(web.tls);
  EXPECT_EQ(web.tls->certificate.path, folder_.path() / "tls/server.crt") << "beside the file";
  EXPECT_EQ(web.tls->key.path, "/etc/tls/server.key");
  EXPECT_EQ(web.tls->key.at.line, 4);
  EXPECT_EQ(web.tls->client_auth, WebTls::ClientAuth::require_and_verify);
  EXPECT_EQ(web.tls->client_ca->path, folder_.path() / "tls/clients.pem");
  EXPECT_THAT(web.tls->client_allowed_sans, ElementsAre("prometheus.example", "192.0.2.7"));
  EXPECT_EQ(web.tls->least, WebTls::Version::tls13);
  EXPECT_FALSE(web.tls->prefer_server_ciphers);
  EXPECT_THAT(web.headers, ElementsAre(WebHeader{"Strict-Transport-Security", "max-age=31536000"},
                                       WebHeader{"X-Frame-Options", "SAMEORIGIN"}));
  EXPECT_THAT(web.users, ElementsAre(WebUser{"alice", kHash}));
  EXPECT_EQ(bcrypt_cost(kHash), 4);
}

TEST_F(WebFileTest, IsOpenWhereItSaysNothing) {
  for (char const* const text : {"", "tls_server_config:\n", "tls_server_config: {}\n",
                                 "basic_auth_users:\nhttp_server_config:\n"}) {
    auto const got = read(text);
    ASSERT_TRUE(got) << text;
    EXPECT_FALSE(got.value().tls);
    EXPECT_THAT(got.value().users, IsEmpty());
  }
}

struct Mistake {
  std::string name, text, expected;
};
class WebFileMistake : public WebFileTest, public ::testing::WithParamInterface<Mistake> {};

TEST_P(WebFileMistake, IsNamed) { EXPECT_EQ(refusal(GetParam().text), GetParam().expected); }

std::string tls(std::string const& more) {
  return "tls_server_config:\n  cert_file: a\n  key_file: b\n  " + more + "\n";
}

constexpr char kTypes[] =
    "NoClientCert, RequestClientCert, RequireAnyClientCert, VerifyClientCertIfGiven, "
    "RequireAndVerifyClientCert, RequireClientCert";
constexpr char kTls[] =
    "expected one of cert_file, key_file, client_auth_type, client_ca_file, client_allowed_sans, "
    "min_version, max_version, prefer_server_cipher_suites, cert, key, client_ca, cipher_suites, "
    "curve_preferences";

INSTANTIATE_TEST_SUITE_P(
    Cases, WebFileMistake,
    ::testing::Values(
        Mistake{"no_yaml", "tls_server_config: [\n",
                "web.yml:2:1: not YAML: end of sequence flow not found\n"},
        Mistake{"a_list", "[]\n", "web.yml:1:1: expected a mapping of fields, got a list\n"},
        Mistake{"an_unknown_section", "tls_config: {}\n",
                "web.yml:1:1: tls_config: unknown field; expected one of tls_server_config, "
                "http_server_config, basic_auth_users, rate_limit\n"},
        Mistake{"a_certificate_without_a_key", "tls_server_config:\n  cert_file: a\n",
                "web.yml:2:3: tls_server_config: expected key_file, which is missing\n"},
        Mistake{"a_key_without_a_certificate", "tls_server_config:\n  key_file: a\n",
                "web.yml:2:3: tls_server_config: expected cert_file, which is missing\n"},
        Mistake{"an_empty_path", "tls_server_config:\n  cert_file: ''\n  key_file: b\n",
                "web.yml:2:14: tls_server_config.cert_file: expected the path of a file, got "
                "nothing\n"},
        Mistake{"a_misspelt_field", tls("certs: x"),
                "web.yml:4:3: tls_server_config.certs: unknown field; did you mean cert?\n"},
        Mistake{"an_unknown_field", tls("something_else: x"),
                std::string{"web.yml:4:3: tls_server_config.something_else: unknown field; "} +
                    kTls + "\n"},
        Mistake{"another_client_auth_type", tls("client_auth_type: Always"),
                std::string{"web.yml:4:21: tls_server_config.client_auth_type: expected one of "} +
                    kTypes + ", got \"Always\"\n"},
        Mistake{"clients_verified_by_nobody", tls("client_auth_type: RequireAndVerifyClientCert"),
                "web.yml:4:21: tls_server_config.client_auth_type: needs client_ca_file: the "
                "system's authorities speak for no client\n"},
        Mistake{"authorities_that_nobody_asks", tls("client_ca_file: c"),
                "web.yml:4:19: tls_server_config.client_ca_file: needs a client_auth_type that "
                "asks for certificates\n"},
        Mistake{"names_that_nobody_verifies",
                tls("client_allowed_sans: [a]\n  client_auth_type: RequestClientCert"),
                "web.yml:4:24: tls_server_config.client_allowed_sans: needs client_auth_type "
                "RequireAndVerifyClientCert or VerifyClientCertIfGiven: a name that nobody "
                "verified says nothing\n"},
        Mistake{"an_unknown_version", tls("min_version: TLS14"),
                "web.yml:4:16: tls_server_config.min_version: expected one of TLS10, TLS11, "
                "TLS12, TLS13, got \"TLS14\"\n"},
        Mistake{"versions_the_wrong_way", tls("min_version: TLS13\n  max_version: TLS12"),
                "web.yml:5:16: tls_server_config.max_version: max_version is below min_version\n"},
        Mistake{"cipher_suites", tls("cipher_suites: [TLS_AES_128_GCM_SHA256]"),
                "web.yml:4:18: tls_server_config.cipher_suites: is not honoured here: GnuTLS "
                "chooses among those of min_version to max_version that are held to be secure\n"},
        Mistake{"curves", tls("curve_preferences: [X25519]"),
                "web.yml:4:22: tls_server_config.curve_preferences: is not honoured here: GnuTLS "
                "chooses among those of min_version to max_version that are held to be secure\n"},
        Mistake{"a_key_in_the_file", tls("key: so-secret"),
                "web.yml:4:8: tls_server_config.key: is not honoured here: put it into a file of "
                "its own, and name that by cert_file, key_file, client_ca_file\n"},
        Mistake{"http2", "http_server_config: {http2: true}\n",
                "web.yml:1:29: http_server_config.http2: is not honoured here: HTTP/1.1 is spoken; "
                "false, or nothing, is right\n"},
        Mistake{"another_header", "http_server_config: {headers: {Server: x}}\n",
                "web.yml:1:40: http_server_config.headers.Server: this header cannot be "
                "configured; there are Content-Security-Policy, X-Frame-Options, "
                "X-Content-Type-Options, X-XSS-Protection, Strict-Transport-Security\n"},
        Mistake{"another_value_of_a_header",
                "http_server_config: {headers: {X-Frame-Options: x}}\n",
                "web.yml:1:49: http_server_config.headers.X-Frame-Options: expected deny or "
                "sameorigin, got \"x\"\n"},
        Mistake{"a_rate_limit", "rate_limit: {burst: 1}\n",
                "web.yml:1:13: rate_limit: is not honoured here: web.max_connections bounds what "
                "clients may cost\n"},
        Mistake{
            "a_password_in_the_clear", "basic_auth_users: {alice: hunter2}\n",
            "web.yml:1:27: basic_auth_users.alice: expected a bcrypt hash ($2y$..., $2b$... or "
            "$2a$...), as `htpasswd -nBC 10 alice` prints it; what stands there is not shown\n"},
        Mistake{
            "a_hash_of_another_kind",
            "basic_auth_users: {alice: $2x$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8W"
            "IrW}\n",
            "web.yml:1:27: basic_auth_users.alice: expected a bcrypt hash ($2y$..., $2b$... or "
            "$2a$...), as `htpasswd -nBC 10 alice` prints it; what stands there is not shown\n"},
        Mistake{
            "a_cost_without_end",
            "basic_auth_users: {alice: $2b$31$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8W"
            "IrW}\n",
            "web.yml:1:27: basic_auth_users.alice: expected a cost of 4 to 15, got 31: a check "
            "of the password would take minutes, or nothing\n"},
        Mistake{"hash_and_name_the_wrong_way",
                "basic_auth_users: {$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW: "
                "alice}\n",
                "web.yml:1:19: basic_auth_users: expected NAME: HASH, got a hash where a name "
                "belongs\n"},
        Mistake{
            "a_name_with_a_colon",
            "basic_auth_users: {\"a:b\": $2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8"
            "WIrW}\n",
            "web.yml:1:27: basic_auth_users.a:b: expected a name, in which HTTP allows no "
            "colon\n"}),
    [](auto const& each) { return each.param.name; });

TEST_F(WebFileTest, NamesAFileThatIsNotThere) {
  auto const got = read_web_file(folder_.path() / "none.yml");
  ASSERT_FALSE(got);
  EXPECT_THAT(to_text(got.error().front()), HasSubstr("none.yml: No such file or directory"));
}

}  // namespace
}  // namespace canary::config
