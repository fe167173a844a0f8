// SPDX-License-Identifier: Apache-2.0
// What is wrong with a command line, in a sentence that names the command and where its help is.
// Thread: main.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace canary::daemon {

// Prints `canaryd config diff: NEW is required (try canaryd config diff --help)` to standard error.
void tell_wrong_use(CLI::App const& app, int argc, char const* const* argv, std::string const& why);

// What the parser would not name: a word where a command is expected and none is called so, or an
// option before one that does not exist. Empty: there is none.
std::string unknown_word(CLI::App const& app, int argc, char const* const* argv);

}  // namespace canary::daemon
