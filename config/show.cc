// SPDX-License-Identifier: Apache-2.0
// Writes the effective configuration as YAML that loads again.
// Thread: none (pure).
#include <algorithm>
#include <array>
#include <utility>

#include "config/config.h"
#include "config/duration.h"
#include "config/fields.h"

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

class Writer : public FieldVisitor {
 public:
  std::string take() { return std::move(text_); }

  void line(std::string_view name, std::string const& value) {
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
    indent_ += 2;
    inside();
    indent_ -= 2;
    if (text_.size() == start) text_.insert(start - 1, " {}");
  }
  void flag(std::string_view name, bool& value) override { line(name, value ? "true" : "false"); }
  void integer(std::string_view name, int& value, int, int) override {
    line(name, std::to_string(value));
  }
  void duration(std::string_view name, milliseconds& value, milliseconds, milliseconds) override {
    line(name, to_text(value));
  }
  void size(std::string_view name, std::uint64_t& value, std::uint64_t, std::uint64_t) override {
    line(name, size_text(value));
  }
  void choice(std::string_view name, std::size_t& value,
              std::vector<std::string> const& names) override {
    line(name, names.at(value));
  }
  void label(std::string_view name, std::string& value) override { line(name, quote(value)); }
  void url(std::string_view name, Url& value) override {
    bool const hides = value.text() != value.unredacted();
    line(name, quote(value.text()) + (hides ? "  # its query may be secret" : ""));
  }
  void url(std::string_view name, std::optional<Url>& value) override {
    if (value) url(name, *value);
  }
  void folder(std::string_view name, std::filesystem::path& value) override {
    line(name, quote(value.string()));
  }
  void file(std::string_view name, std::filesystem::path& value) override {
    line(name, quote(value.string()));
  }
  void file(std::string_view name, std::optional<std::filesystem::path>& value) override {
    if (value) line(name, quote(value->string()));
  }
  void addresses(std::string_view name, std::vector<std::string>& value) override {
    line(name, list(value));
  }
  void proxy(std::string_view name, HttpSettings& value) override {
    if (value.proxy) return line(name, quote(*value.proxy));
    line(name, value.proxy_from_environment ? "environment" : "none");
  }
  void headers(std::string_view name, HttpSettings& value) override {
    section(name, [&] {
      for (auto const& [header, text] : value.headers) line(quote(header), quote(text));
      for (auto const& [header, secret] : value.secret_headers) {
        line(quote(header), source(secret));
      }
    });
  }
  void credentials(std::string_view name, std::optional<Secret>& value) override {
    if (value) line(name, source(*value));
  }
  void targets(std::string_view name, TargetSelection& value) override {
    switch (value.kind) {
      case TargetSelection::Kind::none:
        return line(name, "none");
      case TargetSelection::Kind::all:
        return line(name, "all");
      case TargetSelection::Kind::names:
        return line(name, list(value.names));
    }
  }
  void threshold(std::string_view name, ExpiryThreshold& value) override {
    line(name, (value.fitted ? "up to " : "") + to_text(milliseconds{value.span}));
  }
  void accept(std::string_view name, std::vector<AcceptSpec>& value) override {
    constexpr std::array kWorst{"warning", "unknown", "critical"};
    line(name, value.empty() ? "[]" : "");
    for (auto const& entry : value) {
      element([&] {
        line("finding", quote(entry.finding()));
        line("because", quote(entry.because));
        line("until", to_text(entry.until));
        line("severity", kWorst.at(static_cast<std::size_t>(entry.worst)));
      });
    }
  }
  void roles(std::string_view name, std::map<std::string, ExpiryThresholds>& value,
             ExpiryThresholds const&) override {
    section(name, [&] {
      for (auto& [role, thresholds] : value) {
        section(quote(role), [&] { describe(*this, thresholds); });
      }
    });
  }
  void require(bool, std::string_view, std::string) override {}

 private:
  std::string text_;
  std::size_t indent_ = 0;
};

void show_probe(Writer& writer, ProbeSpec& probe) {
  writer.label("name", probe.name.text);
  writer.label("repository", probe.repository);
  writer.flag("enabled", probe.enabled);
  describe_common(writer, probe);
  writer.section(kind_names().at(probe.kind.index()),
                 [&] { std::visit([&](auto& spec) { describe(writer, spec); }, probe.kind); });
}

}  // namespace

std::string show(Config const& config) {
  auto copy = config;  // visitors take what they visit as changeable
  Writer writer;
  describe(writer, copy);
  writer.line("probes", copy.probes.empty() ? "[]" : "");
  for (auto& probe : copy.probes) {
    writer.element([&] { show_probe(writer, probe); });
  }
  return writer.take();
}

}  // namespace canary::config
