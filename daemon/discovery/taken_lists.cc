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

struct Owner {
  std::string text;
  bool list = false;
};
// Who has which name, beside the list of `but`.
using Owners = std::unordered_map<std::string_view, Owner>;

Owners owners(config::Config const& base, TakenLists const& lists, std::string const& but) {
  Owners all;
  Owner const file{.text = "a file of the configuration"};
  for (auto const& probe : base.probes) all.emplace(probe.name.text, file);
  for (auto const& name : base.names_elsewhere) all.emplace(name, file);
  for (auto const& [source, list] : lists) {
    if (source == but) continue;
    Owner const owner{.text = "the list of " + source, .list = true};
    for (auto const& probe : list.probes) all.emplace(probe.name.text, owner);
    for (auto const& name : list.names_elsewhere) all.emplace(name, owner);
  }
  return all;
}

struct Read {
  TakenList list;
  config::Problems problems;
  bool of_others = false;  // it has a name that is another list's
};

Read read(config::Config const& base, config::DiscoverySource const& source,
          TakenLists const& lists, FetchedListPointer list) {
  auto const names = owners(base, lists, source.name);
  Read result;
  auto const taken = [&names, &result](std::string_view name) {
    auto const owner = names.find(name);
    if (owner == names.end()) return std::string{};
    result.of_others |= owner->second.list;
    return owner->second.text;
  };
  auto found = config::read_list(source, list->parts, base, probes::configured_kinds(), taken);
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

// Why it is not among `lists` then; "" where it is.
std::string take(config::Config const& base, TakenLists& lists, FetchedListPointer const& list) {
  auto taken = take_list(base, lists, list);
  if (!taken) return std::move(taken).error().why;
  lists.insert_or_assign(list->source, std::move(taken).value());
  return {};
}

// The names of all of their lists in force are free at first; of those that are wrong even so they
// are not, and the others are tried once more.
void take_together(config::Config const& base, TakenLists& lists,
                   std::vector<RefusedList>& refused) {
  std::vector<FetchedListPointer> trying;
  for (auto const& each : refused) {
    if (each.may_fit) trying.push_back(each.list);
  }
  while (!trying.empty()) {
    TakenLists tried = lists;
    for (auto const& list : trying) tried.erase(list->source);
    auto const wrong = [&base, &tried](auto const& list) {
      return !take(base, tried, list).empty();
    };
    if (std::erase_if(trying, wrong) > 0) continue;
    lists = std::move(tried);
    std::erase_if(refused, [&trying](RefusedList const& each) {
      return std::ranges::find(trying, each.list) != trying.end();
    });
    return;
  }
}

}  // namespace

std::string first_of(config::Problems const& problems) {
  if (problems.empty()) return {};
  std::string text = to_text(problems.kept().front());
  if (problems.count() > 1) text += "; and " + std::to_string(problems.count() - 1) + " more";
  return text;
}

Result<TakenList, RefusedList> take_list(config::Config const& base, TakenLists const& lists,
                                         FetchedListPointer const& list) {
  auto const source =
      std::ranges::find(base.discovery, list->source, &config::DiscoverySource::name);
  if (source == base.discovery.end()) {  // a reload took it away meanwhile
    return RefusedList{.list = list,
                       .why = list->source + " is no source of the configuration any more"};
  }
  if (list->address != address_of(*source)) {  // or gave it another URL, and other rights
    return RefusedList{.list = list,
                       .why = "the list of " + list->source +
                              " was asked for elsewhere than the configuration says now"};
  }
  auto result = read(base, *source, lists, list);
  if (!result.problems.empty()) {
    return RefusedList{.list = list, .why = first_of(result.problems), .may_fit = result.of_others};
  }
  return std::move(result.list);
}

std::vector<RefusedList> take_lists(config::Config const& base, TakenLists& lists,
                                    std::vector<FetchedListPointer> const& offered) {
  std::vector<RefusedList> refused;
  for (auto const& list : offered) {
    auto taken = take_list(base, lists, list);
    if (taken) {
      lists.insert_or_assign(list->source, std::move(taken).value());
    } else {
      refused.push_back(std::move(taken).error());
    }
  }
  if (offered.size() > 1) take_together(base, lists, refused);
  return refused;
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
