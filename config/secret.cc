// SPDX-License-Identifier: Apache-2.0
#include "config/secret.h"

#include "config/header_rules.h"

namespace canary::config {

std::string check_secret(std::string const& value) {
  if (value.empty()) return "the secret is empty";
  return check_header_value(value).value_or("");
}

Result<std::string, ReadError> read_secret(std::filesystem::path const& file) {
  auto bytes = read_file(file, kMaxSecretBytes);
  if (!bytes) return bytes.error();
  auto value = std::move(bytes).value();
  while (value.ends_with('\n') || value.ends_with('\r')) value.pop_back();
  if (auto wrong = check_secret(value); !wrong.empty()) return ReadError{wrong};
  return value;
}

}  // namespace canary::config
