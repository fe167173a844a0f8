// SPDX-License-Identifier: Apache-2.0
#include "daemon/history/entries.h"

namespace canary::history {

Words words_of(probes::Finding const& finding) {
  return {.check = std::string{finding.check},
          .subject = std::string{finding.subject},
          .reason = std::string{to_text(finding.reason)},
          .message = std::string{finding.message},
          .evidence = std::string{evidence_beside(finding)},
          .url = std::string{finding.url},
          .severity = finding.severity};
}

}  // namespace canary::history
