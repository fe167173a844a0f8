// SPDX-License-Identifier: Apache-2.0
#include "daemon/cli/config_files.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "config/harmless.h"
#include "config/read_file.h"
#include "probes/tuf/spec.h"

namespace canary::daemon {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::size_t kLargestFile = std::size_t{16} << 20;

// "of type timestamp, expected root"; nothing for a root. The engine judges the rest.
std::optional<std::string> why_no_root(std::string const& text) {
  boost::system::error_code failed;
  json::value const value = json::parse(text, failed);
  if (failed) return "is no JSON: " + failed.message();
  auto const* const whole = value.if_object();
  auto const* const body = whole == nullptr ? nullptr : whole->if_contains("signed");
  auto const* const fields = body == nullptr ? nullptr : body->if_object();
  auto const* const type = fields == nullptr ? nullptr : fields->if_contains("_type");
  if (type == nullptr || !type->is_string()) {
    return "is no metadata of TUF: it has no `signed` with a `_type`";
  }
  if (type->as_string() == "root") return std::nullopt;
  return "is of type " + make_harmless(type->as_string(), 64) + ", expected root";
}

// Nothing for a file of certificates of authorities.
std::optional<std::string> why_no_authorities(std::string const& text) {
  std::unique_ptr<BIO, decltype(&::BIO_free)> const bytes{
      ::BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &::BIO_free};
  std::size_t found = 0;
  while (auto* const read = ::PEM_read_bio_X509(bytes.get(), nullptr, nullptr, nullptr)) {
    std::unique_ptr<X509, decltype(&::X509_free)> const certificate{read, &::X509_free};
    ++found;
    if (::X509_check_ca(certificate.get()) == 0) {
      return "its certificate number " + std::to_string(found) +
             " is not an authority's: it can sign no other";
    }
  }
  ::ERR_clear_error();
  if (found > 0) return std::nullopt;
  return std::string{"has no certificate (PEM)"} +
         (text.find("PRIVATE KEY") != std::string::npos ? ", but a private key" : "");
}

// What canaryd.service does not see, whatever its user may read.
std::optional<std::string> why_hidden(fs::path const& file) {
  struct Hidden {
    std::string_view folder, by;
  };
  constexpr std::array<Hidden, 5> kHidden{{{"/home/", "ProtectHome="},
                                           {"/root/", "ProtectHome="},
                                           {"/run/user/", "ProtectHome="},
                                           {"/tmp/", "PrivateTmp="},
                                           {"/var/tmp/", "PrivateTmp="}}};
  std::error_code ignored;
  std::string const whole = fs::absolute(file, ignored).lexically_normal().string();
  for (auto const& each : kHidden) {
    if (whole.starts_with(each.folder)) {
      return "is hidden from canaryd.service by its " + std::string{each.by};
    }
  }
  return std::nullopt;
}

class Look {
 public:
  explicit Look(std::vector<std::string>& lines) : lines_(lines) {}

  void at(config::ProbeSpec const& probe) {
    probe_ = probe.name.text;
    if (auto const* const tuf = probe.kind.get<tuf::Spec>()) look_at(*tuf);
    if (probe.http.ca_file) look_at(*probe.http.ca_file, "http.ca_file", &why_no_authorities);
    for (auto const& [header, secret] : probe.http.secret_headers) {
      if (!secret.file.empty()) look_at(secret.file, "http.headers." + header, nullptr);
    }
  }

 private:
  using Judge = std::optional<std::string> (*)(std::string const& text);

  void complain(std::string const& field, std::string const& what) {
    lines_.push_back("probe " + probe_ + ": " + field + ": " + what);
  }
  void look_at(tuf::Spec const& tuf) {
    look_at(tuf.root, "tuf.root", &why_no_root);
    look_at(tuf.metadata_url, "tuf.metadata_url");
    if (tuf.targets_url) look_at(*tuf.targets_url, "tuf.targets_url");
  }
  void look_at(fs::path const& file, std::string const& field, Judge judge) {
    if (auto const why = why_hidden(file)) complain(field, file.string() + " " + *why);
    if (judge == nullptr) return;
    auto const text = config::read_file(file, kLargestFile);
    if (!text) return complain(field, text.error().text);
    if (auto const why = judge(text.value())) complain(field, file.string() + " " + *why);
  }
  // A role's file is looked for below it.
  void look_at(config::Url const& url, std::string const& field) {
    if (url.text().ends_with(".json")) {
      complain(field, url.text() + " is a file, expected the folder that it is in");
    }
  }

  std::vector<std::string>& lines_;
  std::string probe_;
};

}  // namespace

std::vector<std::string> look_into_files(config::Config const& config) {
  std::vector<std::string> lines;
  Look look{lines};
  for (auto const& probe : config.probes) {
    if (probe.enabled) look.at(probe);
  }
  return lines;
}

std::string become(std::string const& user) {
  auto const failed = [&user](int error) {
    return "cannot go on as " + user + ": " + std::generic_category().message(error) +
           (error == EPERM ? "; root can" : "");
  };
  std::vector<char> room(65536);
  passwd entry{};
  passwd* found = nullptr;
  if (int const error = ::getpwnam_r(user.c_str(), &entry, room.data(), room.size(), &found);
      error != 0) {
    return failed(error);
  }
  if (found == nullptr) return "there is no user " + user;
  if (::geteuid() == entry.pw_uid) return {};
  if (::initgroups(user.c_str(), entry.pw_gid) != 0 || ::setgid(entry.pw_gid) != 0 ||
      ::setuid(entry.pw_uid) != 0) {
    return failed(errno);
  }
  return {};
}

}  // namespace canary::daemon
