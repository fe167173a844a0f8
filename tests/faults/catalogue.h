// SPDX-License-Identifier: Apache-2.0
// The parts of the catalogue, one for each file of rows.
// Thread: any.
#pragma once

#include <vector>

#include "tests/faults/rows.h"

namespace canary::faults {

std::vector<Row> rows_of_loop();
std::vector<Row> rows_of_locks();
std::vector<Row> rows_of_runs();
std::vector<Row> rows_of_threads();
std::vector<Row> rows_of_innocents();
// Of the program as it is shipped: hung by a shim, signals, tracers, quotas, clients; and by frozen
// file systems and namespaces.
std::vector<Row> foreign_rows();
std::vector<Row> rows_of_surroundings();

}  // namespace canary::faults
