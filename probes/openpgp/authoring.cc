// SPDX-License-Identifier: Apache-2.0
#include "probes/openpgp/authoring.h"

#include <cstdint>

#include "probes/openpgp/rnp.h"

namespace canary::openpgp {
namespace {

using Generation = Owned<rnp_op_generate_t, &Rnp::op_generate_destroy>;

KeyHandle generated(rnp_ffi_t keyring, std::string const& user, std::uint32_t lifetime) {
  rnp_op_generate_t made = nullptr;
  if (rnp().op_generate_create(&made, keyring, "EDDSA") != RNP_SUCCESS) return nullptr;
  Generation const generation{made};
  rnp_key_handle_t key = nullptr;
  bool const well = rnp().op_generate_set_hash(made, "SHA256") == RNP_SUCCESS &&
                    rnp().op_generate_set_userid(made, user.c_str()) == RNP_SUCCESS &&
                    rnp().op_generate_set_expiration(made, lifetime) == RNP_SUCCESS &&
                    rnp().op_generate_execute(made) == RNP_SUCCESS &&
                    rnp().op_generate_get_key(made, &key) == RNP_SUCCESS;
  return KeyHandle{well ? key : nullptr};
}

}  // namespace

std::string make_public_key(std::string const& user, std::chrono::sys_seconds made,
                            std::chrono::seconds lifetime) {
  Keyring const keyring = make_keyring();
  if (!keyring) return {};
  rnp().set_timestamp(keyring.get(), static_cast<std::uint64_t>(made.time_since_epoch().count()));
  auto const key = generated(keyring.get(), user, static_cast<std::uint32_t>(lifetime.count()));
  if (!key) return {};
  return written([&](rnp_output_t to) {
    return rnp().key_export(key.get(), to, RNP_KEY_EXPORT_PUBLIC | RNP_KEY_EXPORT_SUBKEYS);
  });
}

}  // namespace canary::openpgp
