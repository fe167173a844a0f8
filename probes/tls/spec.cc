// SPDX-License-Identifier: Apache-2.0
// The fields of `tls:`.
// Thread: none (pure).
#include "probes/tls/spec.h"

#include "config/fields.h"
#include "config/url.h"
#include "probes/dialled.h"

namespace canary::tls {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kLongestAddress = 300;
constexpr std::size_t kLongestName = 253;

Result<config::Url, std::string> url_of(std::string const& address) {
  return config::Url::parse("https://" + address);
}

std::string wrong_name(std::string const& text) {
  auto const url = url_of(text);
  if (url && url.value().host().size() == text.size()) return {};
  bool const repeated = text.find_first_of("@?/") == std::string::npos;
  return "expected a host's name or address" + (repeated ? ", got \"" + text + "\"" : "");
}

}  // namespace

std::string Spec::expected_name() const {
  if (name) return *name;
  auto const url = url_of(address);
  return url ? url.value().host() : address;
}

void describe_defaults(config::FieldVisitor& v, Spec& spec) {
  v.section("expiry", [&] {
    describe_thresholds(v, spec.expiry,
                        {"less validity left than this, of any certificate that is shown, is a "
                         "warning. `up to`: a third of the certificate's own validity at most",
                         "likewise critical, `up to`: a sixth"});
  });
  describe_choice(
      v, {"staple", "of the OCSP staple: `ignored`; `checked` where there is one; `required`"},
      spec.staple, {"ignored", "checked", "required"});
  v.file({"ca_file",
          "PEM certificates to trust instead; an issuer that is not among them is bad "
          "then, and no more \"could not tell\"",
          "the system's"},
         spec.ca_file);
  describe_choice(v, {"ip_family", "`any`, `ipv4`, `ipv6`"}, spec.ip_family,
                  {"any", "ipv4", "ipv6"});
  v.wait({"resolve_timeout", "name lookup"}, spec.resolve_timeout, 10ms, 1h);
  v.wait({"connect_timeout", "all addresses of one host together"}, spec.connect_timeout, 10ms, 1h);
  v.wait({"tls_timeout", "TLS handshake"}, spec.tls_timeout, 10ms, 1h);
}

void describe(config::FieldVisitor& v, Spec& spec) {
  v.text({"address", "`HOST:PORT` or `[IPv6]:PORT`"}, spec.address, kLongestAddress,
         probes::wrong_address);
  v.text({"name", "whose certificate is asked for (SNI) and expected", "the address's host"},
         spec.name, kLongestName, wrong_name);
  describe_defaults(v, spec);
}

}  // namespace canary::tls
