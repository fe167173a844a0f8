// SPDX-License-Identifier: Apache-2.0
// librnp's handles with an end, and its texts as ours.
// Thread: any; one object is used by one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include <rnp/rnp.h>
#include <rnp/rnp_err.h>

#include "probes/openpgp/rnp_library.h"

namespace canary::openpgp {

template <auto End>
struct Ends {
  template <class T>
  void operator()(T* handle) const {
    (rnp().*End)(handle);
  }
};
template <class Handle, auto End>
using Owned = std::unique_ptr<std::remove_pointer_t<Handle>, Ends<End>>;

using Input = Owned<rnp_input_t, &Rnp::input_destroy>;
using Output = Owned<rnp_output_t, &Rnp::output_destroy>;
using KeyHandle = Owned<rnp_key_handle_t, &Rnp::key_handle_destroy>;
using UserHandle = Owned<rnp_uid_handle_t, &Rnp::uid_handle_destroy>;
using SignatureHandle = Owned<rnp_signature_handle_t, &Rnp::signature_handle_destroy>;
using Keyring = Owned<rnp_ffi_t, &Rnp::ffi_destroy>;
using Verification = Owned<rnp_op_verify_t, &Rnp::op_verify_destroy>;

// Null where librnp cannot be loaded or has no memory. Without librnp's own rules for algorithms.
Keyring make_keyring();
// Why make_keyring() gave none, as a sentence's end: "librnp has no memory for it".
std::string why_no_keyring();
// Likewise null. `bytes` outlive it.
Input make_input(std::string_view bytes);
// Adds the keys of binary packets; false where there is none that librnp takes.
bool import_keys(rnp_ffi_t keyring, std::string_view packets);
// Of a signature's packets.
std::string armoured_signatures(std::string_view packets);
// Empty where it is not armour, or its content longer than `most`.
std::string dearmoured(std::string_view text, std::size_t most);

// What `write`, which is given an output and gives librnp's result, writes; "" where it fails, or
// it would be more than `most` bytes (0: any number).
template <class Write>
std::string written(Write const& write, std::size_t most = 0) {
  rnp_output_t made = nullptr;
  if (rnp().output_to_memory(&made, most) != RNP_SUCCESS) return {};
  Output const output{made};
  if (write(made) != RNP_SUCCESS) return {};
  std::uint8_t* bytes = nullptr;
  std::size_t size = 0;
  if (rnp().output_memory_get_buf(made, &bytes, &size, false) != RNP_SUCCESS) return {};
  return {reinterpret_cast<char const*>(bytes), size};
}

// What one of librnp's functions of the form f(handle, char**) gives; "" where it gives nothing.
template <class Handle>
std::string text_of(rnp_result_t (*get)(Handle, char**), Handle handle) {
  char* text = nullptr;
  if (get(handle, &text) != RNP_SUCCESS || text == nullptr) return {};
  std::string copy{text};
  rnp().buffer_destroy(text);
  return copy;
}
// Likewise of a value; that of its type without where it gives none.
template <class Handle, class Value>
Value value_of(rnp_result_t (*get)(Handle, Value*), Handle handle) {
  Value value{};
  return get(handle, &value) == RNP_SUCCESS ? value : Value{};
}

}  // namespace canary::openpgp
