// SPDX-License-Identifier: Apache-2.0
// Loads the main file and what it includes into one Config, collecting every problem.
// Thread: any but the loop's (reads files).
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <system_error>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "config/config.h"
#include "config/fields.h"
#include "config/probe_reader.h"
#include "config/reader.h"
#include "config/touched_files.h"
#include "config/yaml.h"

namespace canary::config {
namespace {

using std::filesystem::path;

// The folder of `file`, absolute, so that a later chdir changes nothing.
path folder_of(path const& file) {
  std::error_code ignored;
  auto const absolute = std::filesystem::absolute(file, ignored);
  return (ignored ? file : absolute).lexically_normal().parent_path();
}

// A folder that is not there matches nothing; one that can't be read is a problem.
int glob_error(char const*, int error) { return error == ENOENT || error == ENOTDIR ? 0 : 1; }

class Loader {
 public:
  Loader(Environment const& environment, Kinds const& kinds)
      : environment_(environment), kinds_(kinds), probes_(options({}), built_in_defaults(kinds)) {}

  Result<Config, std::vector<Problem>> load(path const& file);

 private:
  std::optional<yaml::Item> parse(path const& file);
  void read_main(yaml::Item const& root, path const& file);
  void read_included(path const& file);
  void read_defaults(yaml::Cursor const& at, path const& folder);
  ReadOptions options(path const& folder) const {
    return {.folder = folder, .environment = &environment_, .kinds = &kinds_};
  }
  std::vector<path> included_files(yaml::Cursor const& at, path const& main_file);
  void match(yaml::Cursor const& at, path const& main_file, std::vector<path>& files);
  bool is_new(std::string const& file);
  void sort_problems();

