// SPDX-License-Identifier: Apache-2.0
// What one run of a probe found: findings and measurements. A probe's failure is this value, never
// an exception.
// Thread: none (pure).
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/harmless.h"
#include "probes/declaration.h"
#include "probes/phase_times.h"
#include "probes/reason.h"

namespace canary::probes {

// The numbers are those of the metric canaryd_probe_finding_severity.
enum class Severity : std::uint8_t { ok = 0, warning = 1, critical = 2, unknown = 3 };
std::string_view to_text(Severity severity);  // "ok" "warning" "critical" "unknown"

// The worse of two for the verdict of a run and for exit codes: critical, unknown, warning, ok.
Severity worse(Severity a, Severity b);

using Subject = HarmlessText<512>;
using Message = HarmlessText<1024>;

// What the configuration says of a finding that somebody knows of and lives with (`accept`).
struct Acceptance {
  HarmlessText<256> because;         // the operator's words
  std::chrono::sys_seconds until{};  // from then on the finding counts again
  friend bool operator==(Acceptance const&, Acceptance const&) = default;
};

// One thing that was checked. `check` is a stable name ("expiry", "root_chain", "targets", ...),
// the same in metrics, page, JSON, alerts and docs. `unknown` means "could not check", `critical`
// "checked and bad". Text from a server becomes harmless here, of bounded length.
struct Finding {
  HarmlessText<64> check;
  Subject subject;  // a role, a target's path, a URL; "" where the whole repository is meant
  Severity severity = Severity::ok;
  Reason reason = Reason::none;
  Message message;             // one sentence
  HarmlessText<768> evidence;  // rule and numbers: "tuf 5.4.3.1: timestamp version 41 < 42"
  Subject url;  // what was asked; "" where nothing was, or where the subject is the URL
  // Where two values were held against each other: what a good one is, and what came. Both or none.
  HarmlessText<256> expected{}, received{};
  // Known of and in force: shown with its severity, left out of the run's.
  std::optional<Acceptance> accepted{};

  // What the finding adds to the severity of its run.
  Severity counted() const { return accepted ? Severity::ok : severity; }
  friend bool operator==(Finding const&, Finding const&) = default;
};

// For people: "timestamp: version 41, trusted is 42 [tuf 5.4.3.1 timestamp_rollback]". Subject and
// evidence are left out where the message says them already.
std::string sentence(Finding const& finding);
// The evidence, less what message and subject say; "" where nothing is left.
std::string_view evidence_beside(Finding const& finding);

// When something ends, and how little validity may be left of it.
struct Expiry {
  std::chrono::sys_seconds at{};
  std::chrono::seconds warning{0}, critical{0};  // thresholds in force
  friend bool operator==(Expiry const&, Expiry const&) = default;
};

// What is known of one thing of a repository after a run: of a role, a certificate, a key.
struct ThingFacts {
  ThingType const* type = nullptr;  // of the kind's declaration; never nullptr in a report
  HarmlessText<128> name;           // also a metric label
  std::optional<Expiry> expiry{};
  std::array<std::int64_t, kMostNumbers> numbers{};  // as the type declares them
  // One of any number, such as a delegated role: of those, the soonest to expire have metrics.
  bool one_of_many = false;
  std::optional<std::chrono::sys_seconds> seen{};  // when, where not by this run
  HarmlessText<128> below{};  // the thing that leads to it: who delegates to a role
  friend bool operator==(ThingFacts const&, ThingFacts const&) = default;
};

// A number of the run as a whole. `label` is "" where its family has none.
struct Sample {
  SampleFamily const* family = nullptr;
  HarmlessText<64> label;
  double value = 0;
  friend bool operator==(Sample const&, Sample const&) = default;
};

// Of all TLS certificates that a run saw.
struct CertificateEnds {
  std::chrono::sys_seconds first{};    // when the first of them ends
  std::chrono::sys_seconds warning{};  // when an end of one of them becomes a warning
  friend bool operator==(CertificateEnds const&, CertificateEnds const&) = default;
};

struct Measurements {
  std::vector<ThingFacts> things;
  std::vector<Sample> samples;
  PhaseTimes phases;  // they add up to the total of the requests
  std::uint64_t bytes_received = 0;
  std::uint64_t requests = 0;
  std::uint64_t retries = 0;
  std::optional<CertificateEnds> certificates;  // none where none was seen

  // The sample of that family and label; made as 0 where there is none.
  double& sample(SampleFamily const& family, std::string_view label = {});
  // 0 where there is none.
  double value(SampleFamily const& family, std::string_view label = {}) const;
  friend bool operator==(Measurements const&, Measurements const&) = default;
};

struct Report {
  std::vector<Finding> findings;
  Measurements measurements;
  // All that there is was looked at, well or not: what the report does not name is not there. False
  // where a run was cut short, or where something stood in the way of the rest.
  bool complete = false;

  // What the run is at, for one that is cut short.
  HarmlessText<256> step;  // "the delegated role bin-0a, 12 roles done"
  Subject step_url;        // what it asks for there, without its query

  Severity severity() const;     // worst finding that is not accepted; ok when there is none
  Finding const* worst() const;  // nullptr when all are ok or accepted
  // "; it was at fetching the timestamp (https://host/metadata/timestamp.json)", or "".
  std::string stood_at() const;
  friend bool operator==(Report const&, Report const&) = default;
};

}  // namespace canary::probes
