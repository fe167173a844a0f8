// SPDX-License-Identifier: Apache-2.0
// Reading certificates and staples, by OpenSSL.
// Thread: any (pure).
#include "probes/tls/examine.h"

#include <ctime>
#include <memory>

#include <openssl/ocsp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "probes/openssl_memory.h"

namespace canary::tls {
namespace {

using std::nullopt;
using std::chrono::sys_seconds;

constexpr std::size_t kNamesShown = 5;
constexpr std::size_t kLongestName = 120;

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* owned) const {
    Free(owned);
  }
};
using X509Owner = std::unique_ptr<X509, Freed<X509_free>>;
using NamesOwner = std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>>;
using ResponseOwner = std::unique_ptr<OCSP_RESPONSE, Freed<OCSP_RESPONSE_free>>;
using BasicOwner = std::unique_ptr<OCSP_BASICRESP, Freed<OCSP_BASICRESP_free>>;
using IdOwner = std::unique_ptr<OCSP_CERTID, Freed<OCSP_CERTID_free>>;
struct FreeStack {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }
};
using StackOwner = std::unique_ptr<STACK_OF(X509), FreeStack>;

// Nothing where it is no time.
std::optional<sys_seconds> time_of(ASN1_TIME const* when) {
  std::tm time{};
  if (when == nullptr || ::ASN1_TIME_to_tm(when, &time) != 1) return std::nullopt;
  return sys_seconds{std::chrono::seconds{::timegm(&time)}};
}

std::string common_name(X509_NAME const* name) {
  for (int const kind : {NID_commonName, NID_organizationName}) {
    int const at = ::X509_NAME_get_index_by_NID(name, kind, -1);
    if (at < 0) continue;
    unsigned char* text = nullptr;
    int const size =
        ::ASN1_STRING_to_UTF8(&text, ::X509_NAME_ENTRY_get_data(::X509_NAME_get_entry(name, at)));
    if (size < 0) continue;
    std::string found(reinterpret_cast<char const*>(text), static_cast<std::size_t>(size));
    OPENSSL_free(text);
    if (!found.empty()) return found.substr(0, kLongestName);
  }
  return {};
}

std::vector<std::string> names_of(X509* certificate) {
  std::vector<std::string> names;
  NamesOwner const all{static_cast<GENERAL_NAMES*>(
      ::X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr))};
  for (int i = 0; all && i < sk_GENERAL_NAME_num(all.get()); ++i) {
    GENERAL_NAME const* const name = sk_GENERAL_NAME_value(all.get(), i);
    if (name->type != GEN_DNS || names.size() == kNamesShown) continue;
    auto const* const bytes = ::ASN1_STRING_get0_data(name->d.dNSName);
    auto const size = static_cast<std::size_t>(::ASN1_STRING_length(name->d.dNSName));
    names.push_back(
        std::string(reinterpret_cast<char const*>(bytes), size).substr(0, kLongestName));
  }
  return names;
}

X509Owner parsed(std::string const& der) {
  auto const* at = reinterpret_cast<unsigned char const*>(der.data());
  return X509Owner{::d2i_X509(nullptr, &at, static_cast<long>(der.size()))};
}

bool fits(X509* certificate, std::string const& name) {
  if (::X509_check_ip_asc(certificate, name.c_str(), 0) == 1) return true;
  return ::X509_check_host(certificate, name.c_str(), name.size(),
                           X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, nullptr) == 1;
}

Staple staple_of(std::string const& der, std::vector<X509Owner> const& chain) {
  if (der.empty()) return {};
  Staple staple{.status = StapleStatus::unreadable};
  auto const* at = reinterpret_cast<unsigned char const*>(der.data());
  ResponseOwner const response{::d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(der.size()))};
  if (!response || ::OCSP_response_status(response.get()) != OCSP_RESPONSE_STATUS_SUCCESSFUL ||
      chain.size() < 2) {
    return staple;
  }
  BasicOwner const basic{::OCSP_response_get1_basic(response.get())};
  IdOwner const id{::OCSP_cert_to_id(nullptr, chain[0].get(), chain[1].get())};
  if (!basic || !id) return staple;
  int status = -1, reason = 0;
  ASN1_GENERALIZEDTIME *revoked = nullptr, *from = nullptr, *until = nullptr;
  if (::OCSP_resp_find_status(basic.get(), id.get(), &status, &reason, &revoked, &from, &until) !=
      1) {
    return staple;
  }
  auto const begins = time_of(from);
  if (until != nullptr) staple.until = time_of(until);
  if (!begins || (until != nullptr && !staple.until)) return staple;
  staple.from = *begins;
  // The issuer's own signature, or that of one whom it appointed: trusted as the chain is.
  StackOwner const issuers{sk_X509_new_null()};
  X509_STORE* const store = ::X509_STORE_new();
  std::unique_ptr<X509_STORE, Freed<X509_STORE_free>> const owned{store};
  for (std::size_t i = 1; i < chain.size(); ++i) {
    sk_X509_push(issuers.get(), chain[i].get());
    ::X509_STORE_add_cert(store, chain[i].get());
  }
  auto* const parameters = ::X509_STORE_get0_param(store);
  ::X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME);
  if (::OCSP_basic_verify(basic.get(), issuers.get(), store, 0) != 1) {
    staple.status = StapleStatus::not_signed;
    return staple;
  }
  staple.status = status == V_OCSP_CERTSTATUS_GOOD      ? StapleStatus::good
                  : status == V_OCSP_CERTSTATUS_REVOKED ? StapleStatus::revoked
                                                        : StapleStatus::unknown;
  return staple;
}

}  // namespace

Examined examine(fetch::Connection::Shown const& shown, std::string const& name) {
  probes::OpensslMemory const memory;
  Examined examined;
  std::vector<X509Owner> chain;
  for (auto const& der : shown.chain) {
    auto certificate = parsed(der);
    auto const begins = certificate ? time_of(::X509_get0_notBefore(certificate.get())) : nullopt;
    auto const ends = certificate ? time_of(::X509_get0_notAfter(certificate.get())) : nullopt;
    if (!begins || !ends) {  // no client accepts one without a validity
      examined.unreadable = true;
      break;
    }
    Certificate& seen = examined.chain.emplace_back();
    seen.begins = *begins;
    seen.ends = *ends;
    seen.subject = common_name(::X509_get_subject_name(certificate.get()));
    seen.issuer = common_name(::X509_get_issuer_name(certificate.get()));
    if (chain.empty()) {
      examined.names = names_of(certificate.get());
      examined.name_fits = fits(certificate.get(), name);
    }
    if (seen.subject.empty() && chain.empty() && !examined.names.empty()) {
      seen.subject = examined.names.front();
    }
    if (seen.subject.empty()) seen.subject = "certificate " + std::to_string(chain.size() + 1);
    chain.push_back(std::move(certificate));
  }
  std::vector<X509Owner> verified;  // the issuer may be one of our CAs
  verified.reserve(shown.verified.size());
  for (auto const& der : shown.verified) verified.push_back(parsed(der));
  examined.staple = staple_of(shown.staple, verified);
  memory.require();  // what it could not read may be well
  return examined;
}

}  // namespace canary::tls
