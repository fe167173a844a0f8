// SPDX-License-Identifier: Apache-2.0
// `tls` in the table of kinds.
// Thread: any; run() the loop.
#include "probes/kind.h"

#include <utility>

#include "probes/tls/declaration.h"
#include "probes/tls/explanations.h"
#include "probes/tls/probe.h"

namespace canary::tls {
namespace {

class TlsKind final : public probes::Kind {
 public:
  probes::Declaration const& declaration() const override { return kDeclaration; }
  std::span<probes::Explanation const> explanations() const override { return kExplanations; }
  std::string_view title() const override {
    return "the certificates that a server shows, and their ends";
  }
  config::KindSpec spec() const override { return Spec{}; }
  std::string_view positional() const override { return "address"; }

  runtime::Task<void> run(config::ProbeSpec spec, probes::ProbeContext context) const override {
    Spec own = *spec.kind.get<Spec>();
    return probe_server(std::move(own), context);
  }
};

}  // namespace

probes::Kind const& kind() {
  static TlsKind const tls;
  return tls;
}

}  // namespace canary::tls
