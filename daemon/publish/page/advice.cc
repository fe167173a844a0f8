// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/page/advice.h"

#include <algorithm>
#include <array>

namespace canary::daemon::page {
namespace {

struct Row {
  std::string_view reason;
  Advice advice;  // no alert: the one of its severity
};

constexpr Advice kSignature{
    "Treat it as an attack until shown otherwise: clients refuse the repository. Compare "
    "with another mirror, and ask who publishes it.",
    "TufIntegrityFailure"};
constexpr Advice kExpired{
    "Have it signed and published anew; clients refuse the repository until then.",
    "TufMetadataExpired"};
constexpr Advice kExpiring{"Have it signed and published anew before it ends.",
                           "TufMetadataExpiringSoon"};
constexpr Advice kTlsExpired{"Renew the certificate; no client connects until then.",
                             "RepoTlsCertExpired"};
constexpr Advice kTls{
    "The server's certificate is refused by every client: put the right one there.", ""};
constexpr Advice kTlsUntrusted{
    "The issuer is not known here: install its certificate (http.ca_file), or find out "
    "who answers instead of the repository.",
    ""};
constexpr Advice kDns{
    "The name is not resolved: look at the name servers of this machine first, then at "
    "the zone.",
    ""};
constexpr Advice kConnect{"The server or the way to it is down or slow. Try from another network.",
                          ""};
constexpr Advice kHttpStatus{"Ask whoever runs the server; its answer is no file.", ""};
constexpr Advice kCredentials{
    "Our token or password is refused: renew it where the configuration reads it from.", ""};
constexpr Advice kTargetMissing{
    "A file that the repository names is not there: publish it, or purge the edge that "
    "lacks it.",
    ""};
constexpr Advice kParse{
    "What is served is no metadata: an error page of an edge, or a broken upload.", ""};
constexpr Advice kClock{"Set this machine's clock; nothing is said of expiry until then.",
                        "CanarydClockSkew"};
constexpr Advice kSizeLimit{"canaryd cannot judge it; docs/checks.md has its limits.", ""};
constexpr Advice kConfiguration{"Correct canaryd's own configuration.", ""};
constexpr Advice kStalled{"canaryd itself could not look: see its dumps and log.",
                          "CanarydProbeStalled"};

constexpr auto kRows = std::to_array<Row>({
    {"signature", kSignature},
    {"threshold", kSignature},
    {"rollback", kSignature},
    {"freeze", kSignature},
    {"equivocation", kSignature},
    {"hash_mismatch", kSignature},
    {"expired", kExpired},
    {"expiring", kExpiring},
    {"tls_expired", kTlsExpired},
    {"tls", kTls},
    {"tls_not_yet_valid", kTls},
    {"tls_wrong_name", kTls},
    {"tls_untrusted", kTlsUntrusted},
    {"dns", kDns},
    {"connect", kConnect},
    {"proxy", kConnect},
    {"timeout", kConnect},
    {"too_slow", kConnect},
    {"http_status", kHttpStatus},
    {"credentials", kCredentials},
    {"target_missing", kTargetMissing},
    {"metadata_missing", kTargetMissing},
    {"parse", kParse},
    {"clock", kClock},
    {"size_limit", kSizeLimit},
    {"unsupported", kSizeLimit},
    {"configuration", kConfiguration},
    {"stalled", kStalled},
    {"cancelled", kStalled},
    {"internal", kStalled},
});

}  // namespace

Advice advice_on(probes::Finding const& finding) {
  bool const bad = finding.severity == probes::Severity::critical;
  auto const word = to_text(finding.reason);
  auto const* const row = std::ranges::find(kRows, word, &Row::reason);
  Advice advice{"docs/checks.md says what it means.", ""};
  if (row != kRows.end()) advice = row->advice;
  if (bad && word == "expiring") advice.alert = "TufMetadataExpiringCritical";
  if (advice.alert.empty()) advice.alert = bad ? "RepoProbeFailing" : "RepoUnreachable";
  return advice;
}

}  // namespace canary::daemon::page
