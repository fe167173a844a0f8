// SPDX-License-Identifier: Apache-2.0
// What a server showed in its handshake, read and judged.
// Thread: any (pure). Source: RFC 5280, RFC 6125, RFC 6960.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "probes/fetch/connection.h"
#include "probes/report.h"
#include "probes/tls/spec.h"

namespace canary::tls {

struct Certificate {
  std::string subject, issuer;  // their common names, or the first name that they have
  std::chrono::sys_seconds begins{}, ends{};
};

enum class StapleStatus : std::uint8_t {
  none,
  good,
  revoked,
  unknown,     // the responder does not know the certificate
  unreadable,  // no OCSP response, or one without an answer for this certificate
  not_signed,  // not signed by the certificate's issuer or whom that one appointed
};
struct Staple {
  StapleStatus status = StapleStatus::none;
  std::chrono::sys_seconds from{};
  std::optional<std::chrono::sys_seconds> until{};
};

struct Examined {
  std::vector<Certificate> chain;  // as it was sent, the server's own first
  bool unreadable = false;         // one of them could not be read; the chain ends before it
  bool name_fits = false;
  std::vector<std::string> names;  // whom the server's own is for, a few
  Staple staple;
};
Examined examine(fetch::Connection::Shown const& shown, std::string const& name);

// Findings of the checks chain, name, expiry and staple; certificates are measured.
std::vector<probes::Finding> judge(Examined const& examined, fetch::Connection::Shown const& shown,
                                   Spec const& spec, std::chrono::sys_seconds now,
                                   probes::Measurements& measured);

}  // namespace canary::tls
