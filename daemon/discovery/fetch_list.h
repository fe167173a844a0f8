// SPDX-License-Identifier: Apache-2.0
// One look at a source: what its URL gives, or what is in its files.
// Thread: loop; files are read on FileThreads.
#pragma once

#include <string>

#include "config/result.h"
#include "daemon/discovery/fetched_list.h"
#include "probes/fetch/services.h"
#include "runtime/deadline.h"
#include "runtime/task.h"
#include "runtime/trace.h"

namespace canary::daemon {

// nullptr where `known`, the list in force (nullptr: there is none), is what the source still has.
// Errors are sentences. `http` outlives it.
using ListLook = Result<FetchedListPointer, std::string>;
runtime::Task<ListLook> fetch_list(config::DiscoverySource source, FetchedListPointer known,
                                   fetch::Services& http, runtime::Deadline deadline,
                                   runtime::Trace trace);

}  // namespace canary::daemon
