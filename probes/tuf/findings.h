// SPDX-License-Identifier: Apache-2.0
// What the workflow met, as findings: which check it belongs to, whether it is bad or could not be
// told, and a sentence for people. docs/checks.md explains each check.
// Thread: none (pure).
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/collector.h"
#include "probes/report.h"
#include "probes/tuf/declaration.h"
#include "probes/tuf/notice.h"
#include "probes/tuf/refresh.h"
#include "probes/tuf/spec.h"
#include "probes/tuf/threshold.h"
#include "probes/tuf/validity.h"
#include "probes/tuf/words.h"

namespace canary::tuf {

// Names of checks that every kind has; the kind's own are in declaration.h.
inline constexpr std::string_view kReachable = "reachable";
inline constexpr std::string_view kCredentials = "credentials";
inline constexpr std::string_view kClock = "clock";
inline constexpr std::string_view kFiles = "files";
inline constexpr std::string_view kHttp = "http";

// What was being done: the same answer means something else for a root, metadata and a target.
enum class Stage { root_walk, metadata, target };

probes::Finding ok_finding(std::string_view check, std::string subject, std::string message,
                           std::string evidence = {});

// An answer that is wrong is critical, no answer is unknown.
probes::Finding finding_of(RefreshFailure const& failure, Stage stage);
probes::Finding finding_of(StoreFault const& fault);
// The state directory does not answer. `behind` since: something is not written down that should
// be. `blind`: it never answered, so that what an earlier process trusted is not known.
struct SilentStore {
  std::filesystem::path folder;
  std::optional<Time> behind{};
  bool blind = false;
};
probes::Finding silent_store_finding(SilentStore const& store);
// A name so long that it is not asked for: no server takes such a URL.
probes::Finding long_name_finding(std::string_view check, std::string_view name);
// 403 for everything that was asked for (`what`: "3 targets"): refused or missing, nobody can tell.
probes::Finding refused_finding(FetchFault const& fault, std::string_view what);

// Adds a finding of a role, with the URL that the role's file is asked for by where the finding is
// not ok and names none. Thread: loop, while no step of `refresh` is running.
void add_of_role(probes::Collector& findings, Refresh const& refresh, probes::Finding finding);

config::ExpiryThresholds const& thresholds_of(ExpirySpec const& policy, std::string_view role);
// ok, warning or critical; names the date and what is left or since when, and the validity that the
// thresholds were fitted to.
probes::Finding expiry_finding(std::string role, Time expires, Time now,
                               ThresholdsInForce const& thresholds);

// For the report's measurements: what is known of a role whose file has `size` bytes.
probes::ThingFacts role_facts(std::string const& role, Common const& content,
                              ThresholdsInForce const& thresholds, std::size_t size);

// "2 of 3 keys signed, 2 needed".
probes::Finding signature_finding(std::string role, SignatureTally const& tally);

// Warnings for what is odd enough to break somebody's client; one per role and kind, however often
// it was noticed. Where more than `kRolesNamed` roles share an oddity they become one finding.
std::vector<probes::Finding> notice_findings(Notices const& notices);
inline constexpr std::size_t kRolesNamed = 20;

}  // namespace canary::tuf
