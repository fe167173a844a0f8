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
#include "config/reader.h"
#include "config/touched_files.h"
#include "config/waits.h"
#include "config/yaml.h"

namespace canary::config {
namespace {

using std::filesystem::path;

constexpr std::size_t kMaxNameBytes = 100;

// What probes start from, one per kind.
using Defaults = std::vector<ProbeSpec>;

bool is_name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_.:-").find(c) != std::string_view::npos;
}

bool is_name(std::string_view text) { return std::ranges::all_of(text, is_name_byte); }

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
      : environment_(environment), kinds_(kinds) {
    for (Kind const& kind : kinds) {
      ProbeSpec& probe = defaults_.emplace_back();
      probe.kind = kind.spec;
    }
  }

  Result<Config, std::vector<Problem>> load(path const& file);

 private:
  std::optional<yaml::Item> parse(path const& file);
  void read_main(yaml::Item const& root, path const& file);
  void read_included(path const& file);
  void read_defaults(yaml::Cursor const& at, path const& folder);
  bool read_probes(yaml::Fields& fields, path const& folder);
  void read_probe(yaml::Cursor const& at, path const& folder);
  std::optional<std::size_t> find_kind(yaml::Fields& fields);
  void refuse_http(yaml::Fields& fields, ProbeSpec const& probe);
  ReadOptions options(path const& folder, bool use_files = true) const {
    return {folder, &environment_, &kinds_, use_files};
  }
  std::optional<std::string> read_name(yaml::Fields& fields);
  std::vector<path> included_files(yaml::Cursor const& at, path const& main_file);
  void match(yaml::Cursor const& at, path const& main_file, std::vector<path>& files);
  bool is_new(std::string const& file);
  void sort_problems();

  Environment const& environment_;
  Kinds const& kinds_;
  std::vector<Problem> problems_;
  std::vector<std::string> files_;                  // in the order of reading
  std::set<std::pair<dev_t, ino_t>> seen_;          // files that are read, whatever they are called
  std::map<std::string, std::string> first_place_;  // of a probe's name: "file:line"
  Config config_;
  Defaults defaults_;
  WaitRule waits_;
};

