// SPDX-License-Identifier: Apache-2.0
// libFuzzer: any bytes as a file of keys, as a clearsigned file and as a detached signature. The
// first byte says which.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>

#include "probes/openpgp/client_profiles.h"
#include "probes/openpgp/keys.h"
#include "probes/openpgp/signed_file.h"
#include "probes/openpgp/verdict.h"
#include "tests/probes/openpgp/signatory.h"

namespace {

using namespace canary::openpgp;

void require(bool good, char const* what) {
  if (good) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

// Other probes wait for a worker. Generous, for sanitizers make everything slow.
constexpr std::int64_t kCpuLimitNs = 8'000'000'000;

std::int64_t cpu_time_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec * std::int64_t{1'000'000'000} + time.tv_nsec;
}

void read(std::string_view bytes) {
  KeyFile const file = read_keys(bytes);
  require(!file.keys.empty() || !file.unread.empty(), "nothing is said of a file");
  for (PublicKey const& key : file.keys) {
    require(key.find(key.primary.fingerprint) == &key.primary, "a key is found by its name");
    for (Key const* const signer : key.signing()) {
      require(!signer->signatures.empty(), "who signs has a self-signature");
      for (ClientProfile const& client : client_profiles()) refusal_of(client, key, *signer);
    }
  }
}

void check(SignedFile const& file) {
  require(file.signatures.empty() != file.problem.empty(), "signatures, or why there are none");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  static std::string const keys = Signatory{}.binary();
  if (size == 0) return 0;
  std::string_view const bytes{reinterpret_cast<char const*>(data + 1), size - 1};
  auto const began = cpu_time_ns();
  switch (data[0] % 3) {
    case 0:
      read(bytes);
      break;
    case 1:
      check(verify({bytes, std::nullopt, {keys}}));
      break;
    default:
      check(verify({"data", bytes, {keys}}));
      check(verify({"data", bytes, {bytes}}));
  }
  require(cpu_time_ns() - began < kCpuLimitNs, "processor time");
  return 0;
}
