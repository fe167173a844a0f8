// SPDX-License-Identifier: Apache-2.0
// Did OpenSSL lack memory? It makes of a failed allocation whatever the step at hand can say ("does
// not verify", "no such digest", "no such key"), which would be told of the repository. So each of
// its allocations that fails is counted, whether or not OpenSSL tells of it.
// Thread: each for itself.
#pragma once

#include <cstdint>

namespace canary::probes {

// OpenSSL's allocations that failed on this thread so far.
std::uint64_t openssl_allocations_failed();

// Does an error code of OpenSSL's say that it lacked memory?
bool is_want_of_memory(unsigned long openssl_error);

// Made before OpenSSL is asked.
class OpensslMemory {
 public:
  OpensslMemory();  // empties OpenSSL's queue of errors
  // Throws std::bad_alloc where OpenSSL lacked memory since this was made, or its queue of errors
  // says so; leaves that empty. For wherever it said no.
  void require() const;

 private:
  std::uint64_t before_;
};

}  // namespace canary::probes
