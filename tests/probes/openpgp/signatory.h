// SPDX-License-Identifier: Apache-2.0
// Somebody who signs, made by librnp in memory at any time: keys sound, old, about to end, revoked.
// Thread: none (one test's).
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "probes/openpgp/rnp.h"

namespace canary::openpgp {

using namespace std::chrono_literals;

struct KeyPlan {
  std::string algorithm = "EDDSA";  // as librnp has it
  int bits = 0;                     // "RSA", "DSA"
  std::string curve = {};           // "ECDSA"
  std::string hash = "SHA256";      // of its self-signatures
  std::chrono::sys_seconds made = std::chrono::sys_days{std::chrono::year{2020} / 1 / 1};
  std::chrono::seconds lifetime{0};  // 0: without an end
  std::string user = "Archive <archive@example.com>";
};

class Signatory {
 public:
  explicit Signatory(KeyPlan const& plan = {});

  std::string fingerprint() const;
  // Of its newest subkey.
  std::string subkey_fingerprint() const;
  std::string id() const { return fingerprint().substr(24); }
  std::string binary() const { return exported(0); }
  std::string armoured() const { return exported(RNP_KEY_EXPORT_ARMORED); }
  std::string secret() const;

  // From `when` on it ends so long after it was made.
  void set_lifetime(std::chrono::seconds lifetime, std::chrono::sys_seconds when);
  // Another user ID, by SHA-256.
  void add_user(std::string const& user, std::chrono::sys_seconds when);
  void revoke(std::string const& why, std::chrono::sys_seconds when);
  // One that signs; what signs from then on.
  void add_subkey(std::chrono::seconds lifetime, std::chrono::sys_seconds when,
                  std::string const& hash = "SHA256");

  std::string clearsigned(std::string_view text, std::chrono::sys_seconds when,
                          std::string const& hash = "SHA256") const;
  std::string detached(std::string_view data, std::chrono::sys_seconds when,
                       std::string const& hash = "SHA256") const;

 private:
  enum class Form { clear, detached };
  std::string signed_as(Form form, std::string_view data, std::chrono::sys_seconds when,
                        std::string const& hash) const;
  std::string exported(unsigned flags) const;
  void set_time(std::chrono::sys_seconds when) const;

  Keyring keyring_;
  KeyHandle key_, subkey_;
};

}  // namespace canary::openpgp
