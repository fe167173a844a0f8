// SPDX-License-Identifier: Apache-2.0
// librnp, loaded when it is first used: it brings Botan, whose relocations take 10 ms, more than
// all that `canaryd status` does, and nobody needs it who watches no keys.
// Thread: any. The first use loads files: not for the loop.
#pragma once

#include <rnp/rnp.h>

namespace canary::openpgp {

// librnp's functions that are used here, each under its name without `rnp_`.
// clang-format off
#define CANARY_RNP_FUNCTIONS(X) \
  X(buffer_destroy) X(dearmor) X(enarmor) X(ffi_create) X(ffi_destroy) X(ffi_set_log_fd) \
  X(import_keys) X(input_destroy) X(input_from_memory) X(key_allows_usage) X(key_export) \
  X(key_get_alg) X(key_get_bits) X(key_get_creation) X(key_get_curve) X(key_get_fprint) \
  X(key_get_primary_uid) X(key_get_revocation_reason) X(key_get_signature_at) \
  X(key_get_signature_count) X(key_get_subkey_at) X(key_get_subkey_count) X(key_get_uid_at) \
  X(key_get_uid_count) X(key_get_uid_handle_at) X(key_handle_destroy) X(key_is_revoked) \
  X(locate_key) X(op_generate_create) X(op_generate_destroy) X(op_generate_execute) \
  X(op_generate_get_key) X(op_generate_set_expiration) X(op_generate_set_hash) \
  X(op_generate_set_userid) X(op_verify_create) X(op_verify_destroy) \
  X(op_verify_detached_create) X(op_verify_execute) X(op_verify_get_signature_at) \
  X(op_verify_get_signature_count) X(op_verify_signature_get_handle) \
  X(op_verify_signature_get_status) X(output_destroy) X(output_memory_get_buf) \
  X(output_to_memory) X(output_to_null) X(remove_security_rule) X(set_timestamp) \
  X(signature_get_creation) X(signature_get_hash_alg) X(signature_get_key_fprint) \
  X(signature_get_keyid) X(signature_get_signer) X(signature_get_type) \
  X(signature_handle_destroy) X(signature_is_valid) X(signature_packet_to_json) \
  X(uid_get_signature_at) X(uid_get_signature_count) X(uid_handle_destroy) X(uid_is_revoked) \
  X(unload_keys) X(version_string)
// clang-format on

struct Rnp {
// NOLINTNEXTLINE(bugprone-macro-parentheses): it declares a member of that name
#define CANARY_MEMBER(name) decltype(&::rnp_##name) name = nullptr;
  CANARY_RNP_FUNCTIONS(CANARY_MEMBER)
#undef CANARY_MEMBER
};

// Loads it unless it is loaded. nullptr where that fails: it is not installed, lacks one of these
// functions, or there is no memory; the next call tries again.
Rnp const* load_rnp();

// nullptr unless load_rnp() gave it once.
Rnp const* loaded_rnp();
// Precondition: load_rnp() gave it once.
Rnp const& rnp();

}  // namespace canary::openpgp
