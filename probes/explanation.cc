// SPDX-License-Identifier: Apache-2.0
#include "probes/explanation.h"

#include <algorithm>
#include <array>

#include "probes/kind.h"

namespace canary::probes {
namespace {

constexpr std::string_view kNobody = "nobody: it is canaryd's own affair";

// The way to what is looked at, and canaryd itself. A kind's row for the same check and reason, or
// for the reason alone, comes before.
constexpr auto kCommon = std::to_array<Explanation>({
    {.check = "http",
     .step = "RFC 9112",
     .expected = "answers that curl, Go and Python all take",
     .clients = "those that the finding names",
     .advice = "Mend the server, or the proxy before it: some clients refuse its answers."},
    {.check = "files",
     .step = "canaryd's own files",
     .expected = "a disk that answers within 250 ms",
     .clients = kNobody,
     .advice = "Look at the disk or network file system under the file that is named."},
    {.check = "credentials",
     .step = "canaryd's own files",
     .expected = "a file that canaryd's user can read",
     .clients = kNobody,
     .advice = "Put the file back, readable for canaryd's user."},
    {.reason = "dns",
     .step = "RFC 1034, 5.3.3",
     .expected = "a name that is resolved",
     .clients = "all that ask the same name servers",
     .advice = "The name is not resolved: look at the name servers of this machine first, then at "
               "the zone."},
    {.reason = "connect",
     .step = "RFC 9293, 3.5",
     .expected = "a server that takes connections",
     .clients = "all that use the same server by the same way",
     .advice = "The server or the way to it is down or slow. Try from another network."},
    {.reason = "proxy",
     .step = "RFC 9110, 9.3.6",
     .expected = "a proxy that connects to the server",
     .clients = "all that go through the same proxy",
     .advice = "The proxy does not connect: look at its log, then at the server behind it."},
    {.reason = "timeout",
     .step = "the probe's own timeouts",
     .expected = "an end within the time that the finding names",
     .clients = "all with as little patience",
     .advice = "The server or the way to it is down or slow. Try from another network."},
    {.reason = "too_slow",
     .step = "the probe's http.min_rate",
     .expected = "a transfer above that rate",
     .clients = "all on slow ways; others wait",
     .advice = "The server or the way to it is down or slow. Try from another network."},
    {.reason = "tls_expired",
     .step = "RFC 5280, 6.1.3 (a)(2)",
     .expected = "a certificate that has not ended",
     .clients = "every client",
     .advice = "Renew the certificate; no client connects until then.",
     .alert = "RepoTlsCertExpired"},
    {.reason = "tls_not_yet_valid",
     .step = "RFC 5280, 6.1.3 (a)(2)",
     .expected = "a certificate that has begun",
     .clients = "every client",
     .advice = "The server's certificate is refused by every client: put the right one there."},
    {.reason = "tls_wrong_name",
     .step = "RFC 9525, 6",
     .expected = "a certificate for the name that is asked for",
     .clients = "every client",
     .advice = "The server's certificate is refused by every client: put the right one there."},
    {.reason = "tls_untrusted",
     .step = "RFC 5280, 6.1",
     .expected = "a chain to an authority that is known here",
     .clients = "those that do not know the issuer either",
     .advice = "The issuer is not known here: install its certificate (http.ca_file), or find out "
               "who answers instead of the repository."},
    {.reason = "tls",
     .step = "RFC 8446, 4",
     .expected = "a handshake that comes to its end",
     .clients = "every client, most likely",
     .advice = "The server does not speak TLS as clients do: look at its port, its protocol "
               "versions and its log."},
    {.reason = "credentials",
     .step = "RFC 9110, 11",
     .expected = "an answer to our token or password",
     .clients = "nobody but who has the same credentials",
     .advice = "Our token or password is refused: renew it where the configuration reads it from."},
    {.reason = "http_status",
     .step = "RFC 9110, 15",
     .expected = "a file: status 200",
     .clients = "all that ask for the same URL",
     .advice = "Ask whoever runs the server; its answer is no file."},
    {.reason = "clock",
     .step = "this machine's clock",
     .expected = "a clock that other machines agree with",
     .clients = kNobody,
     .advice = "Set this machine's clock; nothing is said of expiry until then.",
     .alert = "CanarydClockSkew"},
    {.reason = "configuration",
     .step = "docs/configuration.md",
     .expected = "files that the configuration names, as it needs them",
     .clients = kNobody,
     .advice = "Correct canaryd's own configuration."},
    {.reason = "unsupported",
     .step = "docs/checks.md, its limits",
     .expected = "what canaryd can read",
     .clients = "not known: canaryd cannot judge it",
     .advice = "canaryd cannot judge it; docs/checks.md has its limits."},
    {.reason = "size_limit",
     .step = "docs/checks.md, its limits",
     .expected = "no more than the limits",
     .clients = "not known: canaryd did not look at the rest",
     .advice = "canaryd cannot judge it; docs/checks.md has its limits."},
    {.reason = "stalled",
     .step = "docs/hangs.md",
     .expected = "a run that makes progress",
     .clients = kNobody,
     .advice = "canaryd itself could not look: see its dumps and log.",
     .alert = "CanarydProbeStalled"},
    {.reason = "cancelled",
     .step = "the run itself",
     .expected = "a run that goes to its end",
     .clients = kNobody,
     .advice = "It was interrupted: run it again."},
    {.reason = "internal",
     .step = "canaryd itself",
     .expected = "descriptors, memory and disks to work with",
     .clients = kNobody,
     .advice = "canaryd itself could not look: see its log and the limits of its service."},
});

constexpr Explanation kUnknown{.expected = "what docs/checks.md says",
                               .clients = "not known",
                               .advice = "docs/checks.md says what it means."};

bool is_meant(Explanation const& row, Finding const& finding) {
  return !row.severity || finding.severity == *row.severity;
}

// By check and reason as the row names them; `""`: a row that names none.
Explanation const* find(std::span<Explanation const> rows, std::string_view check,
                        std::string_view reason, Finding const& finding) {
  auto const found = std::ranges::find_if(rows, [&](Explanation const& row) {
    return row.check == check && row.reason == reason && is_meant(row, finding);
  });
  return found == rows.end() ? nullptr : &*found;
}

Explanation const& row_for(std::span<Explanation const> own, Finding const& finding) {
  std::string_view const check = finding.check;
  std::string_view const reason = finding.reason.word();
  auto const common = common_explanations();
  auto const* const of_check = find(own, check, "", finding);
  bool const of_severity = of_check != nullptr && of_check->severity.has_value();
  for (auto const* const row : {find(own, check, reason, finding), find(own, "", reason, finding),
                                of_severity ? of_check : nullptr, find(common, check, "", finding),
                                find(common, "", reason, finding), of_check}) {
    if (row != nullptr) return *row;
  }
  return kUnknown;
}

std::string_view alert_of(Explanation const& row, Severity severity) {
  bool const bad = severity == Severity::critical;
  if (bad && !row.alert_critical.empty()) return row.alert_critical;
  if (!row.alert.empty()) return row.alert;
  if (bad) return "RepoProbeFailing";
  return severity == Severity::unknown ? "RepoUnreachable" : "";
}

}  // namespace

std::span<Explanation const> common_explanations() { return kCommon; }

Explained explain(std::string_view kind, Finding const& finding) {
  Kind const* const known = find_kind(kind);
  auto const& row =
      row_for(known == nullptr ? std::span<Explanation const>{} : known->explanations(), finding);
  std::string step = known == nullptr ? std::string{} : known->step_of(finding);
  if (step.empty()) step = row.step;
  return {.step = std::move(step),
          .expected = row.expected,
          .clients = row.clients,
          .advice = row.advice,
          .alert = alert_of(row, finding.severity)};
}

}  // namespace canary::probes
