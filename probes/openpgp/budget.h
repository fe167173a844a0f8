// SPDX-License-Identifier: Apache-2.0
// How much of untrusted keys and signatures is looked at: counts, sizes and time. What goes
// beyond ends as a finding "could not tell", never as a stall.
// Thread: none (values). Documented in docs/checks.md, "Probes of the kind openpgp".
#pragma once

#include <chrono>
#include <cstddef>

namespace canary::openpgp {

struct Budget {
  // Of one file of keys, whose size in bytes is limited where it is fetched.
  std::size_t armoured_blocks = 1'024;
  std::size_t packets = 100'000;
  std::size_t keys = 2'048;  // primary ones
  // librnp writes a line on standard error for each of these, whatever it is told.
  std::size_t unknown_subpackets = 256;
  std::size_t wrong_signatures = 64;  // looked at after each primary key
  // Of one primary key with all that belongs to it. Signatures by others do not count.
  std::size_t subkeys = 64;
  std::size_t user_ids = 128;
  std::size_t signatures = 128;
  std::size_t subpackets = 64;        // of one signature
  std::size_t packet_bytes = 16'384;  // of a key, a user ID or a signature by the key itself
  // Of one public key. An RSA exponent is 64 bits at most.
  int modulus_bits = 8'192;  // RSA, Elgamal
  int dsa_bits = 4'096, dsa_order_bits = 512;
  // Of one file, in the worker's CPU time; looked at after each primary key. Likewise for the keys
  // by which one signed file is verified.
  std::chrono::milliseconds cpu{5'000};
  // Of a signed file.
  std::size_t data_signatures = 32;
};

}  // namespace canary::openpgp
