// SPDX-License-Identifier: Apache-2.0
// Every field of the configuration, named once with its range. Reading, showing and listing are
// three visitors over the same description, so a field can't be read but not shown.
// Thread: none (pure).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace canary::config {

class FieldVisitor {
 public:
  virtual ~FieldVisitor() = default;

  // A mapping: `inside` describes its fields. A reader leaves it out where the file has none.
  virtual void section(std::string_view name, std::function<void()> const& inside) = 0;
  virtual void flag(std::string_view name, bool& value) = 0;
  virtual void integer(std::string_view name, int& value, int least, int most) = 0;
  virtual void duration(std::string_view name, milliseconds& value, milliseconds least,
                        milliseconds most) = 0;
  virtual void size(std::string_view name, std::uint64_t& value, std::uint64_t least,
                    std::uint64_t most) = 0;
  // One of `names`, by its index.
  virtual void choice(std::string_view name, std::size_t& value,
                      std::vector<std::string> const& names) = 0;
  // A label: printable text of 1 to 100 bytes.
  virtual void label(std::string_view name, std::string& value) = 0;
  // A URL or file that is not optional must be there.
  virtual void url(std::string_view name, Url& value) = 0;
  virtual void url(std::string_view name, std::optional<Url>& value) = 0;
  // A folder that may not exist yet, and files that must be readable.
  virtual void folder(std::string_view name, std::filesystem::path& value) = 0;
  virtual void file(std::string_view name, std::filesystem::path& value) = 0;
  virtual void file(std::string_view name, std::optional<std::filesystem::path>& value) = 0;
  virtual void addresses(std::string_view name, std::vector<std::string>& value) = 0;
  virtual void proxy(std::string_view name, HttpSettings& value) = 0;
  virtual void headers(std::string_view name, HttpSettings& value) = 0;
  // "user:password", from a file or the environment.
  virtual void credentials(std::string_view name, std::optional<Secret>& value) = 0;
  virtual void targets(std::string_view name, TargetSelection& value) = 0;
  // A duration, or "up to" one; whole seconds, up to ten years.
  virtual void threshold(std::string_view name, ExpiryThreshold& value) = 0;
  // Known oddities; those of a section are added to what is there, the same finding's replaced.
  virtual void accept(std::string_view name, std::vector<AcceptSpec>& value) = 0;
  // Sections by name of a role; a new one starts as `otherwise`.
  virtual void roles(std::string_view name, std::map<std::string, ExpiryThresholds>& value,
                     ExpiryThresholds const& otherwise) = 0;
  // A rule between fields of the present section; broken, it is reported at `name`.
  virtual void require(bool holds, std::string_view name, std::string message) = 0;
};

// Everything of the main file but include, defaults and probes.
void describe(FieldVisitor& visitor, Config& config);
// What a probe has whatever it checks: interval, timeout, http, accept.
void describe_common(FieldVisitor& visitor, ProbeSpec& probe);
// What `defaults: tuf:` may hold, and what a probe's `tuf:` holds beyond it.
void describe_defaults(FieldVisitor& visitor, TufSpec& spec);
void describe(FieldVisitor& visitor, TufSpec& spec);
void describe(FieldVisitor& visitor, ExpiryThresholds& thresholds);

// The kinds of probe: the names of ProbeSpec::kind's alternatives, in their order.
std::vector<std::string> const& kind_names();
// A probe of the kind of that index, everything at its default.
ProbeSpec default_probe(std::size_t kind);

// Every field by its path, such as "probes[].tuf.metadata_url", in the order of the documentation.
std::vector<std::string> field_names();

}  // namespace canary::config
