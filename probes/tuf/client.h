// SPDX-License-Identifier: Apache-2.0
// A plain TUF client: trust a root, refresh the metadata, download targets. What `tuf-client` does,
// without its command line.
// Thread: loop, but for init_client().
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "config/probe_spec.h"
#include "config/result.h"
#include "config/url.h"
#include "probes/fetch/services.h"
#include "probes/tuf/metadata.h"
#include "runtime/task.h"
#include "runtime/trace.h"

namespace canary::tuf {

// A sentence for people is all that a command line can do with an error.
template <class T>
using ClientResult = canary::Result<T, std::string>;

struct ClientSettings {
  std::filesystem::path metadata_folder;
  config::Url metadata_url;
  Time reference{};  // when the program started
  config::HttpSettings http{};
};

struct DownloadSettings {
  config::Url targets_url;
  std::filesystem::path folder;
  std::vector<std::string> names;
};

// Makes `root_file` the trusted root of `metadata_folder`, replacing an earlier one. It has to be
// signed by its own keys. Asks no server. Blocks.
ClientResult<void> init_client(std::filesystem::path const& metadata_folder,
                               std::filesystem::path const& root_file, Time reference);

// What a client works with; all of it outlives its tasks.
struct ClientWorld {
  fetch::Services& services;
  runtime::Workers& disk;  // its folders: what it reports as done is on the disk
};

// Updates the four top-level roles.
runtime::Task<ClientResult<void>> refresh_client(ClientSettings settings, ClientWorld world,
                                                 runtime::Trace trace);

// Refreshes, then downloads the targets in their order, stopping at the first failure. A target is
// stored as `folder`/<its path, percent-encoded>; one that is there with the listed length and
// hashes is not fetched again.
runtime::Task<ClientResult<void>> download_client(ClientSettings settings,
                                                  DownloadSettings download, ClientWorld world,
                                                  runtime::Trace trace);

}  // namespace canary::tuf
