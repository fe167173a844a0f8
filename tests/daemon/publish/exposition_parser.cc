// SPDX-License-Identifier: Apache-2.0
// The parser, and the rules of a page as a whole.
#include "tests/daemon/publish/exposition_parser.h"

#include <cmath>
#include <cstdlib>
#include <limits>
#include <set>

namespace canary::tests {
namespace {

bool is_name(std::string_view text, bool colon) {
  if (text.empty() || (text[0] >= '0' && text[0] <= '9')) return false;
  for (char const c : text) {
    bool const letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (!letter && !(c >= '0' && c <= '9') && !(colon && c == ':')) return false;
  }
  return true;
}

class Parser {
 public:
  explicit Parser(std::string_view page) : rest_(page) {}

  Exposition run() {
    if (!rest_.empty() && rest_.back() != '\n') problem("the last line has no newline");
    while (!rest_.empty()) {
      auto const end = rest_.find('\n');
      line_ = rest_.substr(0, end);
      rest_.remove_prefix(std::min(end, rest_.size() - 1) + 1);
      if (line_.starts_with("# HELP ")) {
        comment(line_.substr(7), true);
      } else if (line_.starts_with("# TYPE ")) {
        comment(line_.substr(7), false);
      } else if (!line_.empty() && line_[0] != '#') {
        sample();
      }
    }
    return std::move(out_);
  }

 private:
  void problem(std::string const& what) {
    out_.problems.push_back(what + ": " + std::string{line_});
  }

  void comment(std::string_view text, bool help) {
    auto const blank = text.find(' ');
    if (blank == std::string_view::npos) return problem("no text");
    std::string const name{text.substr(0, blank)};
    auto const value = text.substr(blank + 1);
    if (!is_name(name, true)) problem("bad name");
    auto& family = out_.families[name];
    auto& field = help ? family.help : family.type;
    if (!field.empty()) problem("given twice");
    if (closed_.contains(name)) problem("family is not in one piece");
    field = value;
    open(name);
  }

  void open(std::string const& name) {
    if (name == current_) return;
    if (!current_.empty()) closed_.insert(current_);
    current_ = name;
  }

  void sample() {
    auto const name_end = line_.find_first_of("{ ");
    std::string const name{line_.substr(0, name_end)};
    if (!is_name(name, true) || name_end == std::string_view::npos) return problem("bad sample");
    if (!belongs(name)) problem("sample outside of its family");
    std::string_view text = line_.substr(name_end);
    std::map<std::string, std::string> labels;
    if (text[0] == '{' && !take_labels(text, labels)) return problem("bad labels");
    if (text.empty() || text[0] != ' ') return problem("no value");
    std::string const number{text.substr(1)};
    char* end = nullptr;
    double const value = std::strtod(number.c_str(), &end);
    if (number.empty() || *end != '\0') return problem("bad value");
    if (std::isnan(value) && number != "NaN") problem("NaN is written NaN");
    std::string key = name;
    char separator = '{';
    for (auto const& [label, label_value] : labels) {
      key += separator + label + "=\"" + label_value + '"';
      separator = ',';
    }
    if (separator == ',') key += '}';
    if (!out_.samples.emplace(key, value).second) problem("series twice");
  }

  bool belongs(std::string const& name) const {
    if (name == current_) return out_.families.at(current_).type != "histogram";
    for (char const* suffix : {"_bucket", "_sum", "_count"}) {
      if (name == current_ + suffix) return out_.families.at(current_).type == "histogram";
    }
    return false;
  }

  static bool take_labels(std::string_view& text, std::map<std::string, std::string>& labels) {
    text.remove_prefix(1);
    while (!text.empty() && text[0] != '}') {
      auto const equals = text.find("=\"");
      if (equals == std::string_view::npos) return false;
      std::string const label{text.substr(0, equals)};
      text.remove_prefix(equals + 2);
      std::string value;
      while (!text.empty() && text[0] != '"') {
        char c = text[0];
        if (c == '\\') {
          if (text.size() < 2) return false;
          c = text[1] == 'n' ? '\n' : text[1];
          if (text[1] != 'n' && text[1] != '\\' && text[1] != '"') return false;
          text.remove_prefix(1);
        }
        value += c;
        text.remove_prefix(1);
      }
      if (text.empty() || !is_name(label, false)) return false;
      text.remove_prefix(1);
      if (!labels.emplace(label, value).second) return false;
      if (!text.empty() && text[0] == ',') text.remove_prefix(1);
    }
    if (text.empty()) return false;
    text.remove_prefix(1);
    return true;
  }

  std::string_view rest_, line_;
  std::string current_;
  std::set<std::string> closed_;
  Exposition out_;
};

}  // namespace

double Exposition::value(std::string const& series) const {
  auto const found = samples.find(series);
  return found == samples.end() ? std::numeric_limits<double>::quiet_NaN() : found->second;
}

Exposition parse_exposition(std::string_view page) { return Parser{page}.run(); }

}  // namespace canary::tests
