// SPDX-License-Identifier: Apache-2.0
// The table of metrics is the truth: of the pages, and of docs/metrics.md.
#include <cstdlib>
#include <deque>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "daemon/metrics/table.h"
#include "daemon/publish/kind_metrics.h"
#include "tests/daemon/publish/hung_world.h"
#include "tests/support/read_file.h"

namespace canary::daemon {
namespace {

using metrics::Emergency;
using metrics::Metric;
using ::testing::ElementsAreArray;

// The table's sections, and one for each kind of probe that declares metrics.
std::vector<metrics::Section> const& sections() {
  static std::deque<std::vector<Metric>> of_kinds;
  static std::vector<metrics::Section> const all = [] {
    std::vector<metrics::Section> result;
    for (auto const& section : metrics::kSections) {
      result.push_back(section);
      if (section.title != "Probes") continue;
      for (auto const* const kind : probes::kinds()) {
        of_kinds.push_back(metrics_of(kind->declaration()));
        if (of_kinds.back().empty()) continue;
        result.push_back({kind->declaration().title, of_kinds.back()});
      }
    }
    return result;
  }();
  return all;
}

std::map<std::string, Metric const*> rows() {
  std::map<std::string, Metric const*> result;
  for (auto const& section : sections()) {
    for (auto const& row : section.metrics) {
      EXPECT_TRUE(result.emplace(row.name, &row).second) << row.name << " is there twice";
    }
  }
  return result;
}

std::set<std::string> names(auto const& map) {
  std::set<std::string> result;
  for (auto const& [name, value] : map) result.insert(name);
  return result;
}

// `name{first="value",…}` to the names of its labels, those of buckets aside.
std::set<std::string> labels_of(std::string const& series) {
  std::set<std::string> result;
  std::size_t at = series.find('{');
  while (at != std::string::npos && at + 1 < series.size()) {
    std::size_t const end = series.find('=', at);
    std::string const name = series.substr(at + 1, end - at - 1);
    if (name != "le") result.insert(name);
    at = series.find('"', end + 2) + 1;
    if (series[at] != ',') break;
  }
  return result;
}

class MetricTable : public HungWorld {};

TEST_F(MetricTable, HasEveryFamilyOfThePageAndNoneThatNobodyWrites) {
  auto const page = parsed(ordinary());
  auto const table = rows();
  EXPECT_THAT(names(page.families), ElementsAreArray(names(table)));
  for (auto const& [name, family] : page.families) {
    auto const row = table.find(name);
    if (row == table.end()) continue;
    EXPECT_EQ(family.type, metrics::to_text(row->second->type)) << name;
    EXPECT_EQ(family.help, row->second->help) << name;
  }
}

TEST_F(MetricTable, NamesTheLabelsThatSeriesHave) {
  auto const table = rows();
  for (auto const& page : {parsed(ordinary()), parsed(emergency())}) {
    for (auto const& [series, value] : page.samples) {
      std::string name = series.substr(0, series.find('{'));
      for (std::string const suffix : {"_bucket", "_sum", "_count"}) {
        std::string const family =
            name.substr(0, name.size() - std::min(name.size(), suffix.size()));
        if (name.ends_with(suffix) && table.contains(family)) name = family;
      }
      ASSERT_TRUE(table.contains(name)) << series;
      Metric const& row = *table.at(name);
      std::set<std::string> const wanted(row.labels.begin(),
                                         row.labels.begin() + row.label_count());
      EXPECT_THAT(labels_of(series), ElementsAreArray(wanted)) << series;
    }
  }
}

TEST_F(MetricTable, SaysWhatTheEmergencyPageHas) {
  std::set<std::string> wanted;
  for (auto const& [name, row] : rows()) {
    if (row->emergency != Emergency::absent) wanted.insert(name);
  }
  auto const page = parsed(emergency(unchanging_metrics(ordinary())));
  EXPECT_THAT(names(page.families), ElementsAreArray(wanted));
}

// ---- docs/metrics.md ----------------------------------------------------------------------------

std::string labels_text(Metric const& row) {
  std::string text;
  for (std::size_t i = 0; i < row.label_count(); ++i) {
    text += (i == 0 ? "`" : ", `") + std::string{row.labels[i]} + '`';
  }
  return text;
}

std::string shown_text(metrics::Shown shown) {
  using metrics::Shown;
  if (shown == Shown::in_vantage) return "with a vantage";
  return shown == Shown::in_full ? "in full" : shown == Shown::unless_zero ? "unless 0" : "";
}

std::string metrics_markdown() {
  std::string text =
      "# Metrics\n\n"
      "`/metrics` has these families, in Prometheus' text format 0.0.4. This page is written from "
      "the table in `daemon/metrics` and what kinds of probes declare (`probes/*/declaration.h`), "
      "as the page itself is. A family without series is left out. "
      "The column *shown* says what is left out unless the configuration has "
      "`metrics: {detail: full}`: *in full* all series of the family, *unless 0* those whose value "
      "is 0 (a counter is there once it has counted). *With a vantage*: where the configuration "
      "says `vantage` (scale.md), and never one that is 0. "
      "Times are seconds since 1970, spans are seconds. A paused probe has `canaryd_probe_info` "
      "and `canaryd_probe_enabled` alone. Those marked ! are also on the "
      "[emergency page](hangs.md#when-the-http-server-hangs-too).\n";
  for (auto const& section : sections()) {
    text += "\n## " + std::string{section.title} +
            "\n\n| metric | type | labels | shown | meaning |\n|---|---|---|---|---|\n";
    for (auto const& row : section.metrics) {
      text += "| `" + std::string{row.name} + "`";
      if (row.emergency != Emergency::absent) text += " !";
      text += " | " + std::string{to_text(row.type)} + " | " + labels_text(row) + " | " +
              shown_text(row.shown) + " | " + std::string{row.help} + " |\n";
    }
  }
  return text;
}

TEST_F(MetricTable, IsWhatTheDocumentationSays) {
  std::string const file = "docs/metrics.md";
  if (std::getenv("CANARY_WRITE_DOCS") != nullptr) std::ofstream{file} << metrics_markdown();
  EXPECT_EQ(support::read_file(file), metrics_markdown())
      << "write it anew: CANARY_WRITE_DOCS=1 ctest --preset dev -R MetricTable";
}

}  // namespace
}  // namespace canary::daemon
