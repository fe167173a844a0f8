// SPDX-License-Identifier: Apache-2.0
// What can be said of a pinned root without asking anybody.
// Thread: none (pure).
#include <utility>

#include "probes/tuf/findings.h"
#include "probes/tuf/parse.h"
#include "probes/tuf/pin.h"
#include "probes/tuf/probe.h"

namespace canary::tuf {

probes::Report check_root(RootFile file, Time now, config::ExpiryThresholds const& configured) {
  probes::Report report;
  std::string const& name = file.name;
  std::size_t const size = file.bytes.size();
  auto const parsed = parse_root(std::move(file.bytes));
  if (!parsed) {
    // Here the file is what is looked at: one that no client could use is bad. Another dialect's
    // and what canaryd itself can't do are told as pins are.
    probes::Finding finding = finding_of(RefreshFailure{"root", parsed.error()}, Stage::metadata);
    report.findings.push_back(finding.severity == probes::Severity::critical
                                  ? std::move(finding)
                                  : pin_finding(name, parsed.error()));
    return report;
  }
  Metadata<Root> const& metadata = parsed.value();
  Root const& root = metadata.content;
  report.findings.push_back(ok_finding(
      kMetadata, "root",
      name + " is root " + std::to_string(root.version) + " with " + count(root.keys.size(), "key"),
      root.consistent_snapshot ? "consistent snapshots" : "no consistent snapshots"));
  SignatureTally const tally =
      tally_signatures("root", root.root, root.keys, metadata.signatures, metadata.signed_bytes);
  probes::Finding signatures = signature_finding("root", tally);
  Notices notices = metadata.notices;
  notices.insert(notices.end(), tally.notices.begin(), tally.notices.end());
  if (auto const met = require_threshold("root", "root itself", tally); !met) {
    signatures = finding_of(RefreshFailure{"root", met.error()}, Stage::metadata);
    // Said by that finding already, and no oddity beside enough good signatures.
    std::erase_if(
        notices, [](Notice const& notice) { return notice.kind == NoticeKind::signature_invalid; });
  }
  report.findings.push_back(std::move(signatures));
  ThresholdsInForce const thresholds =
      thresholds_in_force(configured, estimate_validity(root.expires, {}, file.last_modified, now));
  report.findings.push_back(expiry_finding("root", root.expires, now, thresholds));
  for (probes::Finding& finding : notice_findings(notices)) {
    report.findings.push_back(std::move(finding));
  }
  report.measurements.things.push_back(role_facts("root", root, thresholds, size));
  return report;
}

}  // namespace canary::tuf
