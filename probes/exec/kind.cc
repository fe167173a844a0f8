// SPDX-License-Identifier: Apache-2.0
// `exec` in the table of kinds.
// Thread: any; run() the loop.
#include "probes/kind.h"

#include <utility>

#include "probes/exec/declaration.h"
#include "probes/exec/explanations.h"
#include "probes/exec/probe.h"

namespace canary::exec {
namespace {

class ExecKind final : public probes::Kind {
 public:
  probes::Declaration const& declaration() const override { return kDeclaration; }
  std::span<probes::Explanation const> explanations() const override { return kExplanations; }
  std::string_view title() const override {
    return "a program that says how things are, such as a Nagios plugin";
  }
  config::KindSpec spec() const override { return Spec{}; }

  runtime::Task<void> run(config::ProbeSpec spec, probes::ProbeContext context) const override {
    Spec own = *spec.kind.get<Spec>();
    return probe_program(std::move(own), context);
  }
};

}  // namespace

probes::Kind const& kind() {
  static ExecKind const exec;
  return exec;
}

}  // namespace canary::exec
