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

struct ReadOptions {
  std::filesystem::path folder;    // relative paths start here; absolute
  Environment const* environment;  // for secrets
  bool use_files = true;  // false (a probe turned off): files and secrets need not be there
};

// A field that is missing leaves its value alone; one that is wrong is a problem and does too.
class Reader : public FieldVisitor {
 public:
  Reader(yaml::Fields& fields, ReadOptions options);

  void section(std::string_view name, std::function<void()> const& inside) override;
  void flag(std::string_view name, bool& value) override;
  void integer(std::string_view name, int& value, int least, int most) override;
  void duration(std::string_view name, milliseconds& value, milliseconds least,
                milliseconds most) override;
  void size(std::string_view name, std::uint64_t& value, std::uint64_t least,
            std::uint64_t most) override;
  void choice(std::string_view name, std::size_t& value,
              std::vector<std::string> const& names) override;
  void label(std::string_view name, std::string& value) override;
  void url(std::string_view name, Url& value) override;
  void url(std::string_view name, std::optional<Url>& value) override;
  void folder(std::string_view name, std::filesystem::path& value) override;
  void file(std::string_view name, std::filesystem::path& value) override;
  void file(std::string_view name, std::optional<std::filesystem::path>& value) override;
  void addresses(std::string_view name, std::vector<std::string>& value) override;
  void proxy(std::string_view name, HttpSettings& value) override;
  void headers(std::string_view name, HttpSettings& value) override;
  void credentials(std::string_view name, std::optional<Secret>& value) override;
  void targets(std::string_view name, TargetSelection& value) override;
  void threshold(std::string_view name, ExpiryThreshold& value) override;
  void accept(std::string_view name, std::vector<AcceptSpec>& value) override;
  void roles(std::string_view name, std::map<std::string, ExpiryThresholds>& value,
             ExpiryThresholds const& otherwise) override;
  void require(bool holds, std::string_view name, std::string message) override;

 private:
  std::optional<std::filesystem::path> path_at(yaml::Cursor const& at, bool readable);
  void header(yaml::Cursor const& at, std::string const& name, HttpSettings& value);
  // {file: PATH} or {environment: NAME}; `fit` says what is wrong with a value without repeating
  // it.
  std::optional<Secret> secret_at(yaml::Cursor const& at,
                                  std::string (*fit)(std::string const& value));
  Result<std::string, ReadError> variable_value(std::string const& name) const;
  std::optional<AcceptSpec> acceptance(yaml::Cursor const& at);  // `at` is the present section
  void inside(yaml::Cursor const& at, std::function<void()> const& read);

  yaml::Fields* fields_;  // of the section being read
  ReadOptions options_;
  std::size_t problems_before_;  // when the section began: broken fields break no further rules
};

}  // namespace canary::config
