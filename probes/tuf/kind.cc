// SPDX-License-Identifier: Apache-2.0
// `tuf` in the table of kinds.
// Thread: any; run() the loop.
#include "probes/kind.h"

#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <memory>
#include <sstream>
#include <utility>

#include "config/touched_files.h"
#include "probes/tuf/declaration.h"
#include "probes/tuf/explanations.h"
#include "probes/tuf/probe.h"
#include "probes/tuf/rejection.h"
#include "probes/tuf/steps.h"
#include "probes/tuf/trust_memory.h"

namespace canary::tuf {
namespace {

// "TUF 1.0.34, 5.4.4": of evidence that begins with "tuf 5.4.4 expired", or of what is judged for
// each role alike.
std::string step_in(probes::Finding const& finding) {
  constexpr std::string_view kBefore = "tuf ";
  std::string_view evidence = finding.evidence;
  std::string_view section;
  if (evidence.starts_with(kBefore)) {
    evidence.remove_prefix(kBefore.size());
    section = evidence.substr(0, evidence.find_first_not_of("0123456789."));
  } else if (finding.check == kExpiry) {
    section = spec_section(Rule::expired, finding.subject);
  } else if (finding.check == kSignatures && finding.severity != probes::Severity::warning) {
    section = spec_section(Rule::threshold, finding.subject);
  }
  return section.empty() ? std::string{} : "TUF 1.0.34, " + std::string{section};
}

class TufKind final : public probes::Kind {
 public:
  probes::Declaration const& declaration() const override { return kDeclaration; }
  std::span<probes::Explanation const> explanations() const override { return kExplanations; }
  std::string step_of(probes::Finding const& finding) const override { return step_in(finding); }
  std::size_t place_of(probes::Finding const& finding) const override {
    return tuf::step_of(finding);
  }
  std::size_t place_of(probes::ThingFacts const& role) const override { return tuf::step_of(role); }
  std::string_view title() const override {
    return "a TUF repository, verified as a client sees it";
  }
  config::KindSpec spec() const override { return Spec{}; }

  runtime::Task<void> run(config::ProbeSpec spec, probes::ProbeContext context) const override {
    Spec own = *spec.kind.get<Spec>();
    return probe_repository(std::move(own), std::move(spec.http), context);
  }

  std::vector<std::string> unwritten(std::any const& memory) const override {
    auto const* const kept = std::any_cast<std::shared_ptr<TrustMemory>>(&memory);
    return kept == nullptr ? std::vector<std::string>{} : (*kept)->unwritten();
  }
  void abandon(std::any const& memory) const override {
    if (auto const* const kept = std::any_cast<std::shared_ptr<TrustMemory>>(&memory)) {
      (*kept)->abandon();
    }
  }

  // The pinned root on its own.
  canary::Result<std::optional<probes::Report>, std::string> check_alone(
      config::GivenFlags const& given, std::chrono::sys_seconds now,
      std::optional<std::chrono::seconds> expiring) const override {
    auto const root = given.find("root");
    if (root == given.end() || given.contains("metadata-url")) {
      return std::optional<probes::Report>{};
    }
    config::KindSpec thresholds{Spec{}};
    if (expiring) config::set_thresholds(thresholds, *expiring);
    std::string const& path = root->second.back();
    config::about_to_touch(path);
    std::ifstream file{path, std::ios::binary};
    std::ostringstream text;
    text << file.rdbuf();
    struct ::stat status{};
    if (!file || ::stat(path.c_str(), &status) != 0) return "--root: cannot read " + path;
    RootFile bytes{.bytes = std::move(text).str(),
                   .name = path,
                   .last_modified = Time{std::chrono::seconds{status.st_mtim.tv_sec}}};
    return std::optional{check_root(std::move(bytes), now, thresholds.get<Spec>()->expiry.root)};
  }
};

}  // namespace

probes::Kind const& kind() {
  static TufKind const tuf;
  return tuf;
}

}  // namespace canary::tuf
