// SPDX-License-Identifier: Apache-2.0
// Brings every row of the catalogue about and prints what canaryd made of each, as one table.
//   faults_table [-j N] [ROW...]     exit code 1 where a row is not as it should be
#include <algorithm>
#include <cstdio>
#include <iterator>
#include <mutex>
#include <string>
#include <vector>

#include "tests/faults/run_row.h"
#include "tests/faults/table_arguments.h"

namespace {

using canary::faults::Outcome;
using canary::faults::Row;

struct Column {
  char const* title;
  std::string (*text)(Row const&, Outcome const&);
};

std::string noticed(Row const& row, Outcome const& outcome) {
  if (row.subject.empty()) return "-";
  if (!outcome.noticed_s) return "never";
  char text[32];
  std::snprintf(text, sizeof text, "%.2f s", *outcome.noticed_s);
  return text;
}

std::string expected_verdict(Row const& row) {
  std::string text = row.subject.empty() ? "none" : row.subject + " ";
  for (auto const& verdict : row.verdicts) {
    text += (&verdict == row.verdicts.data() ? "" : "|") + verdict;
  }
  return text;
}

std::string judged(Row const& row, Outcome const& outcome) {
  if (row.subject.empty()) return outcome.verdict.empty() ? "none" : outcome.verdict;
  return outcome.verdict;
}

Column const kColumns[] = {
    {"#", [](Row const& row, Outcome const&) { return row.number; }},
    {"row", [](Row const& row, Outcome const&) { return row.name; }},
    {"fault", [](Row const& row, Outcome const&) { return row.what; }},
    {"noticed", noticed},
    {"expected", [](Row const& row, Outcome const&) { return expected_verdict(row); }},
    {"verdict", judged},
    {"the dump names", [](Row const&, Outcome const& outcome) { return outcome.culprit; }},
    {"answered", [](Row const&, Outcome const& outcome) { return outcome.metrics; }},
    {"truth", [](Row const&, Outcome const& outcome) { return outcome.truth; }},
    {"others", [](Row const&, Outcome const& outcome) { return outcome.others; }},
    {"end", [](Row const&, Outcome const& outcome) { return outcome.end; }},
    {"",
     [](Row const&, Outcome const& outcome) {
       if (!outcome.unavailable.empty()) return "not here: " + outcome.unavailable;
       return std::string{outcome.complaints.empty() ? "ok" : "WRONG"};
     }},
};

void print(std::vector<Row> const& rows, std::vector<Outcome> const& outcomes) {
  std::vector<std::vector<std::string>> lines(rows.size() + 1);
  for (auto const& column : kColumns) {
    lines[0].emplace_back(column.title);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      lines[i + 1].push_back(column.text(rows[i], outcomes[i]));
    }
  }
  std::vector<std::size_t> widths(std::size(kColumns), 0);
  for (auto const& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  for (auto const& line : lines) {
    std::string text;
    for (std::size_t i = 0; i < line.size(); ++i) {
      text += line[i] + std::string(widths[i] - line[i].size() + 2, ' ');
    }
    text.erase(text.find_last_not_of(' ') + 1);
    std::printf("%s\n", text.c_str());
  }
}

std::vector<Row> chosen_rows(canary::faults::TableArguments const& given) {
  std::vector<Row> rows;
  for (auto const& row : canary::faults::all_rows()) {
    if (given.wanted(row.name)) rows.push_back(row);
  }
  return rows;
}

}  // namespace

int main(int argc, char** argv) {
  auto const given = canary::faults::parse_arguments(argc, argv, 3);
  canary::faults::leave_no_core_files();
  auto const rows = chosen_rows(given);
  if (rows.empty()) {
    std::fprintf(stderr, "faults_table: there is no such row\n");
    return 2;
  }
  std::vector<Outcome> outcomes(rows.size());
  std::mutex mutex;
  canary::faults::for_each_row(rows.size(), given.at_once, [&](std::size_t row) {
    outcomes[row] = canary::faults::run_row(rows[row]);
    std::lock_guard const lock{mutex};
    std::fprintf(stderr, "%-24s %5.1f s  %s\n", rows[row].name.c_str(), outcomes[row].took_s,
                 outcomes[row].complaints.empty() ? "ok" : "WRONG");
    for (auto const& each : outcomes[row].complaints) {
      std::fprintf(stderr, "    %s\n", each.c_str());
    }
  });
  print(rows, outcomes);
  if (given.names.empty()) {
    std::printf("\nNot among them:\n");
    for (auto const& each : canary::faults::left_out()) {
      std::printf("%4s  %s: %s\n", each.number.c_str(), each.what.c_str(), each.why.c_str());
    }
  }
  auto const wrong = [](Outcome const& outcome) { return !outcome.complaints.empty(); };
  return std::ranges::any_of(outcomes, wrong) ? 1 : 0;
}
