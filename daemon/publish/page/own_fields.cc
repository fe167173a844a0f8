// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/page/own_fields.h"

#include <string>

#include "config/url.h"

namespace canary::daemon::page {

void add_own_state(Fields& page, OwnState const& own) {
  page.flag("hangs", !own.turns)
      .text("why", own.why)
      .text("level", own.level)
      .text("hang_verdict", own.verdict)
      .text("culprit", own.culprit)
      .text("ladder", own.ladder)
      .text("last_stall", own.last_stall)
      .text("previous_run", own.previous_run)
      .text("crash", own.crash)
      .text("post_mortem",
            own.post_mortem.empty() ? "" : "/hangs/" + config::percent_encode(own.post_mortem))
      .text("dumps", std::to_string(own.dumps))
      .text("last_dump", own.last_dump);
  if (!own.culprit.empty()) {
    page.text("culprit_href", "/probe/" + config::percent_encode(own.culprit));
  }
  page.list("quarantined");
  for (auto const& probe : own.quarantined) page.entry("quarantined").text("name", probe);
}

}  // namespace canary::daemon::page
