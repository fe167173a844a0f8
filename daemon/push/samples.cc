// SPDX-License-Identifier: Apache-2.0
#include "daemon/push/samples.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

namespace canary::push {
namespace {

std::optional<double> number(std::string_view text) {
  if (text == "+Inf") return std::numeric_limits<double>::infinity();
  if (text == "-Inf") return -std::numeric_limits<double>::infinity();
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  double value = 0;
  auto const* const end = text.data() + text.size();
  auto const [at, failed] = std::from_chars(text.data(), end, value);
  if (failed != std::errc{} || at != end) return std::nullopt;
  return value;
}

// From behind an opening quote; leaves `text` behind the closing one.
std::string quoted(std::string_view& text) {
  std::string value;
  while (!text.empty()) {
    char c = text.front();
    text.remove_prefix(1);
    if (c == '"') break;
    if (c == '\\' && !text.empty()) {
      c = text.front() == 'n' ? '\n' : text.front();
      text.remove_prefix(1);
    }
    value += c;
  }
  return value;
}

}  // namespace

std::vector<Sample> samples_in(std::string_view page) {
  std::vector<Sample> samples;
  while (!page.empty()) {
    auto const line = page.substr(0, page.find('\n'));
    page.remove_prefix(std::min(line.size() + 1, page.size()));
    auto const space = line.rfind(' ');
    if (line.starts_with('#') || space == std::string_view::npos) continue;
    if (auto const value = number(line.substr(space + 1))) {
      samples.push_back({.series = line.substr(0, space), .value = *value});
    }
  }
  return samples;
}

std::vector<Label> labels_of(std::string_view series, std::vector<Label> const& more) {
  auto const brace = series.find('{');
  std::vector<Label> labels{{"__name__", std::string{series.substr(0, brace)}}};
  if (brace != std::string_view::npos) series.remove_prefix(brace + 1);
  while (brace != std::string_view::npos) {
    auto const equals = series.find("=\"");
    if (equals == std::string_view::npos) break;
    std::string name{series.substr(0, equals)};
    series.remove_prefix(equals + 2);
    labels.emplace_back(std::move(name), quoted(series));
    if (!series.starts_with(',')) break;
    series.remove_prefix(1);
  }
  for (Label const& own : more) {
    std::erase_if(labels, [&own](Label const& label) { return label.first == own.first; });
    labels.push_back(own);
  }
  std::erase_if(labels, [](Label const& label) { return label.second.empty(); });
  std::ranges::sort(labels);
  return labels;
}

}  // namespace canary::push
