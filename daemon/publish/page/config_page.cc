// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/page/config_page.h"

#include "daemon/publish/page/fields.h"
#include "daemon/publish/page/humane.h"
#include "daemon/publish/page/render.h"
#include "daemon/publish/page/templates.h"

namespace canary::daemon::page {

std::string config_page(std::string_view text, DaemonFacts const& daemon, SysTime now) {
  bool const cut = text.size() > kLongestConfig;
  if (cut) text = text.substr(0, text.rfind('\n', kLongestConfig) + 1);
  Fields page;
  page.flag("still", true)
      .flag("cut", cut)
      .text("worst", daemon.reload_successful ? "ok" : "failing")
      .text("config_file", daemon.config_file)
      .text("since", daemon.last_reload_success ? clock(*daemon.last_reload_success, now) : "")
      .text("reload_error", daemon.reload_successful ? "" : daemon.reload_error.text())
      .text("config", std::string{text});
  return render_page("canaryd: configuration", templates::kConfig, page);
}

}  // namespace canary::daemon::page
