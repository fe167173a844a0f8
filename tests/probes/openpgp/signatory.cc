// SPDX-License-Identifier: Apache-2.0
#include "tests/probes/openpgp/signatory.h"

#include <cstdint>

#include <gtest/gtest.h>

namespace canary::openpgp {
namespace {

void must(rnp_result_t result, char const* what) {
  EXPECT_EQ(result, RNP_SUCCESS) << what << ": " << rnp_result_to_string(result);
}

KeyHandle finished(rnp_op_generate_t op) {
  must(rnp_op_generate_execute(op), "generate");
  rnp_key_handle_t key = nullptr;
  must(rnp_op_generate_get_key(op, &key), "key");
  rnp_op_generate_destroy(op);
  return KeyHandle{key};
}

}  // namespace

void Signatory::set_time(std::chrono::sys_seconds when) const {
  must(rnp_set_timestamp(keyring_.get(),
                         static_cast<std::uint64_t>(when.time_since_epoch().count())),
       "time");
}

Signatory::Signatory(KeyPlan const& plan) : keyring_(make_keyring()) {
  set_time(plan.made);
  rnp_op_generate_t op = nullptr;
  must(rnp_op_generate_create(&op, keyring_.get(), plan.algorithm.c_str()), "algorithm");
  if (plan.bits > 0) must(rnp_op_generate_set_bits(op, plan.bits), "bits");
  if (!plan.curve.empty()) must(rnp_op_generate_set_curve(op, plan.curve.c_str()), "curve");
  must(rnp_op_generate_set_hash(op, plan.hash.c_str()), "hash");
  must(rnp_op_generate_set_userid(op, plan.user.c_str()), "user");
  must(rnp_op_generate_set_expiration(op, static_cast<std::uint32_t>(plan.lifetime.count())),
       "lifetime");
  key_ = finished(op);
}

void Signatory::add_subkey(std::chrono::seconds lifetime, std::chrono::sys_seconds when,
                           std::string const& hash) {
  set_time(when);
  rnp_op_generate_t op = nullptr;
  must(rnp_op_generate_subkey_create(&op, keyring_.get(), key_.get(), "EDDSA"), "subkey");
  must(rnp_op_generate_set_hash(op, hash.c_str()), "hash");
  must(rnp_op_generate_add_usage(op, "sign"), "usage");
  must(rnp_op_generate_set_expiration(op, static_cast<std::uint32_t>(lifetime.count())),
       "lifetime");
  subkey_ = finished(op);
}

std::string Signatory::fingerprint() const { return text_of(rnp_key_get_fprint, key_.get()); }
std::string Signatory::subkey_fingerprint() const {
  return text_of(rnp_key_get_fprint, subkey_.get());
}

std::string Signatory::exported(unsigned flags) const {
  return written([&](rnp_output_t to) {
    return rnp_key_export(key_.get(), to, flags | RNP_KEY_EXPORT_PUBLIC | RNP_KEY_EXPORT_SUBKEYS);
  });
}

std::string Signatory::secret() const {
  return written([&](rnp_output_t to) {
    return rnp_key_export(key_.get(), to, RNP_KEY_EXPORT_SECRET | RNP_KEY_EXPORT_ARMORED);
  });
}

void Signatory::set_lifetime(std::chrono::seconds lifetime, std::chrono::sys_seconds when) {
  set_time(when);
  must(rnp_key_set_expiration(key_.get(), static_cast<std::uint32_t>(lifetime.count())),
       "lifetime");
}

void Signatory::add_user(std::string const& user, std::chrono::sys_seconds when) {
  set_time(when);
  must(rnp_key_add_uid(key_.get(), user.c_str(), "SHA256", 0, 0x03, false), "user");
}

void Signatory::revoke(std::string const& why, std::chrono::sys_seconds when) {
  set_time(when);
  must(rnp_key_revoke(key_.get(), 0, "SHA256", "retired", why.c_str()), "revoke");
}

std::string Signatory::signed_as(Form form, std::string_view data, std::chrono::sys_seconds when,
                                 std::string const& hash) const {
  set_time(when);
  Input const input = make_input(data);
  return written([&](rnp_output_t to) {
    rnp_op_sign_t op = nullptr;
    must(form == Form::clear ? rnp_op_sign_cleartext_create(&op, keyring_.get(), input.get(), to)
                             : rnp_op_sign_detached_create(&op, keyring_.get(), input.get(), to),
         "sign");
    auto const signer = subkey_ ? subkey_.get() : key_.get();
    rnp_op_sign_signature_t signature = nullptr;
    must(rnp_op_sign_add_signature(op, signer, &signature), "signer");
    must(rnp_op_sign_signature_set_hash(signature, hash.c_str()), "hash");
    auto const result = rnp_op_sign_execute(op);
    must(result, "sign");
    rnp_op_sign_destroy(op);
    return result;
  });
}

std::string Signatory::clearsigned(std::string_view text, std::chrono::sys_seconds when,
                                   std::string const& hash) const {
  return signed_as(Form::clear, text, when, hash);
}
std::string Signatory::detached(std::string_view data, std::chrono::sys_seconds when,
                                std::string const& hash) const {
  return signed_as(Form::detached, data, when, hash);
}

}  // namespace canary::openpgp
