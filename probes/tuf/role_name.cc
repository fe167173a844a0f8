// SPDX-License-Identifier: Apache-2.0
// Percent-encoding and file names.
// Thread: none (pure).
#include "probes/tuf/role_name.h"

#include "probes/tuf/digest.h"

namespace canary::tuf {
namespace {

constexpr std::string_view kDigits = "0123456789ABCDEF";
constexpr std::string_view kUnreserved =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~";

}  // namespace

std::string quote_role(std::string_view role) {
  std::string quoted;
  quoted.reserve(role.size());
  for (char const c : role) {
    if (kUnreserved.find(c) != std::string_view::npos) {
      quoted += c;
    } else {
      auto const byte = static_cast<unsigned char>(c);
      quoted += '%';
      quoted += kDigits[byte >> 4U];
      quoted += kDigits[byte & 15U];
    }
  }
  return quoted;
}

std::optional<std::string> unquote_role(std::string_view quoted) {
  std::string role;
  for (std::size_t i = 0; i < quoted.size(); ++i) {
    if (quoted[i] != '%') {
      role += quoted[i];
      continue;
    }
    std::optional<std::string> const byte = from_hex(quoted.substr(i + 1, 2));
    if (!byte || byte->size() != 1) return std::nullopt;
    role += *byte;
    i += 2;
  }
  return role;
}

std::string metadata_file(std::string_view role, std::optional<std::uint64_t> version) {
  std::string file = version ? std::to_string(*version) + "." : std::string();
  return file.append(quote_role(role)).append(".json");
}

std::string target_file_path(std::string_view path, std::string_view hash) {
  if (hash.empty()) return std::string(path);
  std::size_t const slash = path.rfind('/');
  std::size_t const name = slash == std::string_view::npos ? 0 : slash + 1;
  std::string file(path.substr(0, name));
  return file.append(hash).append(".").append(path.substr(name));
}

bool is_delegated_role_name(std::string_view role) {
  return !role.empty() && role != "root" && role != "timestamp" && role != "snapshot" &&
         role != "targets";
}

}  // namespace canary::tuf
