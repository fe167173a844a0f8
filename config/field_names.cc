// SPDX-License-Identifier: Apache-2.0
// Lists the fields of the configuration by visiting their description.
// Thread: none (pure).
#include "config/fields.h"

namespace canary::config {
namespace {

class Lister : public FieldVisitor {
 public:
  void section(std::string_view name, std::function<void()> const& inside) override {
    auto const outer = prefix_;
    prefix_ += std::string(name) + ".";
    inside();
    prefix_ = outer;
  }
  void add(std::string_view name) { names_.push_back(prefix_ + std::string(name)); }
  std::vector<std::string> take() { return std::move(names_); }

  void flag(std::string_view name, bool&) override { add(name); }
  void integer(std::string_view name, int&, int, int) override { add(name); }
  void duration(std::string_view name, milliseconds&, milliseconds, milliseconds) override {
    add(name);
  }
  void size(std::string_view name, std::uint64_t&, std::uint64_t, std::uint64_t) override {
    add(name);
  }
  void choice(std::string_view name, std::size_t&, std::vector<std::string> const&) override {
    add(name);
  }
  void label(std::string_view name, std::string&) override { add(name); }
  void url(std::string_view name, Url&) override { add(name); }
  void url(std::string_view name, std::optional<Url>&) override { add(name); }
  void folder(std::string_view name, std::filesystem::path&) override { add(name); }
  void file(std::string_view name, std::filesystem::path&) override { add(name); }
  void file(std::string_view name, std::optional<std::filesystem::path>&) override { add(name); }
  void addresses(std::string_view name, std::vector<std::string>&) override { add(name); }
  void proxy(std::string_view name, HttpSettings&) override { add(name); }
  void headers(std::string_view name, HttpSettings&) override { add(name); }
  void credentials(std::string_view name, std::optional<Secret>&) override { add(name); }
  void targets(std::string_view name, TargetSelection&) override { add(name); }
  void threshold(std::string_view name, ExpiryThreshold&) override { add(name); }
  void accept(std::string_view name, std::vector<AcceptSpec>&) override {
    section(name, [this] {
      for (auto const* field : {"finding", "because", "until", "severity"}) add(field);
    });
  }
  void roles(std::string_view name, std::map<std::string, ExpiryThresholds>&,
             ExpiryThresholds const&) override {
    add(name);
  }
  void require(bool, std::string_view, std::string) override {}

 private:
  std::string prefix_;
  std::vector<std::string> names_;
};

}  // namespace

std::vector<std::string> field_names() {
  Lister lister;
  Config config;
  ProbeSpec probe;
  TufSpec tuf;
  describe(lister, config);
  lister.add("include");
  lister.section("defaults", [&] {
    describe_common(lister, probe);
    lister.section("tuf", [&] { describe_defaults(lister, tuf); });
  });
  lister.section("probes[]", [&] {
    for (auto const* name : {"name", "repository", "enabled"}) lister.add(name);
    describe_common(lister, probe);
    lister.section("tuf", [&] { describe(lister, tuf); });
  });
  return lister.take();
}

}  // namespace canary::config
