// SPDX-License-Identifier: Apache-2.0
// Reads described fields from a YAML mapping over the values they have already.
// Thread: any but the loop's (looks at files).
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/fields.h"
#include "config/yaml.h"

namespace canary::config {

// A list from outside: it may read nothing of this machine but what it is given.
struct FromList {
  std::optional<std::filesystem::path> files;  // the folder whose files it may name
};

struct ReadOptions {
  std::filesystem::path folder;    // relative paths start here; absolute
  Environment const* environment;  // for secrets
  Kinds const* kinds;              // whose words for findings are known
  bool use_files = true;  // false (a probe turned off): files and secrets need not be there
  std::optional<FromList> list = {};  // nothing: the main file, or one that it includes
};

// A field that is missing leaves its value alone; one that is wrong is a problem and does too.
class Reader : public FieldVisitor {
 public:
  Reader(yaml::Fields& fields, ReadOptions options);

  void section(std::string_view name, std::function<void()> const& inside) override;
  void flag(Field field, bool& value) override;
  void integer(Field field, int& value, int least, int most) override;
  void duration(Field field, milliseconds& value, milliseconds least, milliseconds most) override;
  void size(Field field, std::uint64_t& value, std::uint64_t least, std::uint64_t most) override;
  void choice(Field field, std::size_t& value, std::vector<std::string> const& names) override;
  void label(Field field, std::string& value) override;
  void text(Field field, std::optional<std::string>& value, std::size_t most,
            Wrong const& wrong) override;
  void text(Field field, std::string& value, std::size_t most, Wrong const& wrong) override;
  void texts(Field field, std::vector<std::string>& value, Most most, Wrong const& wrong) override;
  void url(Field field, Url& value) override;
  void url(Field field, std::optional<Url>& value) override;
  void folder(Field field, std::filesystem::path& value) override;
  void folder(Field field, std::optional<std::filesystem::path>& value) override;
  void file(Field field, std::filesystem::path& value) override;
  void file(Field field, std::optional<std::filesystem::path>& value) override;
  void addresses(Field field, std::vector<std::string>& value) override;
  void proxy(Field field, HttpSettings& value) override;
  void headers(Field field, HttpSettings& value) override;
  void credentials(Field field, std::optional<Secret>& value) override;
  void selection(Field field, Selection& value, std::string_view what) override;
  void threshold(Field field, ExpiryThreshold& value) override;
  void accept(Field field, std::vector<AcceptSpec>& value) override;
  void maintenance(Field field, std::vector<MaintenanceWindow>& value) override;
  void discovery(Field field, std::vector<DiscoverySource>& value) override;
  void thresholds_by_name(Field field, std::map<std::string, ExpiryThresholds>& value,
                          ExpiryThresholds const& otherwise, std::string_view what) override;
  void require(bool holds, std::string_view name, std::string message) override;

 private:
  std::optional<std::filesystem::path> path_at(yaml::Cursor const& at, bool readable);
  // Of a list: a file inside of the folder that its source names.
  std::optional<std::filesystem::path> path_of_list(yaml::Cursor const& at, std::string const& name,
                                                    bool readable);
  std::optional<DiscoverySource> discovery_source(yaml::Cursor const& at);
  void header(yaml::Cursor const& at, std::string const& name, HttpSettings& value);
  // {file: PATH} or {environment: NAME}; `fit` says what is wrong with a value without repeating
  // it.
  std::optional<Secret> secret_at(yaml::Cursor const& at,
                                  std::string (*fit)(std::string const& value));
  Result<std::string, ReadError> variable_value(std::string const& name) const;
  std::optional<AcceptSpec> acceptance(yaml::Cursor const& at);  // `at` is the present section
  // Likewise.
  std::optional<MaintenanceWindow> maintenance_window(yaml::Cursor const& at);
  bool read_finding(yaml::Cursor const& at, AcceptSpec& entry) const;
  void inside(yaml::Cursor const& at, std::function<void()> const& read);

  yaml::Fields* fields_;  // of the section being read
  ReadOptions options_;
  std::size_t problems_before_;  // when the section began: broken fields break no further rules
};

// A name or pattern in the `probes` of a window that is none of `probes` is a problem. The windows
// themselves were read before.
void refuse_unknown_probes(yaml::Cursor const& windows, std::vector<ProbeSpec> const& probes);

}  // namespace canary::config
