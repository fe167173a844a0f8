// SPDX-License-Identifier: Apache-2.0
// Writes the effective configuration as YAML that loads again.
// Thread: none (pure).
#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "config/config.h"
#include "config/differences.h"
#include "config/duration.h"
#include "config/fields.h"
#include "config/show_probe.h"

namespace canary::config {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

// Every byte that JSON would escape is: double-quoted YAML reads JSON's strings.
std::string quote(std::string_view text) {
  std::string result = "\"";
  for (char const c : text) {
    auto const byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      result += "\\x";
      result += kHex[byte >> 4];
      result += kHex[byte & 15];
    } else {
      result += c;
    }
  }
  return result + '"';
}

std::string list(std::vector<std::string> const& texts) {
  std::string result;
  for (auto const& text : texts) result += (result.empty() ? "" : ", ") + quote(text);
  return "[" + result + "]";
}

// Where a secret comes from, which load() reads again; never its value.
std::string source(Secret const& secret) {
  bool const file = !secret.file.empty();
  return (file ? "{file: " + quote(secret.file.string())
               : "{environment: " + quote(secret.variable)) +
         "}  # <secret>";
}

struct FieldValue {
  std::string shown;  // to people
  std::string whole;  // where that is more: with what may be secret
  friend bool operator==(FieldValue const&, FieldValue const&) = default;
};
using FieldValues = std::map<std::string, FieldValue>;  // by path: "http.max_attempts"

class Writer : public FieldVisitor {
 public:
  std::string take() { return std::move(text_); }
  // Each field by its path, without what is said beside its value.
  FieldValues take_fields() { return std::move(fields_); }

  void line(std::string_view name, std::string const& value) {
    if (!value.empty()) {
      fields_[path_ + std::string{name}] = {.shown = value.substr(0, value.find("  # "))};
    }
    text_ += std::string(indent_, ' ');
    text_ += name;
    text_ += ":";
    if (!value.empty()) text_ += " " + value;
    text_ += "\n";
  }
  // A list's element: its first field stands behind the dash.
  void element(std::function<void()> const& inside) {
    auto const start = text_.size();
    indent_ += 4;
    inside();
    indent_ -= 4;
    if (text_.size() > start + indent_ + 2) text_[start + indent_ + 2] = '-';
  }

