// SPDX-License-Identifier: Apache-2.0
// What an oddity means to those who run a repository: which check it belongs to, and who refuses.
// Thread: none (values).
#pragma once

#include <string_view>

#include "probes/report.h"
#include "probes/tuf/notice.h"

namespace canary::tuf {

struct NoticeMeaning {
  NoticeKind kind;
  std::string_view check;
  probes::Reason reason;
  std::string_view means;  // the message of a warning
};

// nullptr for kinds that are no reason to warn anybody.
NoticeMeaning const* meaning_of(NoticeKind kind);

}  // namespace canary::tuf
