// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/web_access.h"

#include <utility>

#include "runtime/file_identity.h"

namespace canary::daemon {
namespace {

// Before it is read, so that a change meanwhile is seen later.
void add_file(WebAccess& access, std::filesystem::path const& file) {
  access.files.push_back(file);
  access.identity += runtime::identity_of(file);
}

}  // namespace

Result<WebAccessPointer, std::vector<config::Problem>> read_web_access(
    std::filesystem::path const& file) {
  auto access = std::make_shared<WebAccess>();
  add_file(*access, file);
  auto read = config::read_web_file(file);
  if (!read) return std::move(read).error();
  config::WebFile web = std::move(read).value();
  access->headers = std::move(web.headers);
  access->users = std::move(web.users);
  if (web.tls) {
    add_file(*access, web.tls->certificate.path);
    add_file(*access, web.tls->key.path);
    if (web.tls->client_ca) add_file(*access, web.tls->client_ca->path);
    auto tls = TlsServer::make(*web.tls);
    if (!tls) return std::move(tls).error();
    access->tls = std::move(tls).value();
  }
  return WebAccessPointer{std::move(access)};
}

std::string identity_now(WebAccess const& access) {
  std::string all;
  for (auto const& each : access.files) all += runtime::identity_of(each);
  return all;
}

}  // namespace canary::daemon
