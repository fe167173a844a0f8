// SPDX-License-Identifier: Apache-2.0
// What is read of keys, and what is said of clients, beside the programs: gpg of the keyrings that
// Debian's packages carry, gpgv and sqv of keys made for it.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/openpgp/judge.h"
#include "tests/probes/openpgp/signatory.h"
#include "tests/support/child_process.h"
#include "tests/support/read_file.h"
#include "tests/support/temporary_folder.h"

namespace canary::openpgp {
namespace {

using probes::Severity;
using std::chrono::floor;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::system_clock;
using std::chrono::year;

std::vector<std::string> split(std::string const& text, char at) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, at);) parts.push_back(part);
  return parts;
}

// "2048, made 1234, ends 5678, revoked, signs", by fingerprint.
using Facts = std::map<std::string, std::string>;
std::string facts(std::string const& bits, std::string const& made, std::string const& ends,
                  bool revoked, bool signs) {
  return bits + ", made " + made + ", ends " + (ends.empty() ? "never" : ends) +
         (revoked ? ", revoked" : "") + (signs ? ", signs" : "");
}

Facts as_gpg_says(std::filesystem::path const& keyring, std::filesystem::path const& home) {
  Facts all;
  std::vector<std::string> key;
  auto const ran = support::run(
      {"/usr/bin/gpg", "--homedir", home, "--batch", "--show-keys", "--with-colons", keyring});
  for (std::string const& line : split(ran.out, '\n')) {
    auto const parts = split(line, ':');
    if (parts.size() > 11 && (parts[0] == "pub" || parts[0] == "sub")) {
      key = parts;
    } else if (parts.size() > 9 && parts[0] == "fpr" && !key.empty()) {
      bool const signs = key[11].find('s') != std::string::npos;
      all[parts[9]] = facts(key[2], key[5], key[6], key[1] == "r", signs);
      key.clear();
    }
  }
  return all;
}

Facts as_we_say(std::filesystem::path const& keyring) {
  Facts all;
  auto const add = [&](Key const& key) {
    auto const number = [](auto time) { return std::to_string(time.time_since_epoch().count()); };
    all[key.fingerprint] = facts(std::to_string(key.bits), number(key.created),
                                 key.ends ? number(*key.ends) : "", key.revoked, key.signs);
  };
  auto const file = read_keys(support::read_file(keyring));
  EXPECT_TRUE(file.unread.empty()) << file.unread.front().message;
  for (PublicKey const& key : file.keys) {
    add(key.primary);
    for (Key const& subkey : key.subkeys) add(subkey);
  }
  return all;
}

TEST(KeyringsOfDebianPackages, AreReadAsGpgReadsThem) {
  support::TemporaryFolder const home;
  std::size_t keys = 0;
  for (auto const& each : std::filesystem::directory_iterator{"/usr/share/keyrings"}) {
    bool const keyring = each.path().extension() == ".gpg" || each.path().extension() == ".pgp";
    if (!keyring) continue;
    auto const expected = as_gpg_says(each.path(), home.path());
    EXPECT_EQ(as_we_say(each.path()), expected) << each.path();
    keys += expected.size();
  }
  // Of debian-archive-keyring alone.
  EXPECT_GT(keys, 10U) << "debian-archive-keyring and gpg belong to the packages for tests";
}

struct Case {
  std::string name;
  KeyPlan plan;
  std::string hash = "SHA256";  // of the signature
  bool gpgv = true, sqv = true;
  std::function<void(Signatory&)> then = {};
  bool revoked = false;  // once it has signed, but as of a time before
};

constexpr std::chrono::sys_seconds kLongAgo{sys_days{year{2019} / 1 / 1}};

