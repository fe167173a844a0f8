// SPDX-License-Identifier: Apache-2.0
// A file's signatures: whose, by which hash, when, and are they right?
// Thread: any (CPU only; on a worker). Source: RFC 4880, sections 5.2 and 7.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/openpgp/budget.h"

namespace canary::openpgp {

struct DataSignature {
  enum class Status : std::uint8_t {
    good,      // of this file, by a key that is known, even one that is revoked or has ended
    bad,       // not of this file, or by a key without a right self-signature
    ended,     // right, but it says that it is good no more
    no_key,    // by a key that is not among those given
    unusable,  // of a form or with a key that librnp can't verify by
  } status = Status::unusable;
  std::string key;   // the fingerprint of the (sub)key, or its last 16 digits
  std::string hash;  // as librnp has it: "SHA256"
  std::chrono::sys_seconds made{};
  friend bool operator==(DataSignature const&, DataSignature const&) = default;
};

struct SignedFile {
  std::vector<DataSignature> signatures;
  std::string problem;    // why there are none; "" where there are
  bool too_much = false;  // that was our own limit
};

struct ToVerify {
  std::string_view data;
  std::optional<std::string_view> signature;  // detached; nothing: the data are clearsigned
  std::vector<std::string_view> keys;         // files of keys, binary or armoured
};
SignedFile verify(ToVerify const& what, Budget const& budget = {});

}  // namespace canary::openpgp
