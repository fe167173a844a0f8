// SPDX-License-Identifier: Apache-2.0
// The store where allocations of the loop fail, under readers that see what it would replace.
#include <malloc.h>

#include <cstdlib>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "daemon/results/store.h"
#include "probes/tuf/declaration.h"

namespace {

constinit int allocations_left = -1;      // before one fails; below zero: none does
constinit void const* watched = nullptr;  // within a block that must stay
constinit bool watched_was_freed = false;

}  // namespace

// In place of the library's.
void* operator new(std::size_t size) {
  if (allocations_left == 0) {
    allocations_left = -1;
    throw std::bad_alloc{};
  }
  if (allocations_left > 0) --allocations_left;
  if (void* const memory = std::malloc(size)) return memory;
  throw std::bad_alloc{};
}
void operator delete(void* memory) noexcept {
  auto const* const first = static_cast<char const*>(memory);
  auto const* const looked_for = static_cast<char const*>(watched);
  bool const within =
      memory != nullptr && looked_for >= first && looked_for < first + ::malloc_usable_size(memory);
  watched_was_freed = watched_was_freed || within;
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }

namespace canary::daemon {
namespace {

using namespace std::chrono_literals;

SysTime const kNow{1'790'000'000s};

ProbeFacts probe(std::string name) {
  return {
      .name = std::move(name), .repository = "repo", .kind = &tuf::kDeclaration, .interval = 60s};
}

// Each allocation of an update in turn, while more and more of what a reader sees is replaced: that
// stays, and the next update that finds memory shows.
TEST(ResultStoreWithoutMemory, FreesNothingUnderAReader) {
  int failed = 0;
  for (int nth = 0; nth < 40; ++nth) {
    ResultStore store{{}};
    std::vector<ProbeFacts> probes;
    for (int i = 0; i < 40; ++i) probes.push_back(probe(std::to_string(i)));
    store.configure(probes);
    auto const reading = store.read();
    for (auto const& each : probes) {
      watched = reading->find(each.name);
      watched_was_freed = false;
      allocations_left = nth;
      try {
        store.started(each.name, kNow, 0ns);
      } catch (std::bad_alloc const&) {
        ++failed;
      }
      allocations_left = -1;
      watched = nullptr;
      ASSERT_FALSE(watched_was_freed) << "allocation " << nth << ", probe " << each.name;
    }
    EXPECT_NO_THROW(store.started("0", kNow, 0ns));
  }
  EXPECT_GT(failed, 40) << "hardly any allocation failed: is this the store's operator new?";
}

}  // namespace
}  // namespace canary::daemon
