// SPDX-License-Identifier: Apache-2.0
#include "daemon/cli/output.h"

#include <cerrno>
#include <cstdio>

#include "runtime/limits.h"

namespace canary::daemon {
namespace {

int lost = 0;  // errno of the first failure

void note(bool good) {
  if (!good && lost == 0) lost = errno != 0 ? errno : EIO;
}

}  // namespace

void put(std::string_view text) {
  if (text.empty()) return;
  errno = 0;
  note(std::fwrite(text.data(), 1, text.size(), stdout) == text.size());
}

bool output_arrived() {
  errno = 0;
  note(std::fflush(stdout) == 0);
  errno = 0;
  note(std::ferror(stdout) == 0);
  if (lost == 0) return true;
  std::fprintf(stderr, "canaryd: cannot write to standard output: %s\n",
               runtime::explain(lost).c_str());
  return false;
}

}  // namespace canary::daemon
