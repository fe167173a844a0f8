// SPDX-License-Identifier: Apache-2.0
// HTML from a template and its fields.
// Thread: any.
#pragma once

#include <string>
#include <string_view>

#include "daemon/publish/page/fields.h"

namespace canary::daemon::page {

// A whole page: `body` is put into the frame that all share. Templates are the *.mustache files
// beside this one. REQUIRES: they are right, which a test shows.
std::string render_page(std::string_view title, std::string_view body, Fields const& fields);
// Is it a template at all?
bool is_template(std::string_view text);

}  // namespace canary::daemon::page
