// SPDX-License-Identifier: Apache-2.0
#include "probes/tuf/store.h"

#include <cerrno>
#include <utility>

#include "probes/tuf/known_roles.h"
#include "probes/tuf/role_name.h"
#include "runtime/contract.h"

namespace canary::tuf {
namespace {

constexpr std::string_view kPinFile = "pinned.sha256";
constexpr std::string_view kSightingsFile = "versions.seen";  // no role's file ends so
constexpr std::size_t kPinLimit = 256;

}  // namespace

using runtime::Task;
using runtime::Trace;

Task<StoreResult<std::optional<std::string>>> RoleStore::read(std::string const& role,
                                                              std::size_t limit, Trace trace) {
  return read_file(metadata_file(role), limit, trace);
}

Task<StoreResult<void>> RoleStore::write(std::string const& role, Bytes bytes, Trace trace) {
  return write_file(metadata_file(role), std::move(bytes), trace);
}

Task<StoreResult<void>> RoleStore::forget(std::string const& role, Trace trace) {
  return remove_file(metadata_file(role), trace);
}

Task<StoreResult<std::optional<std::string>>> RoleStore::read_pin(Trace trace) {
  return read_file(std::string(kPinFile), kPinLimit, trace);
}

Task<StoreResult<void>> RoleStore::write_pin(std::string sha256_hex, Trace trace) {
  auto bytes = std::make_shared<std::string const>(std::move(sha256_hex));
  return write_file(std::string(kPinFile), std::move(bytes), trace);
}

Task<StoreResult<RoleStore::Seen>> RoleStore::read_sightings(std::string pin, Time now,
                                                             Trace trace) {
  auto file = co_await read_file(std::string(kSightingsFile), Sightings::kLongestText, trace);
  if (!file && file.error().error != EFBIG) co_return file.error();
  if (!file) co_return Seen{.damaged = true};
  if (!file.value()) co_return Seen{};
  auto job = [text = std::move(*file.value()), pin = std::move(pin), now] {
    return Sightings::parse(text, pin, now);
  };
  auto parsed = co_await parsers_.run(trace, "store.parse_sightings", std::move(job));
  if (!parsed) co_return Seen{.damaged = true};
  co_return Seen{.sightings = std::move(*parsed)};
}

Task<StoreResult<void>> RoleStore::write_sightings(Sightings sightings, std::string pin,
                                                   Trace trace) {
  auto job = [sightings = std::move(sightings), pin = std::move(pin)] {
    return std::make_shared<std::string const>(sightings.text(pin));
  };
  Bytes text = co_await parsers_.run(trace, "store.sightings_text", std::move(job));
  co_return co_await write_file(std::string(kSightingsFile), std::move(text), trace);
}

Task<StoreResult<RoleStore::Roles>> RoleStore::read_roles(std::string pin, Trace trace) {
  auto file = co_await read_file(std::string(kRolesFile), KnownRoles::kLongestText, trace);
  if (!file && file.error().error != EFBIG) co_return file.error();
  bool const there = !file || file.value().has_value();
  std::string text = file && there ? std::move(*file.value()) : std::string{};
  auto job = [text = std::move(text), pin = std::move(pin)] {
    auto parsed = KnownRoles::parse(text, pin);
    bool const good = parsed.has_value();
    auto known = std::make_shared<KnownRoles>(good ? std::move(*parsed) : KnownRoles{pin});
    return std::pair{std::move(known), good};
  };
  auto [known, good] = co_await parsers_.run(trace, "store.parse_roles", std::move(job));
  co_return Roles{.known = std::move(known), .damaged = there && !good};
}

Task<StoreResult<void>> RoleStore::write_roles(Bytes text, Trace trace) {
  return write_file(std::string(kRolesFile), std::move(text), trace);
}

std::filesystem::path RoleStore::roles_file() const { return path_ / kRolesFile; }

std::filesystem::path RoleStore::sightings_file() const { return path_ / kSightingsFile; }

LocalStore::LocalStore(std::filesystem::path folder, runtime::Workers& disk)
    : RoleStore(std::move(folder), disk), disk_(disk) {}

Task<StoreResult<void>> LocalStore::open(Trace trace) {
  runtime::require_loop_thread();
  if (path().empty()) co_return outcome::success();
  auto job = [path = path()] { return StoreFolder::open(path); };
  auto opened = co_await disk_.run(trace, "store.open", std::move(job));
  if (!opened) co_return opened.error();
  folder_ = std::move(opened).value();
  co_return outcome::success();
}

Task<StoreResult<std::optional<std::string>>> LocalStore::read_file(std::string name,
                                                                    std::size_t limit,
                                                                    Trace trace) {
  runtime::require_loop_thread();
  if (folder_ == nullptr) co_return std::optional<std::string>{};
  auto job = [folder = folder_, name = std::move(name), limit] {
    return folder->read(name, limit);
  };
  co_return co_await disk_.run(trace, "store.read", std::move(job));
}

Task<StoreResult<void>> LocalStore::write_file(std::string name, Bytes bytes, Trace trace) {
  runtime::require_loop_thread();
  if (folder_ == nullptr) co_return outcome::success();
  auto job = [folder = folder_, name = std::move(name), bytes = std::move(bytes)] {
    return folder->write(name, *bytes);
  };
  co_return co_await disk_.run(trace, "store.write", std::move(job));
}

Task<StoreResult<void>> LocalStore::remove_file(std::string name, Trace trace) {
  runtime::require_loop_thread();
  if (folder_ == nullptr) co_return outcome::success();
  auto job = [folder = folder_, name = std::move(name)] { return folder->remove(name); };
  co_return co_await disk_.run(trace, "store.forget", std::move(job));
}

}  // namespace canary::tuf
