// SPDX-License-Identifier: Apache-2.0
#include "config/list.h"

#include <utility>

#include "config/probe_reader.h"
#include "config/touched_files.h"
#include "config/yaml.h"

namespace canary::config {
namespace {

// A list says where requests go: what is secret in the defaults was meant for others.
std::vector<ProbeSpec> without_secrets(std::vector<ProbeSpec> defaults) {
  for (auto& probe : defaults) probe.http.secret_headers.clear();
  return defaults;
}

void read_part(ListPart const& part, ProbeReader& reader, Problems& problems) {
  about_to_touch(part.place);
  auto const root = yaml::parse(part.text, part.place, problems);
  if (!root) return;
  yaml::Cursor const top(*root, part.place, problems);
  yaml::Fields fields(top);
  if (!fields.is_mapping()) return;
  auto const probes = fields.find("probes");
  // What is empty by mistake must not end the watch of everything.
  if (!probes) {
    top.fail("field missing: expected probes, a list; `probes: []` where none are meant");
  } else if (probes->kind() == yaml::Item::Kind::nothing) {
    probes->fail("expected a list of probes, got nothing; `[]` where none are meant");
  } else {
    reader.read(fields, {});
  }
  refuse_main_fields(fields);
  fields.refuse_unknown();
}

}  // namespace

ListRead read_list(DiscoverySource const& source, std::vector<ListPart> const& parts,
                   Config const& config, Kinds const& kinds, TakenBy const& taken) {
  Environment const nothing;
  ReadOptions options{.folder = {}, .environment = &nothing, .kinds = &kinds};
  options.list = FromList{source.files};
  ProbeReader reader(std::move(options), without_secrets(config.defaults));
  reader.waits().set_limit(config.watchdog.run_stall, std::nullopt);
  reader.set_taken(taken);
  ListRead read;
  for (auto const& part : parts) read_part(part, reader, read.problems);
  read.probes = reader.take(false);
  for (auto& probe : read.probes) probe.source = source.name;
  return read;
}

}  // namespace canary::config
