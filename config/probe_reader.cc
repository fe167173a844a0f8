// SPDX-License-Identifier: Apache-2.0
#include "config/probe_reader.h"

#include <algorithm>
#include <utility>

#include "config/fields.h"
#include "config/touched_files.h"

namespace canary::config {
namespace {

using std::filesystem::path;

constexpr std::size_t kMaxNameBytes = 100;

bool is_name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_.:-").find(c) != std::string_view::npos;
}

}  // namespace

bool is_name(std::string_view text) { return std::ranges::all_of(text, is_name_byte); }

bool is_probe_name(std::string_view text) {
  return !text.empty() && text.size() <= kMaxNameBytes && is_name(text) && text != "." &&
         text != "..";
}

std::vector<ProbeSpec> built_in_defaults(Kinds const& kinds) {
  std::vector<ProbeSpec> defaults;
  defaults.reserve(kinds.size());
  for (Kind const& kind : kinds) {
    ProbeSpec& probe = defaults.emplace_back();
    probe.kind = kind.spec;
  }
  return defaults;
}

void refuse_main_fields(yaml::Fields& fields) {
  for (auto const* name : {"state_directory", "include", "web", "log", "scheduler", "watchdog",
                           "history", "removed_probes", "metrics", "maintenance", "remote_write",
                           "shard", "vantage", "workers", "defaults", "discovery"}) {
    if (auto const at = fields.find(name)) at->fail("belongs into the main file, expected probes");
  }
}

ProbeReader::ProbeReader(ReadOptions options, std::vector<ProbeSpec> defaults)
    : options_(std::move(options)), defaults_(std::move(defaults)) {}

ReadOptions ProbeReader::options_in(path const& folder, bool use_files) const {
  ReadOptions options = options_;
  options.folder = folder;
  options.use_files = use_files;
  return options;
}

bool ProbeReader::read(yaml::Fields& fields, path const& folder) {
  auto const at = fields.find("probes");
  auto const list = at ? at->list("a list of probes") : std::nullopt;
  if (!list) return false;
  for (auto const& probe : *list) {
    if (options_.list && probe.problem_count() >= Problems::kMostKept) break;
    reading_goes_on();
    read_probe(probe, folder);
  }
  return list->empty();
}

std::vector<ProbeSpec> ProbeReader::take(bool all) {
  std::vector<ProbeSpec> taken;
  taken.reserve(probes_.size());
  for (std::size_t i = 0; i < probes_.size(); ++i) {
    if (all || good_[i]) taken.push_back(std::move(probes_[i]));
  }
  probes_.clear();
  good_.clear();
  return taken;
}

void ProbeReader::read_probe(yaml::Cursor const& at, path const& folder) {
  auto const before = at.problem_count();
  yaml::Fields fields(at);
  if (!fields.is_mapping()) return;
  if (at.kind() == yaml::Item::Kind::nothing) {
    at.fail("expected a probe, got nothing");
    return;
  }
  auto const name = read_name(fields);
  bool enabled = true;
  Reader(fields, options_in(folder)).flag({"enabled"}, enabled);
  Reader reader(fields, options_in(folder, enabled));
  auto const kind = find_kind(fields);
  auto probe = defaults_[kind.value_or(0)];
  probe.enabled = enabled;
  if (name) probe.name.text = probe.repository = *name;
  reader.label({"repository"}, probe.repository);
  if (kind) {
    describe_probe(reader, probe);
    if (!probe.kind.fetches()) refuse_http(fields, probe);
  } else {
    describe_common(reader, probe, true);
  }
  fields.refuse_unknown();
  if (before == at.problem_count()) waits_.check(at, probe);
  good_.push_back(before == at.problem_count());
  probes_.push_back(std::move(probe));
}

std::optional<std::string> ProbeReader::read_name(yaml::Fields& fields) {
  auto const at = fields.find("name");
  if (!at) {
    fields.self().fail("field missing: expected name");
    return std::nullopt;
  }
  auto name = at->text("a name");
  if (!name) return std::nullopt;
  if (name->empty() || name->size() > kMaxNameBytes || !is_name(*name)) {
    at->fail("expected 1 to 100 letters, digits, '_', '.', ':' and '-', got " + at->got());
    return std::nullopt;
  }
  auto const here = at->file() + ":" + std::to_string(at->line());
  if (*name == "." || *name == "..") {  // its folder in the state directory has its name
    at->fail("expected a name, got the one of a folder: " + *name);
    return std::nullopt;
  }
  auto const owner = taken_ ? taken_(*name) : std::string{};
  auto const [first, added] = first_place_.emplace(*name, here);
  if (!owner.empty()) {
    at->fail("the name " + *name + " is taken, by " + owner);
  } else if (!added) {
    at->fail("the name " + *name + " is taken, first at " + first->second);
  }
  return name;
}

std::optional<std::size_t> ProbeReader::find_kind(yaml::Fields& fields) {
  auto const& kinds = *options_.kinds;
  std::vector<std::size_t> found;
  std::optional<std::size_t> http;  // beside another kind, its section is the client's
  std::string names;
  for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
    std::string const name{kinds[kind].spec.name()};
    bool const refused = options_.list && kinds[kind].spec.runs_programs();
    if (!refused) names += (names.empty() ? "" : ", ") + name;
    auto const at = fields.find(name);
    if (!at) continue;
    if (refused) {
      at->fail("a list may run no programs: expected another kind of probe than " + name,
               "the main file and those that it includes may");
    }
    if (name == kHttpSection) {
      http = kind;
    } else {
      found.push_back(kind);
    }
  }
  if (found.empty() && http) return http;
  if (found.size() == 1) return found[0];
  fields.self().fail("expected exactly one kind of probe (" + names + "), got " +
                     std::to_string(found.size()));
  return std::nullopt;
}

void ProbeReader::refuse_http(yaml::Fields& fields, ProbeSpec const& probe) {
  auto const at = fields.find(kHttpSection);
  std::string const kind{probe.kind.name()};
  if (at) at->fail("a probe of the kind " + kind + " sends no HTTP requests: expected no http");
}

}  // namespace canary::config
