// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include "daemon/cli/commands.h"
#include "daemon/cli/output.h"
#include "daemon/versions/versions.h"
#include "probes/openpgp/rnp_library.h"

namespace canary::daemon {

void add_version_command(CLI::App& app, Action& chosen) {
  auto* const command = app.add_subcommand(
      "version", "What canaryd was compiled against and what is loaded, and whether it fits");
  command->callback([&chosen] {
    chosen = [] {
      openpgp::load_rnp();  // which else is only there where keys are watched
      auto const objects = loaded_objects();
      put(version_text(components(objects), objects));
      return 0;
    };
  });
}

}  // namespace canary::daemon
