// SPDX-License-Identifier: Apache-2.0
// Which keys and signatures the programs that install software refuse, and from which day on.
// Thread: none (constants).
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>

namespace canary::openpgp {

// What a client refuses. A rule about a hash is one of self-signatures (which bind a key
// to its user IDs and subkeys) or of signatures of data: clients are milder with the former.
struct ClientRule {
  enum class About : std::uint8_t { self_signature, data_signature, key } about;
  std::string_view name;       // of the hash ("SHA1") or of the key's algorithm ("RSA")
  int at_least = 0;            // key: of so many bits or more
  int below = 0;               // key: and of fewer than so many; 0: any
  std::chrono::sys_days from;  // refused from then on; the epoch: always
  std::string_view source;
};

// What it makes of a key that has ended, where something was signed before the end.
enum class EndedKey : std::uint8_t {
  refused,     // whatever it signed
  still_good,  // for what it signed before
  not_known,   // to us: nothing is said of it
};

struct ClientProfile {
  std::string_view name;   // as the configuration has it: "apt-3"
  std::string_view title;  // for people: "apt 3 (sqv)"
  EndedKey ended = EndedKey::not_known;
  bool every_subkey = false;  // refuses a key for a subkey of it, even one that does not sign
  bool every_key = false;     // refuses a file for one of its keys
  std::span<ClientRule const> rules;
};

// In the order of the documentation.
std::span<ClientProfile const> client_profiles();
// nullptr where there is none of that name.
ClientProfile const* find_profile(std::string_view name);

}  // namespace canary::openpgp
