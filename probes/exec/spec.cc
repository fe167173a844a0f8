// SPDX-License-Identifier: Apache-2.0
// The fields of `exec:`.
// Thread: none (pure).
#include "probes/exec/spec.h"

#include "config/fields.h"

namespace canary::exec {
namespace {

using namespace std::chrono_literals;

constexpr config::FieldVisitor::Most kArguments{256, 16 * 1024};
constexpr config::FieldVisitor::Most kVariables{64, 4096};

std::string wrong_argument(std::string const& text) {
  return text.find('\0') == std::string::npos ? "" : "expected no NUL in it";
}

std::string wrong_variable(std::string const& text) {
  auto const equals = text.find('=');
  if (equals != 0 && equals != std::string::npos) return wrong_argument(text);
  return "expected NAME=VALUE, got \"" + text + "\"";
}

}  // namespace

void describe_defaults(config::FieldVisitor& v, Spec& spec) {
  v.texts({"environment",
           "`NAME=VALUE`, all that the program finds in its environment; a secret belongs into a "
           "file that the program reads"},
          spec.environment, kVariables, wrong_variable);
  v.folder({"directory", "in which it runs"}, spec.directory);
  v.wait({"time_limit", "after this SIGTERM is sent to all of its process group"}, spec.time_limit,
         10ms, 1h);
  v.wait({"kill_after", "and after this SIGKILL"}, spec.kill_after, 10ms, 1min);
  v.size({"max_output",
          "of its output, looked at; 16 MiB more are read and dropped, then it is ended"},
         spec.max_output, 80, std::uint64_t{1} << 20);
}

void describe(config::FieldVisitor& v, Spec& spec) {
  v.texts({"command",
           "the program's absolute path and its arguments, as they are: no shell looks at them"},
          spec.command, kArguments, wrong_argument);
  v.require(!spec.command.empty(), "command",
            "field missing: expected command, a program's path and its arguments");
  v.require(spec.command.empty() || spec.command.front().starts_with('/'), "command",
            "expected a program's absolute path first, got \"" + spec.location() + "\"");
  describe_defaults(v, spec);
}

}  // namespace canary::exec
