// SPDX-License-Identifier: Apache-2.0
// An answer, or its lack, held against what is expected.
// Thread: any (pure); judge() on a worker, for the body may be long.
#pragma once

#include <string>
#include <vector>

#include "probes/fetch/message.h"
#include "probes/http/spec.h"
#include "probes/report.h"

namespace canary::http {

struct Answer {
  fetch::Response response;
  std::string text;    // of the body: its beginning, all of it where it is searched
  std::string sha256;  // "" where it is not wanted
};

// Findings of status, redirects, headers, body and json. Of an answer with another status than
// expected only that.
std::vector<probes::Finding> judge(Spec const& spec, Answer const& answer);

// What is expected of the answer beyond its status.
std::vector<probes::Finding> judge_headers(Spec const& spec, Answer const& answer);
std::vector<probes::Finding> judge_body(Spec const& spec, Answer const& answer);

// Why there is no answer, or none that is HTTP.
probes::Finding judge(Spec const& spec, fetch::Fault const& fault);

// Of each server with TLS when its first certificate ends; the things go into `things`.
std::vector<probes::Finding> judge_certificates(Spec const& spec, fetch::Totals const& totals,
                                                std::chrono::sys_seconds now,
                                                probes::Measurements& measured);

}  // namespace canary::http
