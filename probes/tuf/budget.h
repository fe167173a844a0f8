// SPDX-License-Identifier: Apache-2.0
// How much of what an untrusted server sends is looked at: counts, sizes and time. What goes beyond
// ends as a finding "could not tell" that names the budget (Rule::budget), never as a stall.
// Thread: none (values). Documented in docs/checks.md, "Budgets".
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace canary::tuf {

// Of one file. The size in bytes is limited beside it, by Limits.
struct FileBudget {
  std::size_t depth = 512;          // levels of JSON
  std::size_t values = 4'000'000;   // of JSON: about 30 bytes of memory each
  std::size_t signatures = 1'024;   // entries of `signatures`
  std::size_t keys = 16'384;        // entries of one `keys`
  std::size_t keyids = 1'024;       // that one role names
  std::size_t roles = 65'536;       // delegated roles
  std::size_t entries = 1'000'000;  // of `targets`, of `meta`
  std::size_t verifications = 256;  // signatures that are verified for one role, and their
  std::chrono::milliseconds verifying{2'000};  // nominal time (public_key.h, nominal_cost)
  int rsa_bits = 16'384;                       // an RSA key's modulus, at most
  int rsa_exponent_bits = 64;                  // an RSA key's exponent, at most
  std::size_t key_text = 8'192;                // bytes of one key's `public`
  std::size_t signature_text = 8'192;          // bytes of one `sig`
};

// Of one run of a probe, all files together.
struct RunBudget {
  std::size_t name = 4'096;               // bytes of a role's or target's name that is asked for
  std::chrono::milliseconds cpu{60'000};  // of workers: parsing, verifying, searching
};

struct Budget {
  FileBudget file;
  RunBudget run;
};

}  // namespace canary::tuf
