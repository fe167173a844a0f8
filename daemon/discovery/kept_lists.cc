// SPDX-License-Identifier: Apache-2.0
#include "daemon/discovery/kept_lists.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <optional>
#include <system_error>
#include <utility>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_to.hpp>

#include "probes/tuf/store_folder.h"

namespace canary::daemon {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr int kFormat = 2;
constexpr int kWithoutAddress = 1;  // it had a short sum there, which two sources could share
constexpr std::size_t kMostBytes = 8 * config::kMaxListBytes;  // JSON makes six of some bytes

fs::path file_of(fs::path const& directory, std::string const& source) {
  return directory / (source + ".json");  // names are those of files: config::is_name()
}

std::string text_of(FetchedList const& list) {
  json::array parts;
  for (auto const& part : list.parts) {
    parts.push_back(json::object{{"place", make_harmless(part.place, 4096)}, {"text", part.text}});
  }
  json::value fetched;
  if (list.fetched) fetched = list.fetched->time_since_epoch().count();
  return json::serialize(json::object{{"format", kFormat},
                                      {"source", list.source},
                                      {"address", list.address},
                                      {"etag", list.etag},
                                      {"fetched_ms", std::move(fetched)},
                                      {"parts", std::move(parts)}});
}

std::optional<SysTime> at(json::value const& milliseconds) {
  if (milliseconds.is_null()) return std::nullopt;
  return SysTime{std::chrono::milliseconds{milliseconds.to_number<std::int64_t>()}};
}

// Throws where it is not what was written.
FetchedList list_of(std::string const& text) {
  json::value const all = json::parse(text);
  auto const format = all.at("format").to_number<int>();
  if (format != kFormat && format != kWithoutAddress) {
    throw std::runtime_error("it is of another version of canaryd");
  }
  FetchedList list;
  list.source = json::value_to<std::string>(all.at("source"));
  if (format == kFormat) list.address = json::value_to<std::string>(all.at("address"));
  list.etag = json::value_to<std::string>(all.at("etag"));
  list.fetched = at(all.at("fetched_ms"));
  for (auto const& part : all.at("parts").as_array()) {
    list.parts.push_back({.place = json::value_to<std::string>(part.at("place")),
                          .text = json::value_to<std::string>(part.at("text"))});
  }
  return list;
}

std::optional<SysTime> time_of(fs::path const& file) {
  struct ::stat status{};
  if (::stat(file.c_str(), &status) != 0) return std::nullopt;
  auto const since = std::chrono::seconds{status.st_mtim.tv_sec} +
                     std::chrono::nanoseconds{status.st_mtim.tv_nsec};
  return SysTime{std::chrono::floor<std::chrono::milliseconds>(since)};
}

// A clock was wrong, then or now: how old it is nobody knows.
std::optional<SysTime> unless_later(std::optional<SysTime> time, SysTime now) {
  return time && *time <= now ? time : std::nullopt;
}

// Nothing where there is none.
Result<FetchedListPointer, std::string> read_kept(fs::path const& file, SysTime now) {
  auto const bytes = tuf::read_whole_file(file, kMostBytes);
  if (!bytes) return sentence(bytes.error());
  if (!bytes.value()) return FetchedListPointer{};
  try {
    auto list = std::make_shared<FetchedList>(list_of(*bytes.value()));
    list->fetched = unless_later(list->fetched, now);
    list->confirmed = std::max(list->fetched, unless_later(time_of(file), now));
    return FetchedListPointer{std::move(list)};
  } catch (std::exception const& damaged) {
    return file.string() + ": " + damaged.what();
  }
}

}  // namespace

std::string keep_list(fs::path const& directory, FetchedList const& list) {
  if (auto const made = tuf::make_folders(directory); !made) return sentence(made.error());
  std::error_code ignored;
  fs::permissions(directory, fs::perms::owner_all, ignored);  // a list's URLs may hold secrets
  auto const written = tuf::replace_file(file_of(directory, list.source), text_of(list));
  return written ? std::string{} : sentence(written.error());
}

std::string touch_list(fs::path const& directory, std::string const& source) {
  auto const file = file_of(directory, source);
  if (::utimensat(AT_FDCWD, file.c_str(), nullptr, 0) == 0) return {};
  return "cannot touch " + file.string() + ": " + std::generic_category().message(errno);
}

KeptLists read_kept_lists(fs::path const& directory,
                          std::vector<config::DiscoverySource> const& sources, SysTime now) {
  KeptLists kept;
  for (auto const& source : sources) {
    auto list = read_kept(file_of(directory, source.name), now);
    if (!list) {
      kept.unusable.push_back(list.error());
    } else if (list.value() && list.value()->source == source.name) {
      kept.lists.push_back(std::move(list).value());
    }
  }
  return kept;
}

}  // namespace canary::daemon
