// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/page/runbook.h"

#include "daemon/publish/page/fields.h"
#include "daemon/publish/page/render.h"

namespace canary::daemon::page {

std::string runbook_page() {
  std::string whole;
  for (auto const piece : runbook_pieces()) whole += piece;
  Fields page;
  page.flag("still", true);
  return render_page("canaryd: runbook", whole, page);
}

}  // namespace canary::daemon::page
