// SPDX-License-Identifier: Apache-2.0
// A kind of probe, as everybody but the kind itself sees it. Each stands in a folder of its own
// (probes/KIND/), which defines `probes::Kind const& canary::KIND::kind()`; a line in
// probes/kinds.def brings it in.
// Thread: any; run() the loop.
#pragma once

#include <any>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/flags.h"
#include "config/kinds.h"
#include "config/result.h"
#include "probes/declaration.h"
#include "probes/explanation.h"
#include "probes/probe.h"

namespace canary::probes {

class Kind {
 public:
  virtual ~Kind() = default;

  virtual Declaration const& declaration() const = 0;
  // What its findings mean and what to do about them; each of its checks has a row without a
  // reason.
  virtual std::span<Explanation const> explanations() const = 0;
  // The step of the specification that the finding itself names; "" where it names none.
  virtual std::string step_of(Finding const& finding) const {
    (void)finding;
    return {};
  }
  // The place of its step among those that are declared; beyond them where it is of none.
  virtual std::size_t place_of(Finding const& finding) const;
  virtual std::size_t place_of(ThingFacts const& thing) const;
  // "a TUF repository, verified as a client sees it"
  virtual std::string_view title() const = 0;
  // Everything at its default.
  virtual config::KindSpec spec() const = 0;

  // One run of a probe of this kind; see run_probe().
  virtual runtime::Task<void> run(config::ProbeSpec spec, ProbeContext context) const = 0;

  // What runs left in `memory` (ProbeContext::memory) that is to be written down and is not yet: a
  // name each. Thread: loop.
  virtual std::vector<std::string> unwritten(std::any const& memory) const {
    (void)memory;
    return {};
  }
  // What runs left in `memory` is not trusted any more: what of it is still to be written down
  // never will be. A run that goes on may use the rest until it ends. Thread: loop.
  virtual void abandon(std::any const& memory) const { (void)memory; }

  // The field that `check KIND` takes without a flag, such as "address"; "" where there is none.
  virtual std::string_view positional() const { return {}; }
  // What flags say that is less than a whole probe, where that can be checked by itself without
  // asking anybody, such as a file of keys; nothing where it can't. An error is a sentence: what
  // they name can't be read. Any expiry within `expiring` is a warning. Reads files.
  virtual Result<std::optional<Report>, std::string> check_alone(
      config::GivenFlags const& given, std::chrono::sys_seconds now,
      std::optional<std::chrono::seconds> expiring) const {
    (void)given, (void)now, (void)expiring;
    return std::optional<Report>{};
  }
};

// The table. The first is what `check` means where it is told no kind.
std::span<Kind const* const> kinds();
// nullptr where there is none of that name.
Kind const* find_kind(std::string_view name);
// Of the kind of that name; kNothingDeclared where there is none.
Declaration const& declaration_of(std::string_view name);

// For the reader of a configuration.
config::Kinds const& configured_kinds();

}  // namespace canary::probes
