// SPDX-License-Identifier: Apache-2.0
// The file of --web.config.file, by the conventions of Prometheus' exporter-toolkit: TLS, client
// certificates, passwords and headers of canaryd's own HTTP server. What cannot be honoured here is
// refused by name.
// Thread: any but the loop's (blocks on files).
// Source: exporter-toolkit, docs/web-configuration.md.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "config/problem.h"
#include "config/result.h"

namespace canary::config {

// A file that is named in another one.
struct NamedFile {
  std::filesystem::path path;
  Problem at;  // where it is named; without a message
  friend bool operator==(NamedFile const&, NamedFile const&) = default;
};

struct WebTls {
  enum class ClientAuth { none, request, require_any, verify_if_given, require_and_verify };
  enum class Version { tls10, tls11, tls12, tls13 };

  NamedFile certificate, key;  // PEM
  ClientAuth client_auth = ClientAuth::none;
  std::optional<NamedFile> client_ca = {};  // PEM; there where client_auth verifies
  std::vector<std::string> client_allowed_sans =
      {};  // one of them must be the client's; empty: any
  Version least = Version::tls12, most = Version::tls13;
  bool prefer_server_ciphers = true;
  friend bool operator==(WebTls const&, WebTls const&) = default;
};

struct WebUser {
  std::string name;
  std::string hash;  // of bcrypt, shown nowhere
  friend bool operator==(WebUser const&, WebUser const&) = default;
};

struct WebHeader {
  std::string name, value;
  friend bool operator==(WebHeader const&, WebHeader const&) = default;
};

struct WebFile {
  std::optional<WebTls> tls = {};
  std::vector<WebHeader> headers = {};
  std::vector<WebUser> users = {};  // empty: everybody may
  friend bool operator==(WebFile const&, WebFile const&) = default;
};

// What one check of a password may cost; each step doubles it.
inline constexpr int kLeastBcryptCost = 4, kMostBcryptCost = 15;
// Of a hash that read_web_file() took.
int bcrypt_cost(std::string const& hash);

// Every problem at once, none of which holds a hash.
Result<WebFile, std::vector<Problem>> read_web_file(std::filesystem::path const& file);

}  // namespace canary::config
