// SPDX-License-Identifier: Apache-2.0
#include "daemon/discovery/taken_lists.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "config/list.h"
#include "probes/kind.h"

namespace canary::daemon {
namespace {

// Who has which name, beside the list of `but`.
using Owners = std::unordered_map<std::string_view, std::string>;

Owners owners(config::Config const& base, TakenLists const& lists, std::string const& but) {
  Owners all;
  constexpr char kFile[] = "a file of the configuration";
  for (auto const& probe : base.probes) all.emplace(probe.name.text, kFile);
  for (auto const& name : base.names_elsewhere) all.emplace(name, kFile);
  for (auto const& [source, list] : lists) {
    if (source == but) continue;
    for (auto const& probe : list.probes) all.emplace(probe.name.text, "the list of " + source);
    for (auto const& name : list.names_elsewhere) all.emplace(name, "the list of " + source);
  }
  return all;
}

struct Read {
  TakenList list;
  std::vector<config::Problem> problems;
};

Read read(config::Config const& base, config::DiscoverySource const& source,
          TakenLists const& lists, FetchedListPointer list) {
  auto const names = owners(base, lists, source.name);
  auto const taken = [&names](std::string_view name) {
    auto const owner = names.find(name);
    return owner == names.end() ? std::string{} : owner->second;
  };
  auto found = config::read_list(source, list->parts, base, probes::configured_kinds(), taken);
  Read result;
  result.problems = std::move(found.problems);
  result.list.list = std::move(list);
  for (auto& probe : found.probes) {
    if (config::shard_of(probe.name.text, base.shard.count) == base.shard.index) {
      result.list.probes.push_back(std::move(probe));
    } else {
      if (probe.enabled) ++result.list.elsewhere;
      result.list.names_elsewhere.push_back(probe.name.text);
    }
  }
  return result;
}

}  // namespace

std::string first_of(std::vector<config::Problem> const& problems) {
  if (problems.empty()) return {};
  std::string text = to_text(problems.front());
  if (problems.size() > 1) text += "; and " + std::to_string(problems.size() - 1) + " more";
  return text;
}

Result<TakenList, std::vector<config::Problem>> take_list(config::Config const& base,
                                                          TakenLists const& lists,
                                                          FetchedListPointer list) {
  auto const source =
      std::ranges::find(base.discovery, list->source, &config::DiscoverySource::name);
  if (source == base.discovery.end()) {  // a reload took it away meanwhile
    return std::vector<config::Problem>{
        {list->source, 0, 0, "", "is no source of the configuration any more", ""}};
  }
  if (list->address != address_of(*source)) {  // or gave it another URL, and other rights
    return std::vector<config::Problem>{
        {list->source, 0, 0, "", "was asked for elsewhere than the configuration says now", ""}};
  }
  auto result = read(base, *source, lists, std::move(list));
  if (!result.problems.empty()) return std::move(result.problems);
  return std::move(result.list);
}

TakenLists take_again(config::Config const& base, std::vector<FetchedListPointer> const& lists) {
  TakenLists taken;
  for (auto const& source : base.discovery) {
    auto const list = std::ranges::find(
        lists, source.name, [](FetchedListPointer const& each) { return each->source; });
    if (list == lists.end()) continue;
    auto result = read(base, source, taken, *list);
    result.list.error = first_of(result.problems);
    taken.emplace(source.name, std::move(result.list));
  }
  return taken;
}

std::vector<FetchedListPointer> lists_of(TakenLists const& lists) {
  std::vector<FetchedListPointer> all;
  for (auto const& [source, taken] : lists) all.push_back(taken.list);
  return all;
}

config::Config merged(config::Config base, TakenLists const& lists) {
  for (auto const& source : base.discovery) {
    auto const taken = lists.find(source.name);
    if (taken == lists.end()) continue;
    auto const& probes = taken->second.probes;
    base.probes.insert(base.probes.end(), probes.begin(), probes.end());
    base.elsewhere += taken->second.elsewhere;
  }
  return base;
}

}  // namespace canary::daemon
