// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/first_steps.h"

namespace canary::daemon {

std::string first_steps(std::string_view config_file) {
  return "put a repository's pinned root and a probe into " + std::string{config_file} +
         " or a file that it includes, look at it with `canaryd config check " +
         std::string{config_file} +
         "`, then `canaryd reload`; canaryd.yml(5) has every field, tutorial.md the whole way";
}

}  // namespace canary::daemon