  void section(std::string_view name, std::function<void()> const& inside) override {
    line(name, "");
    auto const start = text_.size();
    auto const above = path_.size();
    path_.append(name).append(".");
    indent_ += 2;
    inside();
    indent_ -= 2;
    path_.resize(above);
    if (text_.size() == start) text_.insert(start - 1, " {}");
  }
  void flag(Field field, bool& value) override { line(field.name, value ? "true" : "false"); }
  void integer(Field field, int& value, int, int) override {
    line(field.name, std::to_string(value));
  }
  void duration(Field field, milliseconds& value, milliseconds, milliseconds) override {
    line(field.name, to_text(value));
  }
  void size(Field field, std::uint64_t& value, std::uint64_t, std::uint64_t) override {
    line(field.name, size_text(value));
  }
  void choice(Field field, std::size_t& value, std::vector<std::string> const& names) override {
    line(field.name, names.at(value));
  }
  void label(Field field, std::string& value) override { line(field.name, quote(value)); }
  void text(Field field, std::optional<std::string>& value, std::size_t, Wrong const&) override {
    if (value) line(field.name, quote(*value));
  }
  void text(Field field, std::string& value, std::size_t, Wrong const&) override {
    line(field.name, quote(value));
  }
  void texts(Field field, std::vector<std::string>& value, Most, Wrong const&) override {
    if (!value.empty()) line(field.name, list(value));
  }
  void url(Field field, Url& value) override {
    bool const hides = value.text() != value.unredacted();
    line(field.name, quote(value.text()) + (hides ? "  # its query may be secret" : ""));
    fields_[path_ + std::string{field.name}].whole = value.unredacted();
  }
  void url(Field field, std::optional<Url>& value) override {
    if (value) url(field, *value);
  }
  void folder(Field field, std::filesystem::path& value) override {
    line(field.name, quote(value.string()));
  }
  void folder(Field field, std::optional<std::filesystem::path>& value) override {
    if (value) line(field.name, quote(value->string()));
  }
  void file(Field field, std::filesystem::path& value) override {
    line(field.name, quote(value.string()));
  }
  void file(Field field, std::optional<std::filesystem::path>& value) override {
    if (value) line(field.name, quote(value->string()));
  }
  void addresses(Field field, std::vector<std::string>& value) override {
    line(field.name, list(value));
  }
  void proxy(Field field, HttpSettings& value) override {
    if (value.proxy) return line(field.name, quote(*value.proxy));
    line(field.name, value.proxy_from_environment ? "environment" : "none");
  }
  void headers(Field field, HttpSettings& value) override {
    section(field.name, [&] {
      for (auto const& [header, text] : value.headers) line(quote(header), quote(text));
      for (auto const& [header, secret] : value.secret_headers) {
        line(quote(header), source(secret));
      }
    });
  }
  void credentials(Field field, std::optional<Secret>& value) override {
    if (value) line(field.name, source(*value));
  }
  void selection(Field field, Selection& value, std::string_view) override {
    switch (value.kind) {
      case Selection::Kind::none:
        return line(field.name, "none");
      case Selection::Kind::all:
        return line(field.name, "all");
      case Selection::Kind::names:
        return line(field.name, list(value.names));
    }
  }
  void threshold(Field field, ExpiryThreshold& value) override {
    line(field.name, (value.fitted ? "up to " : "") + to_text(milliseconds{value.span}));
  }
  void accept(Field field, std::vector<AcceptSpec>& value) override {
    constexpr std::array kWorst{"warning", "unknown", "critical"};
    line(field.name, value.empty() ? "[]" : "");
    for (auto const& entry : value) {
      auto const above = path_.size();
      path_.append(field.name).append("[" + entry.finding() + "].");
      element([&] {
        line("finding", quote(entry.finding()));
        line("because", quote(entry.because));
        line("until", to_text(entry.until));
        line("severity", kWorst.at(static_cast<std::size_t>(entry.worst)));
      });
      path_.resize(above);
    }
  }
  void maintenance(Field field, std::vector<MaintenanceWindow>& value) override {
    line(field.name, value.empty() ? "[]" : "");
    for (auto const& window : value) {
      auto const* const once = std::get_if<Stretch>(&window.when);
      std::string const when = once ? to_text(once->from) : to_text(std::get<Weekly>(window.when));
      auto const above = path_.size();
      path_.append(field.name).append("[" + when + ", " + window.reason + "].");
      element([&] {
        line(once ? "from" : "weekly", once ? when : quote(when));
        if (once) line("to", to_text(once->to));
        if (!window.probes.empty()) line("probes", list(window.probes));
        line("reason", quote(window.reason));
      });
      path_.resize(above);
    }
  }
  void discovery(Field field, std::vector<DiscoverySource>& value) override {
    line(field.name, value.empty() ? "[]" : "");
    for (auto& source : value) {
      auto const above = path_.size();
      path_.append(field.name).append("[" + source.name + "].");
      element([&] { describe_source(*this, source); });
      path_.resize(above);
    }
  }
  void thresholds_by_name(Field field, std::map<std::string, ExpiryThresholds>& value,
                          ExpiryThresholds const&, std::string_view) override {
    section(field.name, [&] {
      for (auto& [role, thresholds] : value) {
        section(quote(role), [&] { describe_thresholds(*this, thresholds, {}); });
      }
    });
  }
  void require(bool, std::string_view, std::string) override {}

 private:
  std::string text_;
  std::size_t indent_ = 0;
  FieldValues fields_;
  std::string path_;  // of the section: "http."
};

