// SPDX-License-Identifier: Apache-2.0
#include "daemon/results/known.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "daemon/results/things.h"

namespace canary::daemon {
namespace {

using Name = std::pair<probes::ThingType const*, std::string_view>;

Name name_of(probes::ThingFacts const& thing) { return {thing.type, thing.name}; }

}  // namespace

std::pair<std::chrono::sys_seconds, std::string_view> by_end(probes::ThingFacts const& thing) {
  return {thing.expiry ? thing.expiry->at : std::chrono::sys_seconds::max(), thing.name};
}

Known merged(Known const& before, probes::Report const& report, SysTime at) {
  Known after;
  std::set<Name> named;
  for (auto const& thing : report.measurements.things) {
    if (!named.insert(name_of(thing)).second) continue;
    after.things.push_back({thing, at});
    KnownThing& known = after.things.back();
    if (thing.seen) known.seen = *thing.seen;
    known.facts.seen.reset();
  }
  after.certificates = report.measurements.certificates;
  if (after.certificates) after.certificates_seen = at;
  if (report.complete) return after;

  if (!after.certificates) {
    after.certificates = before.certificates;
    after.certificates_seen = before.certificates_seen;
  }
  auto const first_older = static_cast<std::ptrdiff_t>(after.things.size());
  for (auto const& thing : before.things) {
    if (!named.contains(name_of(thing.facts))) after.things.push_back(thing);
  }
  if (after.things.size() > kKnownThings) {
    std::ranges::sort(after.things.begin() + first_older, after.things.end(), {},
                      [](KnownThing const& thing) { return by_end(thing.facts); });
    after.things.resize(std::max(kKnownThings, static_cast<std::size_t>(first_older)));
  }
  return after;
}

std::optional<probes::CertificateEnds> certificates_beside_things(Known const& known) {
  auto const& all = known.certificates;
  bool const told = std::ranges::any_of(known.things, [&all](KnownThing const& thing) {
    return all && thing.facts.expiry && thing.facts.expiry->at == all->first;
  });
  return told ? std::nullopt : all;
}

std::vector<VersionChange> versions_between(Known const& before, Known const& after) {
  std::map<Name, std::int64_t> were;
  for (auto const& [thing, seen] : before.things) {
    were.emplace(name_of(thing), version_of(thing).value_or(0));
  }
  std::vector<VersionChange> changes;
  for (auto const& [thing, seen] : after.things) {
    auto const version = version_of(thing);
    auto const old = were.find(name_of(thing));
    bool const is_new = old == were.end();
    if (!version || (is_new ? thing.one_of_many : old->second == *version)) continue;
    changes.push_back({.thing = thing.name, .version = *version, .was = is_new ? 0 : old->second});
  }
  return changes;
}

bool differ(Known const& a, Known const& b) {
  return a.certificates != b.certificates ||
         !std::ranges::equal(a.things, b.things, {}, &KnownThing::facts, &KnownThing::facts);
}

}  // namespace canary::daemon
