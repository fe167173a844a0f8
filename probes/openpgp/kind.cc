// SPDX-License-Identifier: Apache-2.0
// `openpgp` in the table of kinds.
// Thread: any; run() the loop.
#include "probes/kind.h"

#include <utility>

#include "probes/openpgp/declaration.h"
#include "probes/openpgp/explanations.h"
#include "probes/openpgp/probe.h"

namespace canary::openpgp {
namespace {

class OpenpgpKind final : public probes::Kind {
 public:
  probes::Declaration const& declaration() const override { return kDeclaration; }
  std::span<probes::Explanation const> explanations() const override { return kExplanations; }
  std::string_view title() const override {
    return "the keys that sign what is installed: their ends, and which clients refuse them";
  }
  config::KindSpec spec() const override { return Spec{}; }
  std::string_view positional() const override { return "keys"; }

  runtime::Task<void> run(config::ProbeSpec spec, probes::ProbeContext context) const override {
    Spec own = *spec.kind.get<Spec>();
    return probe_keys(std::move(own), std::move(spec.http), context);
  }
};

}  // namespace

probes::Kind const& kind() {
  static OpenpgpKind const openpgp;
  return openpgp;
}

}  // namespace canary::openpgp
