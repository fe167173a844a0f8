// SPDX-License-Identifier: Apache-2.0
// Where further probes come from while canaryd runs: lists that are fetched, or files that others
// write. docs/discovery.md.
// Thread: none (plain values).
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "config/probe_spec.h"

namespace canary::config {

struct DiscoverySource {
  std::string name;                           // unique; names its list wherever it is told of
  std::optional<Url> url;                     // either this, http or https,
  std::optional<std::filesystem::path> file;  // or this, absolute; a pattern, maybe
  milliseconds refresh{60'000};
  milliseconds timeout{30'000};  // of one look
  // The folder whose files the list's probes may name; none: they may name no file.
  std::optional<std::filesystem::path> files;
  HttpSettings http;
  friend bool operator==(DiscoverySource const&, DiscoverySource const&) = default;

  // For people: the URL, its query left out, or the path.
  std::string from() const { return url ? url->text() : file ? file->string() : std::string{}; }
};

}  // namespace canary::config
