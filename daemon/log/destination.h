// SPDX-License-Identifier: Apache-2.0
// Where the log's lines go, and what a line looks like there.
// Thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/config.h"

namespace canary::daemon {

enum class Destination : std::uint8_t {
  plain,
  journal,   // journald takes a line's priority from its beginning: sd-daemon(3)
  terminal,  // with colour
};

// Of `fd`. `journal_stream`: the variable JOURNAL_STREAM, of which systemd.exec(5) says that it
// names the journal's device and inode. `colour`: no-color.org has not been asked for.
Destination destination_of(int fd, char const* journal_stream, bool colour);
// By the variables of this process: JOURNAL_STREAM, NO_COLOR and TERM.
Destination destination_of(int fd);

// Replaces `out` by the line as it is written there; `line` ends with '\n'.
void write_for(Destination destination, config::LogLevel level, std::string_view line,
               std::string& out);

}  // namespace canary::daemon
