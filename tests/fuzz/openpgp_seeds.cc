// SPDX-License-Identifier: Apache-2.0
// Writes the corpus that openpgp_fuzz starts from: openpgp_seeds FOLDER.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/probes/openpgp/signatory.h"

namespace {

using namespace canary::openpgp;

constexpr std::chrono::sys_seconds kWhen{std::chrono::sys_days{std::chrono::year{2024} / 1 / 1}};

std::vector<std::string> seeds() {
  Signatory plain, with_subkey{{.lifetime = 24h * 365}}, revoked;
  Signatory const rsa{{.algorithm = "RSA", .bits = 2'048, .hash = "SHA1"}};
  Signatory const dsa{{.algorithm = "DSA", .bits = 1'024}};
  Signatory const curve{{.algorithm = "ECDSA", .curve = "NIST P-256"}};
  with_subkey.add_subkey(24h * 30, kWhen);
  revoked.revoke("lost", kWhen);
  std::string const keys(1, '\0'), message(1, '\1'), signature(1, '\2');
  return {keys + plain.binary(),
          keys + with_subkey.binary(),
          keys + with_subkey.armoured(),
          keys + revoked.binary() + plain.binary(),
          keys + rsa.binary(),
          keys + dsa.binary(),
          keys + curve.armoured(),
          keys + plain.secret(),
          message + plain.clearsigned("Origin: us\n", kWhen),
          message + with_subkey.clearsigned("a\n- b\n", kWhen, "SHA512"),
          signature + plain.detached("data", kWhen),
          signature + with_subkey.detached("data", kWhen) + rsa.detached("data", kWhen, "SHA1")};
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: openpgp_seeds FOLDER\n");
    return 2;
  }
  std::filesystem::path const folder{arguments[1]};
  int number = 0;
  for (std::string const& seed : seeds()) {
    std::ofstream{folder / ("seed-" + std::to_string(number++)), std::ios::binary} << seed;
  }
  return 0;
}
