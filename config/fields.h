// SPDX-License-Identifier: Apache-2.0
// Every field of the configuration, named once with its range and what it means. Reading, showing,
// the documentation's tables and the flags of `check KIND` are visitors over the same description,
// so that a field can't be read but not shown.
// Thread: none (pure).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace canary::config {

struct Field {
  std::string_view name;
  std::string_view text = {};    // what it means, in Markdown; the range is added to it
  std::string_view absent = {};  // what holds where it is not given, if that can't be told else
};

class FieldVisitor {
 public:
  virtual ~FieldVisitor() = default;

  // A mapping: `inside` describes its fields. A reader leaves it out where the file has none.
  virtual void section(std::string_view name, std::function<void()> const& inside) = 0;
  virtual void flag(Field field, bool& value) = 0;
  virtual void integer(Field field, int& value, int least, int most) = 0;
  virtual void duration(Field field, milliseconds& value, milliseconds least,
                        milliseconds most) = 0;
  // A stretch in which a run may stand still without being stuck.
  virtual void wait(Field field, milliseconds& value, milliseconds least, milliseconds most) {
    duration(field, value, least, most);
  }
  virtual void size(Field field, std::uint64_t& value, std::uint64_t least, std::uint64_t most) = 0;
  // One of `names`, by its index.
  virtual void choice(Field field, std::size_t& value, std::vector<std::string> const& names) = 0;
  // A label: printable text of 1 to 100 bytes.
  virtual void label(Field field, std::string& value) = 0;
  // Text of 1 to `most` bytes that `wrong` says nothing against.
  using Wrong = std::function<std::string(std::string const&)>;
  virtual void text(Field field, std::optional<std::string>& value, std::size_t most,
                    Wrong const& wrong) = 0;
  virtual void text(Field field, std::string& value, std::size_t most, Wrong const& wrong) = 0;
  // A list of such texts, or one alone; at most so many of at most so many bytes each.
  struct Most {
    std::size_t texts, bytes;
  };
  virtual void texts(Field field, std::vector<std::string>& value, Most most,
                     Wrong const& wrong) = 0;
  // A URL, text or file that is not optional must be there.
  virtual void url(Field field, Url& value) = 0;
  virtual void url(Field field, std::optional<Url>& value) = 0;
  // A folder that may not exist yet, and files that must be readable.
  virtual void folder(Field field, std::filesystem::path& value) = 0;
  virtual void folder(Field field, std::optional<std::filesystem::path>& value) = 0;
  virtual void file(Field field, std::filesystem::path& value) = 0;
  virtual void file(Field field, std::optional<std::filesystem::path>& value) = 0;
  virtual void addresses(Field field, std::vector<std::string>& value) = 0;
  virtual void proxy(Field field, HttpSettings& value) = 0;
  virtual void headers(Field field, HttpSettings& value) = 0;
  // "user:password", from a file or the environment.
  virtual void credentials(Field field, std::optional<Secret>& value) = 0;
  // none, all or a list of names of things that are each called a `what`.
  virtual void selection(Field field, Selection& value, std::string_view what) = 0;
  // A duration, or "up to" one; whole seconds, up to ten years.
  virtual void threshold(Field field, ExpiryThreshold& value) = 0;
  // Known oddities; those of a section are added to what is there, the same finding's replaced.
  virtual void accept(Field field, std::vector<AcceptSpec>& value) = 0;
  // Windows in which nobody is paged.
  virtual void maintenance(Field field, std::vector<MaintenanceWindow>& value) = 0;
  // Sources of further probes.
  virtual void discovery(Field field, std::vector<DiscoverySource>& value) = 0;
  // Sections by name of a `what`; a new one starts as `otherwise`.
  virtual void thresholds_by_name(Field field, std::map<std::string, ExpiryThresholds>& value,
                                  ExpiryThresholds const& otherwise, std::string_view what) = 0;
  // A rule between fields of the present section; broken, it is reported at `name`.
  virtual void require(bool holds, std::string_view name, std::string message) = 0;
};

// Everything of the main file but include, defaults and probes.
void describe(FieldVisitor& visitor, Config& config);
// The name of the section in which the HTTP client's settings stand. A kind of this name has its
// own fields in the same section.
inline constexpr std::string_view kHttpSection = "http";
// What a probe has whatever it checks: interval, timeout, accept, and http where it `fetches`, with
// what else stands there.
void describe_common(FieldVisitor& visitor, ProbeSpec& probe, bool fetches,
                     std::function<void()> const& also_in_http = {});
// All of that, and the fields of its kind.
void describe_probe(FieldVisitor& visitor, ProbeSpec& probe);
// One source of `discovery`.
void describe_source(FieldVisitor& visitor, DiscoverySource& source);
struct ThresholdTexts {
  std::string_view warning, critical;
};
void describe_thresholds(FieldVisitor& visitor, ExpiryThresholds& thresholds, ThresholdTexts texts);

// An enumeration whose values are 0, 1, 2 ... as `names` has them.
template <class Enum>
void describe_choice(FieldVisitor& visitor, Field field, Enum& value,
                     std::vector<std::string> const& names) {
  auto index = static_cast<std::size_t>(value);
  visitor.choice(field, index, names);
  value = static_cast<Enum>(index);
}

// A row of the documentation: `path` is "probes[].tuf.metadata_url".
struct FieldRow {
  std::string path, initially, text;
};
// Every field, in the order of the documentation; those of `defaults` repeat a probe's.
std::vector<FieldRow> field_rows(Kinds const& kinds);

}  // namespace canary::config
