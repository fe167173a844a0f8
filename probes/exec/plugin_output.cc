// SPDX-License-Identifier: Apache-2.0
#include "probes/exec/plugin_output.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

namespace canary::exec {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  auto const first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// Takes a label off the front: 'a label''s' or one without blanks, up to its '='.
std::optional<std::string> take_label(std::string_view& text) {
  std::string label;
  if (!text.starts_with('\'')) {
    auto const equals = text.find('=');
    label = text.substr(0, equals);
    bool const good = equals != std::string_view::npos &&
                      label.find_first_of(kBlanks) == std::string::npos && !label.empty();
    if (!good) return std::nullopt;
    text.remove_prefix(equals + 1);
    return label;
  }
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] != '\'') {
      label += text[i];
    } else if (i + 1 < text.size() && text[i + 1] == '\'') {
      label += text[i++];
    } else {
      if (i + 1 >= text.size() || text[i + 1] != '=' || label.empty()) return std::nullopt;
      text.remove_prefix(i + 2);
      return label;
    }
  }
  return std::nullopt;
}

// "0.35s;1;5;0": the thresholds behind it are the plugin's own affair.
std::optional<Figure> take_value(std::string label, std::string_view field) {
  field = field.substr(0, field.find(';'));
  Figure figure{.label = std::move(label)};
  auto const end = field.data() + field.size();
  auto const [stop, error] = std::from_chars(field.data(), end, figure.value);
  if (error != std::errc{} || !std::isfinite(figure.value)) return std::nullopt;
  figure.unit.assign(stop, end);
  return figure;
}

void add_figures(std::string_view text, std::size_t most, std::vector<Figure>& figures) {
  while (figures.size() < most) {
    text = trimmed(text);
    if (text.empty()) return;
    auto label = take_label(text);
    auto const end = std::min(text.find_first_of(kBlanks), text.size());
    if (label) {
      if (auto figure = take_value(std::move(*label), text.substr(0, end))) {
        figures.push_back(std::move(*figure));
      }
    }
    text.remove_prefix(end);
  }
}

}  // namespace

PluginOutput parse_output(std::string_view text, std::size_t most) {
  PluginOutput output;
  auto const end = std::min(text.find('\n'), text.size());
  std::string_view const first = text.substr(0, end);
  auto const bar = std::min(first.find('|'), first.size());
  output.message = trimmed(first.substr(0, bar));
  if (bar < first.size()) add_figures(first.substr(bar + 1), most, output.figures);
  std::string_view const rest = text.substr(end);
  auto const second = rest.find('|');
  if (second != std::string_view::npos) add_figures(rest.substr(second + 1), most, output.figures);
  return output;
}

}  // namespace canary::exec
