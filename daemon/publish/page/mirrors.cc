// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/page/mirrors.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>
#include <tuple>

#include "config/url.h"
#include "daemon/publish/page/humane.h"
#include "daemon/results/things.h"

namespace canary::daemon::page {
namespace {

constexpr std::size_t kMostColumns = 6;  // of versions

// A thing that every mirror has one of, and the highest version that any shows.
struct Column {
  std::string_view name;
  std::int64_t newest = 0;
};

std::vector<Column> columns_of(std::vector<ProbeRow const*> const& rows) {
  std::vector<Column> columns;
  for (auto const* const row : rows) {
    for (auto const& [thing, seen] : row->known->things) {
      auto const version = version_of(thing);
      if (thing.one_of_many || !version) continue;
      auto found = std::ranges::find(columns, std::string_view{thing.name}, &Column::name);
      if (found == columns.end()) {
        if (columns.size() == kMostColumns) continue;
        columns.push_back({.name = thing.name});
        found = std::prev(columns.end());
      }
      found->newest = std::max(found->newest, *version);
    }
  }
  return columns;
}

std::optional<std::int64_t> version_in(ProbeRow const& row, std::string_view name) {
  for (auto const& [thing, seen] : row.known->things) {
    if (!thing.one_of_many && thing.name == name) return version_of(thing);
  }
  return std::nullopt;
}

bool is_behind(ProbeRow const& row, std::vector<Column> const& columns) {
  return std::ranges::any_of(columns, [&](Column const& column) {
    return version_in(row, column.name).value_or(column.newest) < column.newest;
  });
}

// Own first, then those behind, then the others.
using Place = std::tuple<bool, bool, std::size_t>;
constexpr std::size_t kLevel = 1;  // of a Place: it is behind none
using Sorted = std::vector<std::pair<Place, ProbeRow const*>>;

Sorted in_order(std::vector<ProbeRow const*> const& rows, ProbeRow const& own,
                std::vector<Column> const& columns) {
  Sorted sorted;
  sorted.reserve(rows.size());
  for (auto const* const row : rows) {
    sorted.push_back({Place{row != &own, !is_behind(*row, columns), sorted.size()}, row});
  }
  std::ranges::sort(sorted, {}, &Sorted::value_type::first);
  return sorted;
}

void add_versions(Fields& line, ProbeRow const& row, std::vector<Column> const& columns) {
  for (auto const& [name, newest] : columns) {
    auto const version = version_in(row, name);
    line.entry("cells")
        .text("version", version ? "v" + std::to_string(*version) : "–")
        .text("lag",
              version && *version < newest ? std::to_string(newest - *version) + " behind" : "");
  }
}

}  // namespace

std::vector<ProbeRow const*> mirrors_of(Snapshot const& snapshot, ProbeRow const& row) {
  std::vector<ProbeRow const*> rows;
  for (auto const* const each : snapshot.probes) {
    if (each->facts.repository == row.facts.repository) rows.push_back(each);
  }
  return rows;
}

std::vector<Lag> lags_of(std::vector<ProbeRow const*> const& rows, ProbeRow const& own) {
  std::vector<Lag> lags;
  if (rows.size() < 2) return lags;
  auto const columns = columns_of(rows);
  auto const sorted = in_order(rows, own, columns);
  for (std::size_t i = 0; i < std::min(sorted.size(), kMostMirrors); ++i) {
    auto const& row = *sorted[i].second;
    for (auto const& [name, newest] : columns) {
      auto const version = version_in(row, name);
      if (!version || *version >= newest) continue;
      Lag& lag = lags.emplace_back(
          Lag{.probe = row.facts.name, .thing = std::string{name}, .version = *version});
      for (auto const* const other : rows) {
        if (lag.ahead.size() == kMostAhead) break;
        if (version_in(*other, name).value_or(0) > *version) lag.ahead.push_back(other->facts.name);
      }
    }
  }
  return lags;
}

void add_mirrors(Fields& page, Mirrors const& mirrors, SysTime now) {
  page.list("mirrors");
  page.list("versions");
  page.text("more_mirrors", "").text("mirrors_sentence", "");
  if (mirrors.rows.size() < 2) return;
  auto const columns = columns_of(mirrors.rows);
  for (auto const& column : columns) {
    page.entry("versions").text("role", std::string{column.name});
  }
  auto const sorted = in_order(mirrors.rows, mirrors.own, columns);
  auto const behind = static_cast<std::size_t>(std::ranges::count_if(
      sorted, [](auto const& each) { return !std::get<kLevel>(each.first); }));
  page.text("mirrors_sentence", behind == 0 ? "None is behind another."
                                            : std::to_string(behind) + " of " +
                                                  count(sorted.size(), "probe") +
                                                  (behind == 1 ? " is behind." : " are behind."));
  page.flag("any_since", !mirrors.since.empty());
  auto const shown = std::min(sorted.size(), kMostMirrors);
  for (std::size_t i = 0; i < shown; ++i) {
    auto const& row = *sorted[i].second;
    State const state = state_of(row, mirrors.state, mirrors.started, now);
    auto const since = mirrors.since.find(row.facts.name);
    bool const lags = !std::get<kLevel>(sorted[i].first);
    Fields& line = page.entry("mirrors");
    line.text("mirror", row.facts.name)
        .text("href", "/probe/" + config::percent_encode(row.facts.name))
        .flag("own", &row == &mirrors.own)
        .text("state", std::string{name_of(state)})
        .text("label", std::string{label_of(state)})
        .text("since", lags && since != mirrors.since.end()
                           ? span(now - since->second) + ", since " + clock(since->second, now)
                           : "")
        .text("last", row.last_run_end ? distance(*row.last_run_end, now) : "none yet");
    line.list("cells");
    add_versions(line, row, columns);
    auto const end = next_end(row, now);
    line.text("ends", end.text).flag("ended", end.over);
  }
  if (sorted.size() > shown) {
    page.text("more_mirrors", count(sorted.size() - shown, "further probe"));
  }
}

}  // namespace canary::daemon::page