Result<Config, std::vector<Problem>> Loader::load(path const& file) {
  if (auto const root = parse(file)) read_main(*root, file);
  if (problems_.empty()) return std::move(config_);
  sort_problems();
  return std::move(problems_);
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
  waits_.set_limit(config_.watchdog.run_stall, fields.find("watchdog"));
  if (auto const at = fields.find("defaults")) read_defaults(*at, folder);
  auto const include = fields.find("include");
  bool const none_meant = read_probes(fields, folder);
  fields.refuse_unknown();
  if (include) {
    for (auto const& included : included_files(*include, file)) read_included(included);
  }
  auto const windows = fields.find("maintenance");
  if (windows && problems_.empty()) refuse_unknown_probes(*windows, config_.probes);
  if (config_.probes.empty() && problems_.empty() && !none_meant) {
    problems_.push_back({file.string(), 0, 0, "probes",
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
  read_probes(fields, folder_of(file));
  for (auto const* name :
       {"state_directory", "include", "web", "log", "scheduler", "watchdog", "history", "metrics",
        "maintenance", "remote_write", "shard", "vantage", "workers", "defaults"}) {
    if (auto const at = fields.find(name)) at->fail("belongs into the main file, expected probes");
  }
  fields.refuse_unknown();
}

void Loader::read_defaults(yaml::Cursor const& at, path const& folder) {
  auto const before = problems_.size();
  yaml::Fields fields(at);
  if (!fields.is_mapping()) return;
  ProbeSpec common;
  Reader reader(fields, options(folder));
  auto const in_http = std::ranges::find(defaults_, kHttpSection,
                                         [](ProbeSpec const& probe) { return probe.kind.name(); });
  describe_common(reader, common, true, [&] {
    if (in_http != defaults_.end()) in_http->kind.visit_defaults(reader);
  });
  for (ProbeSpec& probe : defaults_) {
    probe.interval = common.interval;
    probe.timeout = common.timeout;
    probe.http = common.http;
    probe.accept = common.accept;
    if (probe.kind.name() == kHttpSection) continue;
    reader.section(probe.kind.name(), [&] { probe.kind.visit_defaults(reader); });
  }
  fields.refuse_unknown();
  if (before == problems_.size()) waits_.set_defaults(at);
}

// True where `probes: []` says that none are meant here.
bool Loader::read_probes(yaml::Fields& fields, path const& folder) {
  auto const at = fields.find("probes");
  auto const list = at ? at->list("a list of probes") : std::nullopt;
  if (!list) return false;
  for (auto const& probe : *list) read_probe(probe, folder);
  return list->empty();
}

void Loader::read_probe(yaml::Cursor const& at, path const& folder) {
  auto const before = problems_.size();
  yaml::Fields fields(at);
  if (!fields.is_mapping()) return;
  if (at.kind() == yaml::Item::Kind::nothing) {
    at.fail("expected a probe, got nothing");
    return;
  }
  auto const name = read_name(fields);
  bool enabled = true;
  Reader(fields, options(folder)).flag({"enabled"}, enabled);
  Reader reader(fields, options(folder, enabled));
  auto const kind = find_kind(fields);
  auto probe = defaults_[kind.value_or(0)];
  probe.enabled = enabled;
  if (name) probe.name.text = probe.repository = *name;
  reader.label({"repository"}, probe.repository);
  if (kind) {
    describe_probe(reader, probe);
    if (!probe.kind.fetches()) refuse_http(fields, probe);
  } else {
    describe_common(reader, probe, true);
  }
  fields.refuse_unknown();
  if (before == problems_.size()) waits_.check(at, probe);
  config_.probes.push_back(std::move(probe));
}

std::optional<std::string> Loader::read_name(yaml::Fields& fields) {
  auto const at = fields.find("name");
  if (!at) {
    fields.self().fail("field missing: expected name");
    return std::nullopt;
  }
  auto name = at->text("a name");
  if (!name) return std::nullopt;
  if (name->empty() || name->size() > kMaxNameBytes || !is_name(*name)) {
    at->fail("expected 1 to 100 letters, digits, '_', '.', ':' and '-', got " + at->got());
    return std::nullopt;
  }
  auto const here = at->file() + ":" + std::to_string(at->line());
  if (*name == "." || *name == "..") {  // its folder in the state directory has its name
    at->fail("expected a name, got the one of a folder: " + *name);
    return std::nullopt;
  }
  auto const [first, added] = first_place_.emplace(*name, here);
  if (!added) at->fail("the name " + *name + " is taken, first at " + first->second);
  return name;
}

std::optional<std::size_t> Loader::find_kind(yaml::Fields& fields) {
  std::vector<std::size_t> found;
  std::optional<std::size_t> http;  // beside another kind, its section is the client's
  std::string names;
  for (std::size_t kind = 0; kind < kinds_.size(); ++kind) {
    std::string const name{kinds_[kind].spec.name()};
    names += (kind == 0 ? "" : ", ") + name;
    if (!fields.find(name)) continue;
    if (name == kHttpSection) {
      http = kind;
    } else {
      found.push_back(kind);
    }
  }
  if (found.empty() && http) return http;
  if (found.size() == 1) return found[0];
  fields.self().fail("expected exactly one kind of probe (" + names + "), got " +
                     std::to_string(found.size()));
  return std::nullopt;
}

void Loader::refuse_http(yaml::Fields& fields, ProbeSpec const& probe) {
  auto const at = fields.find(kHttpSection);
  std::string const kind{probe.kind.name()};
  if (at) at->fail("a probe of the kind " + kind + " sends no HTTP requests: expected no http");
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
  std::ranges::sort(problems_, {}, place);
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
    return !own;
  });
}

Result<Config, std::vector<Problem>> load(std::filesystem::path const& file,
                                          Environment const& environment, Kinds const& kinds) {
  return Loader(environment, kinds).load(file);
}

}  // namespace canary::config
