// SPDX-License-Identifier: Apache-2.0
// What an HTTP client needs around it, for the benchmarks.
// Thread: main.
#pragma once

#include "config/config.h"
#include "probes/fetch/client.h"
#include "runtime/loop.h"
#include "runtime/workers.h"

namespace canary::bench {

struct HttpWorld {
  runtime::Loop loop;
  runtime::Workers cpu{"cpu", 2};
  runtime::Workers disk{"disk", 1};
  runtime::FileThreads files;
  fetch::Services services{cpu, files};
  config::HttpSettings settings;
};

}  // namespace canary::bench
