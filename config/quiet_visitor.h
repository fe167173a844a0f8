// SPDX-License-Identifier: Apache-2.0
// A visitor that goes into every section and does nothing with a field: for those that want a few.
// Thread: none (pure).
#pragma once

#include "config/fields.h"

namespace canary::config {

class QuietVisitor : public FieldVisitor {
 public:
  void section(std::string_view name, std::function<void()> const& inside) override {
    path_.emplace_back(name);
    inside();
    path_.pop_back();
  }
  void flag(Field, bool&) override {}
  void integer(Field, int&, int, int) override {}
  void duration(Field, milliseconds&, milliseconds, milliseconds) override {}
  void size(Field, std::uint64_t&, std::uint64_t, std::uint64_t) override {}
  void choice(Field, std::size_t&, std::vector<std::string> const&) override {}
  void label(Field, std::string&) override {}
  void text(Field, std::optional<std::string>&, std::size_t, Wrong const&) override {}
  void text(Field, std::string&, std::size_t, Wrong const&) override {}
  void texts(Field, std::vector<std::string>&, Most, Wrong const&) override {}
  void url(Field, Url&) override {}
  void url(Field, std::optional<Url>&) override {}
  void folder(Field, std::filesystem::path&) override {}
  void folder(Field, std::optional<std::filesystem::path>&) override {}
  void file(Field, std::filesystem::path&) override {}
  void file(Field, std::optional<std::filesystem::path>&) override {}
  void addresses(Field, std::vector<std::string>&) override {}
  void proxy(Field, HttpSettings&) override {}
  void headers(Field, HttpSettings&) override {}
  void credentials(Field, std::optional<Secret>&) override {}
  void selection(Field, Selection&, std::string_view) override {}
  void threshold(Field, ExpiryThreshold&) override {}
  void accept(Field, std::vector<AcceptSpec>&) override {}
  void maintenance(Field, std::vector<MaintenanceWindow>&) override {}
  void discovery(Field, std::vector<DiscoverySource>&) override {}
  void thresholds_by_name(Field, std::map<std::string, ExpiryThresholds>&, ExpiryThresholds const&,
                          std::string_view) override {}
  void require(bool, std::string_view, std::string) override {}

 protected:
  // The sections around the field that is visited.
  std::vector<std::string> const& path() const { return path_; }
  std::vector<std::string> path_to(Field field) const {
    auto path = path_;
    path.emplace_back(field.name);
    return path;
  }

 private:
  std::vector<std::string> path_;
};

}  // namespace canary::config
