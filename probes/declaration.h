// SPDX-License-Identifier: Apache-2.0
// What a kind of probe declares of its results: their names in metrics and JSON. Whoever shows a
// report reads this, and knows no kind.
// Thread: none (constants, for as long as the process lives).
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "probes/reason.h"
#include "probes/shown.h"

namespace canary::probes {

// A number: its field in JSON, its metric (a gauge) and that one's help. An empty metric: none.
struct Number {
  std::string_view field, metric, help;
  Shown shown = Shown::always;
};

inline constexpr std::size_t kMostNumbers = 4;  // of one thing

// A type of things that are known by name: "role", "certificate". Its metrics have the labels
// probe, repo and `name`.
struct ThingType {
  std::string_view name;              // metric label, field in JSON
  std::string_view plural;            // field of the list in JSON
  std::span<Number const> numbers{};  // at most kMostNumbers
  // Of its expiry: the end (its field is text), the thresholds, and when it was seen.
  Number ends{}, warning{}, critical{}, seen{};
  Number count{};            // how many the last run saw; label probe alone; its field is not used
  std::string_view below{};  // field of what leads to it, where something does
};

// A number of a run as a whole: label probe, and where `label` is not "" one of a closed set. The
// set may be given by what is looked at (`values` is empty then): a kind takes a stated number of
// its names at most.
struct SampleFamily {
  struct Value {
    std::string_view value, says;  // of the label; for people: "could not be checked"
  };
  Number number;
  std::string_view label{};
  std::span<Value const> values{};
};

// A part of what a run does in turn, for people (probes/steps.h).
struct Step {
  std::string_view name, says;  // "chain", "up to a CA that is trusted, nothing of it ended"
  // Of it are findings of this check and things of this type, unless the kind says otherwise
  // (Kind::place_of).
  std::string_view check{};
  ThingType const* things = nullptr;
};

struct Declaration {
  std::string_view kind;   // "tuf"
  std::string_view title;  // heading of its metrics: "TUF repositories"
  std::span<ThingType const* const> things{};
  std::span<SampleFamily const* const> samples{};
  std::span<std::string_view const> checks{};  // its own names of findings' checks
  std::span<Reason const> reasons{};           // and reasons, beside the common ones
  std::span<Step const> steps{};               // of a run, in order
};

// Of no kind.
inline constexpr Declaration kNothingDeclared{};

}  // namespace canary::probes
