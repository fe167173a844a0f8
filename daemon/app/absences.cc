// SPDX-License-Identifier: Apache-2.0
#include "daemon/app/absences.h"

#include <set>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <unordered_set>
#include <utility>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "config/url.h"
#include "probes/tuf/store_folder.h"

namespace canary::daemon {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using std::chrono::seconds;

constexpr int kFormat = 1;
constexpr std::size_t kMostBytes = std::size_t{64} << 20;
constexpr std::string_view kResults = ".json";

using Names = std::set<std::string>;

// What canaryd made there for probes: folders, or files that end in `suffix`. Nothing else is told.
Result<Names, std::string> names_in(fs::path const& directory, std::string_view suffix) {
  Names names;
  std::error_code failed;
  fs::directory_iterator at{directory, failed};
  if (failed == std::errc::no_such_file_or_directory) return names;
  for (; !failed && at != fs::directory_iterator{}; at.increment(failed)) {
    std::error_code ignored;
    auto const type = at->symlink_status(ignored).type();
    if (type != (suffix.empty() ? fs::file_type::directory : fs::file_type::regular)) continue;
    std::string file = at->path().filename().string();
    if (!file.ends_with(suffix)) continue;
    file.resize(file.size() - suffix.size());
    auto name = config::percent_decode(file);
    if (!name || !config::is_probe_name(*name) || config::percent_encode(*name) != file) continue;
    names.insert(std::move(*name));
  }
  if (failed) return "cannot read " + directory.string() + ": " + failed.message();
  return names;
}

// Throws where it is not what was written.
Absences absences_of(std::string const& text) {
  json::value const all = json::parse(text);
  if (all.at("format").to_number<int>() != kFormat) {
    throw std::runtime_error("it is of another version of canaryd");
  }
  Absences absences;
  for (auto const& [name, counted] : all.at("absent_seconds").as_object()) {
    absences.emplace(name, seconds{counted.to_number<std::uint32_t>()});
  }
  return absences;
}

// What cannot be read is counted anew.
Absences read_record(fs::path const& record, std::vector<std::string>& troubles) {
  auto const bytes = tuf::read_whole_file(record, kMostBytes);
  if (!bytes) {
    troubles.push_back(sentence(bytes.error()));
    return {};
  }
  if (!bytes.value()) return {};
  try {
    return absences_of(*bytes.value());
  } catch (std::exception const& damaged) {
    troubles.push_back(record.string() + ": " + damaged.what());
    return {};
  }
}

void write_record(fs::path const& record, Absences const& absences,
                  std::vector<std::string>& troubles) {
  json::object counted;
  for (auto const& [name, time] : absences) counted.emplace(name, time.count());
  auto const text =
      json::serialize(json::object{{"format", kFormat}, {"absent_seconds", std::move(counted)}});
  auto const written = tuf::replace_file(record, text);
  if (!written) troubles.push_back(sentence(written.error()));
}

}  // namespace

Result<AbsenceLook, std::string> look_for_absent(AbsencePlaces const& places,
                                                 std::vector<std::string> const& known,
                                                 std::optional<Absences> before, seconds since,
                                                 config::RemovedProbesSettings const& settings) {
  BOOST_OUTCOME_TRY(auto const results, names_in(places.results, kResults));
  BOOST_OUTCOME_TRY(auto const trust, names_in(places.trust, ""));
  AbsenceLook look;
  auto const counted = before ? *std::move(before) : read_record(places.record, look.troubles);
  std::unordered_set<std::string_view> const here{known.begin(), known.end()};
  for (auto const* names : {&results, &trust}) {
    for (auto const& name : *names) {
      if (here.contains(name)) continue;
      auto const seen = counted.find(name);
      look.absent.emplace(name, seen == counted.end() ? seconds{0} : seen->second + since);
    }
  }
  for (auto const& [name, absent] : look.absent) {
    if (absent >= settings.results && results.contains(name)) look.results.push_back(name);
    if (absent >= settings.trust && trust.contains(name)) look.trust.push_back(name);
  }
  if (look.absent != counted) write_record(places.record, look.absent, look.troubles);
  return look;
}

}  // namespace canary::daemon