void write_probe(Writer& writer, ProbeSpec& probe) {
  std::string const from = probe.source.empty() ? "" : "  # of the list of " + probe.source;
  writer.line("name", quote(probe.name.text) + from);
  writer.label({"repository"}, probe.repository);
  writer.flag({"enabled"}, probe.enabled);
  describe_probe(writer, probe);
}

// What the probes of lists start from.
void show_defaults(Writer& writer, std::vector<ProbeSpec>& defaults) {
  if (defaults.empty()) return;
  auto const in_http = std::ranges::find(defaults, kHttpSection,
                                         [](ProbeSpec const& probe) { return probe.kind.name(); });
  writer.section("defaults", [&] {
    describe_common(writer, defaults.front(), true, [&] {
      if (in_http != defaults.end()) in_http->kind.visit_defaults(writer);
    });
    for (auto& probe : defaults) {
      if (probe.kind.name() == kHttpSection) continue;
      writer.section(probe.kind.name(), [&] { probe.kind.visit_defaults(writer); });
    }
  });
}

FieldValues settings_of(Config config) {
  Writer writer;
  describe(writer, config);
  show_defaults(writer, config.defaults);
  return writer.take_fields();
}

FieldValues fields_of(ProbeSpec probe) {
  Writer writer;
  write_probe(writer, probe);
  return writer.take_fields();
}

std::map<std::string_view, ProbeSpec const*> by_name(std::vector<ProbeSpec> const& probes) {
  std::map<std::string_view, ProbeSpec const*> found;
  for (auto const& probe : probes) found[probe.name.text] = &probe;
  return found;
}

std::string change(std::string const& field, FieldValue const& was, FieldValue const& is) {
  std::string const how = was.shown == is.shown ? " (another query, which may be secret)" : "";
  return field + ": " + was.shown + " -> " + is.shown + how;
}

// A line for each field that is not the same.
void compare(std::string const& whose, FieldValues const& old, FieldValues const& fresh,
             std::vector<std::string>& lines) {
  FieldValues all = fresh;
  all.insert(old.begin(), old.end());
  auto const value = [](FieldValues const& values, std::string const& field) {
    auto const found = values.find(field);
    return found == values.end() ? FieldValue{.shown = "none"} : found->second;
  };
  for (auto const& [field, unused] : all) {
    FieldValue const was = value(old, field), is = value(fresh, field);
    if (was == is) continue;
    lines.push_back(whose + change(field, was, is));
  }
}

}  // namespace

std::vector<std::string> differences(Config const& old, Config const& fresh) {
  std::vector<std::string> lines;
  compare("", settings_of(old), settings_of(fresh), lines);
  auto const before = by_name(old.probes), after = by_name(fresh.probes);
  for (auto const& [name, probe] : after) {
    std::string const whose = std::string{"probe "}.append(name);
    auto const was = before.find(name);
    if (was == before.end()) {
      lines.push_back(whose + ": added");
    } else if (!(*was->second == *probe)) {  // of thousands few are changed
      compare(whose + ": ", fields_of(*was->second), fields_of(*probe), lines);
    }
  }
  for (auto const& [name, unused] : before) {
    if (!after.contains(name)) lines.push_back(std::string{"probe "}.append(name) + ": removed");
  }
  return lines;
}

std::string show_probe(ProbeSpec const& probe) {
  auto copy = probe;
  Writer writer;
  writer.element([&] { write_probe(writer, copy); });
  return writer.take();
}

std::string show(Config const& config) {
  auto copy = config;  // visitors take what they visit as changeable
  Writer writer;
  describe(writer, copy);
  show_defaults(writer, copy.defaults);
  writer.line("probes", copy.probes.empty() ? "[]" : "");
  for (auto& probe : copy.probes) {
    writer.element([&] { write_probe(writer, probe); });
  }
  return writer.take();
}

}  // namespace canary::config
