// SPDX-License-Identifier: Apache-2.0
#include "probes/fetched.h"

namespace canary::probes {

Reason reason_of(fetch::Fault const& fault) {
  bool const ours = fault.status == 401 || fault.status == 407;
  if (ours && fault.kind == fetch::FaultKind::status) return Reason::credentials;
  if (ours && fault.kind == fetch::FaultKind::proxy) return Reason::credentials;
  switch (fault.kind) {
    case fetch::FaultKind::dns:
      return Reason::dns;
    case fetch::FaultKind::connect:
    case fetch::FaultKind::reset:
    case fetch::FaultKind::interrupted:
      return Reason::connect;
    case fetch::FaultKind::proxy:
      return Reason::proxy;
    case fetch::FaultKind::timeout:
      return Reason::timeout;
    case fetch::FaultKind::tls_expired:
      return Reason::tls_expired;
    case fetch::FaultKind::tls_not_yet_valid:
      return Reason::tls_not_yet_valid;
    case fetch::FaultKind::tls_wrong_host:
      return Reason::tls_wrong_name;
    case fetch::FaultKind::tls_untrusted:
      return Reason::tls_untrusted;
    case fetch::FaultKind::tls_handshake:
      return Reason::tls;
    case fetch::FaultKind::settings:
      return Reason::configuration;
    case fetch::FaultKind::too_slow:
      return Reason::too_slow;
    case fetch::FaultKind::file:
    case fetch::FaultKind::disk:
    case fetch::FaultKind::exhausted:
    case fetch::FaultKind::forbidden:
      return Reason::internal;
    case fetch::FaultKind::status:
    case fetch::FaultKind::redirect_loop:
    case fetch::FaultKind::redirect_refused:
      return Reason::http_status;
    case fetch::FaultKind::tls_costly:
    case fetch::FaultKind::too_large:
      return Reason::size_limit;
    case fetch::FaultKind::wrong_length:
    case fetch::FaultKind::truncated:
    case fetch::FaultKind::rejected:
      return Reason::hash_mismatch;
    case fetch::FaultKind::encoded:
    case fetch::FaultKind::malformed:
      return Reason::parse;
  }
  return Reason::internal;
}

void add_totals(Measurements& measured, fetch::Totals const& totals,
                config::ExpiryThresholds const& certificates) {
  measured.requests = totals.requests;
  measured.retries = totals.retries;
  measured.bytes_received = totals.bytes;
  measured.phases = totals.times;
  for (auto const& [server, validity] : totals.certificates) {
    add_end(measured, expiry_of(validity, certificates));
  }
}

void add_surroundings(Report& report, fetch::Totals const& totals) {
  for (Finding& finding : report.findings) {
    if (finding.severity == Severity::ok || totals.proxy.empty()) continue;
    std::string const proxy = "the proxy " + totals.proxy;
    bool const named = finding.message.find(proxy) != std::string::npos;
    if (!named) finding.message += " (through " + proxy + ")";
  }
  for (auto const& [oddity, url] : totals.oddities) {
    report.findings.push_back({.check = "http",
                               .subject = url.origin(),
                               .severity = Severity::warning,
                               .reason = Reason::parse,
                               .message = "the server's answers have " + fetch::to_text(oddity),
                               .evidence = url.text(),
                               .url = url.text()});
  }
  for (fetch::KeptCredential const& kept : totals.kept_credentials) {
    report.findings.push_back(kept_finding(kept));
  }
}

Finding kept_finding(fetch::KeptCredential const& kept) {
  return {.check = kept.waits ? "files" : "credentials",
          .subject = kept.file,
          .severity = Severity::warning,
          .reason = kept.waits ? Reason::internal : Reason::configuration,
          .message = kept.why,
          .evidence = kept.file};
}

}  // namespace canary::probes
