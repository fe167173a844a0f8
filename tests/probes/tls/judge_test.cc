// SPDX-License-Identifier: Apache-2.0
// What was read is judged by values alone.
#include <algorithm>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/asn1.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "probes/clock_doubt.h"
#include "probes/tls/examine.h"

namespace canary::tls {
namespace {

using namespace std::chrono_literals;
using probes::Finding;
using probes::Severity;

constexpr std::chrono::sys_seconds kNow{1'790'000'000s};

Examined a_look() {
  Examined examined;
  examined.chain = {{.subject = "server",
                     .issuer = "Issuer",
                     .begins = kNow - 24h * 30,
                     .ends = kNow + 24h * 60}};
  examined.name_fits = true;
  return examined;
}

Finding staple_of(Staple const& staple) {
  Examined examined = a_look();
  examined.staple = staple;
  probes::Measurements measured;
  for (auto const& finding : judge(examined, {}, {.address = "h:443"}, kNow, measured)) {
    if (finding.check == "staple") return finding;
  }
  return {.check = "none"};
}

TEST(TlsJudge, AStapleThatHasEndedIsBad) {
  Finding const finding =
      staple_of({.status = StapleStatus::good, .from = kNow - 2h, .until = kNow - 5min});
  EXPECT_EQ(finding.severity, Severity::critical);
  EXPECT_EQ(finding.reason.word(), "expired");
}

TEST(TlsJudge, AStapleOfTheFutureIsBad) {
  EXPECT_EQ(staple_of({.status = StapleStatus::good, .from = kNow + 5min + 1s}).reason.word(),
            "staple_invalid");
}

// A run's clock is that of its start, and a responder's is not ours: clients allow five minutes.
TEST(TlsJudge, AStapleThatClientsTakeIsTaken) {
  for (Staple const& staple :
       {Staple{.status = StapleStatus::good, .from = kNow + 5min},
        Staple{.status = StapleStatus::good, .from = kNow - 2h, .until = kNow - 5min + 1s}}) {
    EXPECT_EQ(staple_of(staple).severity, Severity::ok) << staple_of(staple).message.text();
  }
}

TEST(TlsJudge, AStapleThatSomebodyElseSignedIsBad) {
  EXPECT_EQ(staple_of({.status = StapleStatus::not_signed}).severity, Severity::critical);
}

TEST(TlsJudge, AThresholdThatIsNotFittedHoldsAsItStands) {
  probes::Measurements measured;
  Spec const spec{.address = "h:443", .expiry = {.warning = 24h * 61, .critical = 24h * 7}};
  auto const found = judge(a_look(), {}, spec, kNow, measured);
  ASSERT_EQ(measured.things.size(), 1U);
  EXPECT_EQ(measured.things[0].expiry->warning, 24h * 61);
  EXPECT_EQ(found.back().severity, Severity::warning);
}

TEST(TlsJudge, NoCertificateThatCanBeReadIsBad) {
  probes::Measurements measured;
  auto const found =
      judge(examine({.chain = {"garbage"}}, "h"), {}, {.address = "h:443"}, kNow, measured);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::critical);
  EXPECT_TRUE(measured.things.empty());
}

// A certificate in DER whose notAfter is that text, as a UTCTime.
std::string certificate_that_ends(std::string const& when) {
  EVP_PKEY* const key = ::EVP_EC_gen("P-256");
  X509* const made = ::X509_new();
  ::X509_gmtime_adj(::X509_getm_notBefore(made), -3'600);
  ASN1_TIME* const end = ::X509_getm_notAfter(made);
  end->type = V_ASN1_UTCTIME;
  ::ASN1_STRING_set(end, when.data(), static_cast<int>(when.size()));
  ::X509_set_pubkey(made, key);
  ::X509_sign(made, key, ::EVP_sha256());
  unsigned char* bytes = nullptr;
  int const size = ::i2d_X509(made, &bytes);
  std::string der(reinterpret_cast<char const*>(bytes), static_cast<std::size_t>(size));
  ::OPENSSL_free(bytes);
  ::X509_free(made);
  ::EVP_PKEY_free(key);
  return der;
}

TEST(TlsJudge, AnEndThatIsNoTimeIsBadAndNoDeadline) {
  for (std::string const when : {"991399999999Z", "", "soon"}) {
    Examined const examined = examine({.chain = {certificate_that_ends(when)}}, "h");
    EXPECT_TRUE(examined.unreadable) << when;
    EXPECT_TRUE(examined.chain.empty()) << when;
    probes::Measurements measured;
    auto const found = judge(examined, {}, {.address = "h:443"}, kNow, measured);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].severity, Severity::critical);
    EXPECT_TRUE(measured.things.empty());
  }
  EXPECT_FALSE(examine({.chain = {certificate_that_ends("300102030405Z")}}, "h").unreadable);
}

// As where a CA that was signed by another has the name of one that signed itself.
TEST(TlsJudge, OfTwoCertificatesOfOneNameTheFirstToEndIsKnown) {
  for (bool const sooner_first : {false, true}) {
    Examined examined = a_look();
    examined.chain.push_back(examined.chain.front());
    examined.chain[sooner_first ? 0 : 1].ends = kNow + 24h * 3;
    probes::Measurements measured;
    judge(examined, {}, {.address = "h:443"}, kNow, measured);
    ASSERT_EQ(measured.things.size(), 1U);
    EXPECT_EQ(measured.things[0].expiry->at, kNow + 24h * 3);
  }
}

TEST(TlsJudge, WhereOurClockIsOffAnEndThatDependsOnItCannotBeTold) {
  Examined const examined = a_look();
  Spec const spec{.address = "h:443"};
  auto const at = [&](std::chrono::sys_seconds now) {
    probes::Measurements measured;
    return judge(examined, {}, spec, now, measured);
  };
  auto found = at(kNow + 24h * 90);
  fetch::ClockVerdict const off{.by = {.theirs_minus_ours = -24h * 90}, .witnesses = 2};
  probes::doubt(found, at(kNow), off);
  auto const of = [&](std::string_view check) {
    return *std::ranges::find(found, check, [](Finding const& one) { return one.check.text(); });
  };
  EXPECT_EQ(of("expiry").severity, Severity::unknown);
  EXPECT_EQ(of("expiry").reason.word(), "clock");
  EXPECT_THAT(of("expiry").message.text(), testing::HasSubstr("off by 90d (ours is ahead)"));
  EXPECT_EQ(of("name").severity, Severity::ok) << "it is no matter of time";
  EXPECT_EQ(of("clock").severity, Severity::warning);
}

}  // namespace
}  // namespace canary::tls
