// SPDX-License-Identifier: Apache-2.0
#include "probes/openpgp/rnp.h"

#include <fcntl.h>

#include <cstdint>

namespace canary::openpgp {

Keyring make_keyring() {
  if (load_rnp() == nullptr) return nullptr;
  rnp_ffi_t made = nullptr;
  if (rnp().ffi_create(&made, RNP_KEYSTORE_GPG, RNP_KEYSTORE_GPG) != RNP_SUCCESS) return nullptr;
  Keyring keyring{made};
  // Its own messages of what it refuses go nowhere: findings say it.
  int const nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere >= 0) rnp().ffi_set_log_fd(made, nowhere);  // and closes it
  std::size_t removed = 0;
  rnp().remove_security_rule(made, nullptr, nullptr, 0, RNP_SECURITY_REMOVE_ALL, 0, &removed);
  return keyring;
}

std::string why_no_keyring() {
  return load_rnp() == nullptr ? "librnp cannot be loaded (librnp.so.0, of Debian's librnp0)"
                               : "librnp has no memory for it";
}

Input make_input(std::string_view bytes) {
  if (load_rnp() == nullptr) return nullptr;
  rnp_input_t made = nullptr;
  auto const* const data = reinterpret_cast<std::uint8_t const*>(bytes.data());
  if (rnp().input_from_memory(&made, data, bytes.size(), false) != RNP_SUCCESS) return nullptr;
  return Input{made};
}

bool import_keys(rnp_ffi_t keyring, std::string_view packets) {
  Input const input = make_input(packets);
  if (!input) return false;
  char* results = nullptr;
  constexpr std::uint32_t kHow = RNP_LOAD_SAVE_PUBLIC_KEYS | RNP_LOAD_SAVE_PERMISSIVE;
  auto const result = rnp().import_keys(keyring, input.get(), kHow, &results);
  rnp().buffer_destroy(results);
  return result == RNP_SUCCESS;
}

std::string dearmoured(std::string_view text, std::size_t most) {
  Input const input = make_input(text);
  if (!input) return {};
  return written([&](rnp_output_t to) { return rnp().dearmor(input.get(), to); }, most);
}

std::string armoured_signatures(std::string_view packets) {
  Input const input = make_input(packets);
  if (!input) return {};
  return written([&](rnp_output_t to) { return rnp().enarmor(input.get(), to, "signature"); });
}

}  // namespace canary::openpgp
