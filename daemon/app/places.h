// SPDX-License-Identifier: Apache-2.0
// Where canaryd keeps what: the same for the daemon and for the commands that look for it.
// Thread: any.
#pragma once

#include <filesystem>
#include <string_view>

namespace canary::daemon {

struct Places {
  std::filesystem::path state;    // trusted metadata, dumps: survives everything
  std::filesystem::path runtime;  // on tmpfs where systemd gives one; else inside of `state`
  std::filesystem::path probes() const { return state / "probes"; }
  std::filesystem::path probe(std::string_view name) const;  // its trusted metadata
  std::filesystem::path removed_probes() const { return state / "removed.json"; }
  std::filesystem::path lists() const { return state / "discovery"; }  // of probes, from elsewhere
  std::filesystem::path dumps() const { return state / "dumps"; }
  std::filesystem::path raw_dumps() const { return runtime / "dumps"; }
  std::filesystem::path socket() const { return runtime / "canaryd.sock"; }
};

// RUNTIME_DIRECTORY of the environment (the first, where there are several), else "run" below the
// state directory.
Places places(std::filesystem::path const& state_directory);

}  // namespace canary::daemon
