// SPDX-License-Identifier: Apache-2.0
// What was read, as findings.
// Thread: any (pure).
#include <algorithm>
#include <utility>

#include <openssl/x509_vfy.h>

#include "config/duration.h"
#include "probes/certificate_end.h"
#include "probes/tls/declaration.h"
#include "probes/tls/examine.h"

namespace canary::tls {
namespace {

using probes::Finding;
using probes::Reason;
using probes::Severity;
using std::chrono::sys_seconds;

// So much clients allow a staple's times to differ from their clock, before and after. Source:
// curl, lib/vtls/openssl.c, which asks OCSP_check_validity(3) for 300 s.
constexpr std::chrono::seconds kStapleLeeway{300};

std::string count(std::size_t number) {
  return std::to_string(number) + (number == 1 ? " certificate" : " certificates");
}

// An end or a beginning is told by the check expiry.
bool is_of_time(int error) {
  return error == X509_V_ERR_CERT_HAS_EXPIRED || error == X509_V_ERR_CERT_NOT_YET_VALID;
}

// Whether we know the issuer is a matter of our CAs.
bool is_of_issuer(int error) {
  return error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT ||
         error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
         error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE ||
         error == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN ||
         error == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT || error == X509_V_ERR_CERT_UNTRUSTED;
}

Finding chain_finding(Examined const& examined, fetch::Connection::Shown const& shown,
                      Spec const& spec) {
  Finding finding{.check = std::string{kChain}, .subject = spec.location()};
  if (examined.unreadable) {
    finding.severity = Severity::critical;
    finding.reason = Reason::parse;
    finding.message = "the certificate after the first " + std::to_string(examined.chain.size()) +
                      " of the chain can't be read";
    return finding;
  }
  auto const bad = std::ranges::find_if_not(shown.errors, is_of_time);
  if (bad == shown.errors.end()) {
    auto const& last = examined.chain.back();
    finding.message = "the chain of " + count(examined.chain.size()) + " leads to " + last.issuer;
    return finding;
  }
  bool const ours = is_of_issuer(*bad) && !spec.ca_file;
  finding.severity = ours ? Severity::unknown : Severity::critical;
  finding.reason = is_of_issuer(*bad) ? Reason::tls_untrusted : Reason::tls;
  finding.message = "the chain of " + count(examined.chain.size()) +
                    " does not lead to one of our CAs: " + ::X509_verify_cert_error_string(*bad);
  if (is_of_issuer(*bad) && examined.chain.size() == 1) {
    finding.message += "; the server sends no intermediate certificate";
  }
  finding.evidence = "issued by " + examined.chain.back().issuer;
  finding.expected = "a chain to one of our CAs";
  finding.received =
      count(examined.chain.size()) + ", the last issued by " + examined.chain.back().issuer;
  return finding;
}

Finding name_finding(Examined const& examined, Spec const& spec) {
  Finding finding{.check = std::string{kName}, .subject = spec.expected_name()};
  std::string names;
  for (auto const& name : examined.names) names += (names.empty() ? "" : ", ") + name;
  if (examined.name_fits) {
    finding.message = "the certificate is for " + finding.subject.text();
  } else {
    finding.severity = Severity::critical;
    finding.reason = Reason::tls_wrong_name;
    finding.expected = finding.subject;
    finding.received = names.empty() ? examined.chain.front().subject : names;
    finding.message = "the certificate is for other names: " + finding.received.text();
  }
  return finding;
}

// Things are known by name; of several certificates of one name the first to end counts.
void note(std::vector<probes::ThingFacts>& things, std::string const& name,
          probes::Expiry const& expiry) {
  probes::ThingFacts const facts{.type = &kCertificate, .name = name, .expiry = expiry};
  auto const same = std::ranges::find(things, facts.name, &probes::ThingFacts::name);
  if (same == things.end()) {
    things.push_back(facts);
  } else if (expiry.at < same->expiry->at) {
    *same = facts;
  }
}

std::optional<Finding> staple_finding(Staple const& staple, Spec const& spec, sys_seconds now) {
  if (spec.staple == StapleWanted::ignored) return std::nullopt;
  Finding finding{.check = std::string{kStaple}, .subject = spec.location()};
  auto const bad = [&](Severity severity, Reason const& reason, std::string message) {
    finding.severity = severity;
    finding.reason = reason;
    finding.message = std::move(message);
    return finding;
  };
  switch (staple.status) {
    case StapleStatus::none:
      if (spec.staple == StapleWanted::checked) return std::nullopt;
      return bad(Severity::critical, kStapleMissing, "the server sends no OCSP staple");
    case StapleStatus::revoked:
      return bad(Severity::critical, kRevoked, "the staple says that the certificate is revoked");
    case StapleStatus::unknown:
      return bad(Severity::critical, kStapleInvalid,
                 "the responder of the staple does not know the certificate");
    case StapleStatus::unreadable:
      return bad(Severity::critical, kStapleInvalid,
                 "the staple is no OCSP response for this certificate");
    case StapleStatus::not_signed:
      return bad(Severity::critical, kStapleInvalid,
                 "the staple is not signed by the certificate's issuer");
    case StapleStatus::good:
      break;
  }
  if (staple.until && *staple.until + kStapleLeeway <= now) {
    return bad(Severity::critical, Reason::expired,
               "the staple ended " + config::to_text(*staple.until));
  }
  if (now + kStapleLeeway < staple.from) {
    return bad(Severity::critical, kStapleInvalid,
               "the staple holds only from " + config::to_text(staple.from) + " on");
  }
  finding.message = "the staple says that the certificate is good" +
                    (staple.until ? ", until " + config::to_text(*staple.until) : std::string{});
  return finding;
}

}  // namespace

std::vector<Finding> judge(Examined const& examined, fetch::Connection::Shown const& shown,
                           Spec const& spec, sys_seconds now, probes::Measurements& measured) {
  if (examined.chain.empty()) {
    return {{.check = std::string{kChain},
             .subject = spec.location(),
             .severity = Severity::critical,
             .reason = Reason::parse,
             .message = "the server shows no certificate that can be read"}};
  }
  std::vector<Finding> found{chain_finding(examined, shown, spec), name_finding(examined, spec)};
  for (auto const& certificate : examined.chain) {
    fetch::Validity const validity{certificate.begins, certificate.ends};
    auto const expiry = probes::expiry_of(validity, spec.expiry);
    note(measured.things, certificate.subject, expiry);
    probes::add_end(measured, expiry);
    found.push_back(probes::certificate_finding(certificate.subject, validity, expiry, now));
  }
  if (auto staple = staple_finding(examined.staple, spec, now)) found.push_back(std::move(*staple));
  return found;
}

}  // namespace canary::tls