class Verdict : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    Case const& what = GetParam();
    Signatory signatory{what.plan};
    auto when = floor<seconds>(system_clock::now()) - 1h;
    if (what.plan.lifetime > 0s) when = what.plan.made + 1h;
    if (what.then) what.then(signatory);
    signature_ = signatory.detached(data_, when, what.hash);
    if (what.revoked) signatory.revoke("lost", when - 1h);
    keys_ = signatory.binary();
    write("keys", keys_);
    write("data", data_);
    write("signature", signature_);
  }
  void write(std::string const& name, std::string const& bytes) const {
    std::ofstream{path(name), std::ios::binary} << bytes;
  }
  std::string path(std::string const& name) const { return (folder_.path() / name).string(); }

  // Is it accepted, by what we say of the client?
  ::testing::AssertionResult accepts(std::string const& client) const {
    Spec const spec{.keys = {"keys"}, .signed_files = {"data signature"}, .clients = {client}};
    Looked looked;
    looked.keys.push_back({"keys", read_keys(keys_)});
    looked.signed_files.push_back({"data", verify({data_, signature_, {keys_}})});
    for (Finding const& finding :
         judge(looked, spec, floor<seconds>(system_clock::now())).findings) {
      if (finding.check.text() != "clients") continue;
      bool const ok = finding.severity == Severity::ok;
      return (ok ? ::testing::AssertionSuccess() : ::testing::AssertionFailure())
             << finding.message.text();
    }
    return ::testing::AssertionFailure() << "nothing is said of the client";
  }

  support::TemporaryFolder const folder_;
  std::string const data_ = "Origin: us\n";
  std::string keys_, signature_;
};

TEST_P(Verdict, IsThatOfTheProgram) {
  auto const gpgv = support::run({"/usr/bin/gpgv", "--homedir", folder_.path(), "--status-fd", "1",
                                  "--keyring", path("keys"), path("signature"), path("data")});
  bool const accepted = gpgv.out.find("GOODSIG ") != std::string::npos;
  EXPECT_EQ(accepted, GetParam().gpgv) << gpgv.out << gpgv.err;
  // apt is stricter with the hash of data than the gpgv that it calls.
  if (GetParam().hash != "SHA1") EXPECT_EQ(accepts("apt-2"), accepted);
  auto const sqv =
      support::run({"/usr/bin/sqv", "--keyring", path("keys"), path("signature"), path("data")});
  EXPECT_EQ(sqv.code == 0, GetParam().sqv) << sqv.out << sqv.err;
  EXPECT_EQ(accepts("sqv"), sqv.code == 0) << sqv.err;
}

INSTANTIATE_TEST_SUITE_P(
    Cases, Verdict,
    ::testing::Values(
        Case{"ed25519", {}}, Case{"nist_p256", {.algorithm = "ECDSA", .curve = "NIST P-256"}},
        // Sequoia can, Debian's sqv (by Nettle) cannot.
        Case{
            "brainpool", {.algorithm = "ECDSA", .curve = "brainpoolP256r1"}, "SHA256", true, false},
        Case{"sha1_self_signature",
             {.algorithm = "RSA", .bits = 2'048, .hash = "SHA1", .made = kLongAgo},
             "SHA256",
             true,
             false},
        Case{"sha1_and_another_self_signature",
             {.algorithm = "RSA", .bits = 2'048, .hash = "SHA1", .made = kLongAgo},
             "SHA256",
             true,
             true,
             [](Signatory& one) { one.add_user("Other <other@example.com>", kLongAgo + 24h); }},
        Case{"sha1_binding_of_a_subkey",
             {.made = kLongAgo},
             "SHA256",
             true,
             false,
             [](Signatory& one) { one.add_subkey(0s, kLongAgo + 1h, "SHA1"); }},
        Case{"a_subkey",
             {.made = kLongAgo},
             "SHA256",
             true,
             true,
             [](Signatory& one) { one.add_subkey(0s, kLongAgo + 1h); }},
        Case{"ended", {.made = kLongAgo, .lifetime = 24h * 365}, "SHA256", false, true},
        Case{"rsa_1024", {.algorithm = "RSA", .bits = 1'024}, "SHA256", true, false},
        Case{"dsa_1024", {.algorithm = "DSA", .bits = 1'024}, "SHA256", true, false},
        Case{"sha1_of_data", {.algorithm = "RSA", .bits = 2'048}, "SHA1", true, false},
        Case{"sha224_of_data", {.algorithm = "RSA", .bits = 2'048}, "SHA224", true, true},
        Case{"revoked", {}, "SHA256", false, false, {}, true}),
    [](auto const& info) { return info.param.name; });

}  // namespace
}  // namespace canary::openpgp
