// SPDX-License-Identifier: Apache-2.0
// `dns` in the table of kinds.
// Thread: any; run() the loop.
#include "probes/kind.h"

#include <utility>

#include "probes/dns/declaration.h"
#include "probes/dns/explanations.h"
#include "probes/dns/probe.h"

namespace canary::dns {
namespace {

class DnsKind final : public probes::Kind {
 public:
  probes::Declaration const& declaration() const override { return kDeclaration; }
  std::span<probes::Explanation const> explanations() const override { return kExplanations; }
  std::string_view title() const override {
    return "what name servers answer about a name, and whether they agree";
  }
  config::KindSpec spec() const override { return Spec{}; }
  std::string_view positional() const override { return "name"; }

  runtime::Task<void> run(config::ProbeSpec spec, probes::ProbeContext context) const override {
    Spec own = *spec.kind.get<Spec>();
    return probe_servers(std::move(own), context);
  }
};

}  // namespace

probes::Kind const& kind() {
  static DnsKind const dns;
  return dns;
}

}  // namespace canary::dns