  Environment const& environment_;
  Kinds const& kinds_;
  Problems problems_;
  std::vector<std::string> files_;          // in the order of reading
  std::set<std::pair<dev_t, ino_t>> seen_;  // files that are read, whatever they are called
  Config config_;
  ProbeReader probes_;
};

Result<Config, std::vector<Problem>> Loader::load(path const& file) {
  if (auto const root = parse(file)) read_main(*root, file);
  if (problems_.empty()) return std::move(config_);
  sort_problems();
  return problems_.take();
}

std::optional<yaml::Item> Loader::parse(path const& file) {
  files_.push_back(file.string());
  return yaml::parse_file(file, problems_);
}

void Loader::read_main(yaml::Item const& root, path const& file) {
  yaml::Cursor const top(root, file.string(), problems_);
  yaml::Fields fields(top);
  if (!fields.is_mapping()) return;
  auto const folder = folder_of(file);
  Reader reader(fields, options(folder));
  describe(reader, config_);
  probes_.waits().set_limit(config_.watchdog.run_stall, fields.find("watchdog"));
  if (auto const at = fields.find("defaults")) read_defaults(*at, folder);
  auto const include = fields.find("include");
  bool const none_meant = probes_.read(fields, folder);
  fields.refuse_unknown();
  if (include) {
    for (auto const& included : included_files(*include, file)) read_included(included);
  }
  config_.probes = probes_.take(true);
  auto const windows = fields.find("maintenance");
  bool const all_known = config_.discovery.empty();  // else a list may bring what a window names
  if (windows && all_known && problems_.empty()) refuse_unknown_probes(*windows, config_.probes);
  if (!all_known) config_.defaults = probes_.defaults();
  if (config_.probes.empty() && all_known && problems_.empty() && !none_meant) {
    problems_.add({file.string(), 0, 0, "probes",
                   include ? "expected at least one probe here or in a file that include "
                             "matches, got none"
                           : "expected at least one probe, got none",
                   ""});
  }
}

void Loader::read_included(path const& file) {
  auto const root = parse(file);
  if (!root) return;
  yaml::Cursor const top(*root, file.string(), problems_);
  yaml::Fields fields(top);
  if (!fields.is_mapping()) return;
  probes_.read(fields, folder_of(file));
  refuse_main_fields(fields);
  fields.refuse_unknown();
}

void Loader::read_defaults(yaml::Cursor const& at, path const& folder) {
  auto const before = problems_.count();
  yaml::Fields fields(at);
  if (!fields.is_mapping()) return;
  ProbeSpec common;
  Reader reader(fields, options(folder));
  auto& defaults = probes_.defaults();
  auto const in_http = std::ranges::find(defaults, kHttpSection,
                                         [](ProbeSpec const& probe) { return probe.kind.name(); });
  describe_common(reader, common, true, [&] {
    if (in_http != defaults.end()) in_http->kind.visit_defaults(reader);
  });
  for (ProbeSpec& probe : defaults) {
    probe.interval = common.interval;
    probe.timeout = common.timeout;
    probe.http = common.http;
    probe.accept = common.accept;
    if (probe.kind.name() == kHttpSection) continue;
    reader.section(probe.kind.name(), [&] { probe.kind.visit_defaults(reader); });
  }
  fields.refuse_unknown();
  if (before == problems_.count()) probes_.waits().set_defaults(at);
}

std::vector<path> Loader::included_files(yaml::Cursor const& at, path const& main_file) {
  std::vector<path> files;
  is_new(main_file.string());
  if (at.is_scalar()) {
    match(at, main_file, files);
    return files;
  }
  auto const list = at.list("a pattern such as conf.d/*.yml, or a list of them");
  if (!list) return files;
  for (auto const& pattern : *list) match(pattern, main_file, files);
  return files;
}

// Whether nothing of that name was read so far, by this or another name; it is from now on.
bool Loader::is_new(std::string const& file) {
  about_to_touch(file);
  struct ::stat status{};
  if (::stat(file.c_str(), &status) != 0) return true;  // reading it says why
  return seen_.emplace(status.st_dev, status.st_ino).second;
}

// Adds the files that the pattern at `at` matches, sorted; each file once, never the main one.
void Loader::match(yaml::Cursor const& at, path const& main_file, std::vector<path>& files) {
  auto const pattern = at.text("a pattern such as conf.d/*.yml");
  if (!pattern) return;
  bool const open_bracket = std::ranges::count(*pattern, '[') > std::ranges::count(*pattern, ']');
  if (pattern->empty() || open_bracket || pattern->find("**") != std::string::npos) {
    at.fail("expected a pattern with *, ? and [...] such as conf.d/*.yml, got " + at.got());
    return;
  }
  std::string whole;
  if (!pattern->starts_with('/')) {
    for (char const c : main_file.parent_path().string()) {
      if (std::string_view("*?[]\\").find(c) != std::string_view::npos) whole += '\\';
      whole += c;
    }
    if (!whole.empty() && !whole.ends_with('/')) whole += '/';
  }
  whole += *pattern;
  about_to_touch(whole);
  glob_t matches{};
  int const status = ::glob(whole.c_str(), 0, glob_error, &matches);
  std::set<std::string> found;
  for (std::size_t i = 0; status == 0 && i < matches.gl_pathc; ++i) {
    found.emplace(matches.gl_pathv[i]);
  }
  ::globfree(&matches);
  bool const wild = pattern->find_first_of("*?[") != std::string::npos;
  if ((status != 0 && status != GLOB_NOMATCH) || (found.empty() && !wild)) {
    at.fail("no file can be read there, got " + at.got());
  }
  for (auto const& file : found) {
    if (is_new(file)) files.emplace_back(file);
  }
}

void Loader::sort_problems() {
  std::unordered_map<std::string_view, std::size_t> order;
  for (std::string const& file : files_) order.emplace(file, order.size());
  auto const place = [&](Problem const& problem) {
    auto const file = order.find(problem.file.text());
    return std::tuple(file == order.end() ? order.size() : file->second, problem.line,
                      problem.column, std::string_view{problem.field.text()},
                      std::string_view{problem.message.text()});
  };
  problems_.sort(place);
}

}  // namespace

Environment process_environment() {
  Environment result;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    std::string_view const text(*entry);
    auto const equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    result.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return result;
}

std::string check_vantage(std::string const& name) {
  if (is_name(name)) return {};
  return "expected letters, digits, '_', '.', ':' and '-', got \"" + name + "\"";
}

void keep_shard(Config& config) {
  std::erase_if(config.probes, [&config](ProbeSpec const& probe) {
    bool const own = shard_of(probe.name.text, config.shard.count) == config.shard.index;
    if (!own && probe.enabled) ++config.elsewhere;
    if (!own) config.names_elsewhere.push_back(probe.name.text);
    return !own;
  });
}

Result<Config, std::vector<Problem>> load(std::filesystem::path const& file,
                                          Environment const& environment, Kinds const& kinds) {
  return Loader(environment, kinds).load(file);
}

}  // namespace canary::config
