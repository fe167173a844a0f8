// SPDX-License-Identifier: Apache-2.0
#include "probes/openpgp/rnp_library.h"

#include <dlfcn.h>

#include <atomic>
#include <cassert>
#include <memory>

namespace canary::openpgp {
namespace {

// The ABI that rnp/rnp.h is of: Debian's package librnp0.
constexpr char kFile[] = "librnp.so.0";

std::atomic<Rnp const*> loaded{nullptr};  // then for as long as the process lives

template <class Function>
bool find(void* library, char const* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

}  // namespace

Rnp const* load_rnp() {
  if (auto const* const known = loaded_rnp()) return known;
  void* const library = ::dlopen(kFile, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return nullptr;
  auto made = std::make_unique<Rnp>();
#define CANARY_FIND(name) \
  if (!find(library, "rnp_" #name, made->name)) return nullptr;
  CANARY_RNP_FUNCTIONS(CANARY_FIND)
#undef CANARY_FIND
  Rnp const* other = nullptr;
  // Two threads at once load the same library: one of the two tables stays.
  if (!loaded.compare_exchange_strong(other, made.get(), std::memory_order_acq_rel)) return other;
  return made.release();
}

Rnp const* loaded_rnp() { return loaded.load(std::memory_order_acquire); }

Rnp const& rnp() {
  auto const* const known = loaded_rnp();
  assert(known != nullptr && "load_rnp() first");
  return *known;
}

}  // namespace canary::openpgp
