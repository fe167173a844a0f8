// SPDX-License-Identifier: Apache-2.0
// `tcp` in the table of kinds.
// Thread: any; run() the loop.
#include "probes/kind.h"

#include <utility>

#include "probes/tcp/declaration.h"
#include "probes/tcp/explanations.h"
#include "probes/tcp/probe.h"

namespace canary::tcp {
namespace {

class TcpKind final : public probes::Kind {
 public:
  probes::Declaration const& declaration() const override { return kDeclaration; }
  std::span<probes::Explanation const> explanations() const override { return kExplanations; }
  std::string_view title() const override {
    return "a server that speaks first or answers a line over TCP, such as rsync's";
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
  static TcpKind const tcp;
  return tcp;
}

}  // namespace canary::tcp
