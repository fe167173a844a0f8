// SPDX-License-Identifier: Apache-2.0
#include "probes/openssl_memory.h"

#include <cstddef>
#include <cstdlib>
#include <new>

#include <openssl/crypto.h>
#include <openssl/err.h>

namespace canary::probes {
namespace {

thread_local std::uint64_t failed = 0;

void* allocate(std::size_t size, char const*, int) {
  if (size == 0) return nullptr;
  void* const memory = std::malloc(size);
  if (memory == nullptr) ++failed;
  return memory;
}

void release(void* memory, char const*, int) { std::free(memory); }

void* resize(void* memory, std::size_t size, char const* file, int line) {
  if (size == 0) {
    release(memory, file, line);
    return nullptr;
  }
  void* const resized = std::realloc(memory, size);
  if (resized == nullptr) ++failed;
  return resized;
}

// OpenSSL takes them only before it allocates anything. Where it did, its queue is all there is.
[[maybe_unused]] int const kCounted = ::CRYPTO_set_mem_functions(&allocate, &resize, &release);

}  // namespace

std::uint64_t openssl_allocations_failed() { return failed; }

bool is_want_of_memory(unsigned long openssl_error) {
  return ERR_GET_REASON(openssl_error) == ERR_R_MALLOC_FAILURE;
}

OpensslMemory::OpensslMemory() : before_(failed) { ::ERR_clear_error(); }

void OpensslMemory::require() const {
  bool lacked = failed != before_;
  while (auto const error = ::ERR_get_error()) lacked = lacked || is_want_of_memory(error);
  if (lacked) throw std::bad_alloc{};
}

}  // namespace canary::probes
