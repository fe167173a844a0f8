// SPDX-License-Identifier: Apache-2.0
// Writes the documentation's tables of fields from their description.
// Thread: none (pure).
#include <utility>

#include "config/duration.h"
#include "config/fields.h"

namespace canary::config {
namespace {

std::string code(std::string_view text) { return "`" + std::string{text} + "`"; }

class Rows : public FieldVisitor {
 public:
  void section(std::string_view name, std::function<void()> const& inside) override {
    auto const outer = prefix_;
    prefix_ += std::string(name) + ".";
    inside();
    prefix_ = outer;
  }
  void add(Field field, std::string_view initially, std::string const& range = {}) {
    FieldRow& row = rows_.emplace_back();
    row.path = prefix_ + std::string(field.name);
    row.initially = field.absent.empty() ? initially : field.absent;
    row.text = field.text;
    if (!range.empty()) row.text += (row.text.empty() ? "" : "; ") + range;
  }
  std::vector<FieldRow> take() { return std::move(rows_); }

  void flag(Field field, bool& value) override { add(field, code(value ? "true" : "false")); }
  void integer(Field field, int& value, int least, int most) override {
    add(field, code(std::to_string(value)), std::to_string(least) + " to " + std::to_string(most));
  }
  void duration(Field field, milliseconds& value, milliseconds least, milliseconds most) override {
    add(field, code(to_text(value)), to_text(least) + " to " + to_text(most));
  }
  void size(Field field, std::uint64_t& value, std::uint64_t least, std::uint64_t most) override {
    add(field, code(size_text(value)), size_text(least) + " to " + size_text(most));
  }
  void choice(Field field, std::size_t& value, std::vector<std::string> const& names) override {
    add(field, code(names.at(value)));
  }
  void label(Field field, std::string&) override { add(field, "none"); }
  void text(Field field, std::optional<std::string>&, std::size_t most, Wrong const&) override {
    add(field, "none", "1 to " + std::to_string(most) + " bytes");
  }
  void text(Field field, std::string&, std::size_t most, Wrong const&) override {
    add(field, "required", "1 to " + std::to_string(most) + " bytes");
  }
  void texts(Field field, std::vector<std::string>& value, Most most, Wrong const&) override {
    std::string initially;
    for (auto const& each : value) initially += (initially.empty() ? "" : ", ") + each;
    if (value.size() > 1) initially = "[" + initially + "]";
    add(field, value.empty() ? "none" : code(initially),
        "up to " + std::to_string(most.texts) + " of 1 to " + std::to_string(most.bytes) +
            " bytes, or one alone");
  }
  void url(Field field, Url&) override { add(field, "required"); }
  void url(Field field, std::optional<Url>&) override { add(field, "none"); }
  void folder(Field field, std::filesystem::path& value) override {
    add(field, code(value.string()));
  }
  void folder(Field field, std::optional<std::filesystem::path>&) override { add(field, "none"); }
  void file(Field field, std::filesystem::path&) override { add(field, "required"); }
  void file(Field field, std::optional<std::filesystem::path>&) override { add(field, "none"); }
  void addresses(Field field, std::vector<std::string>& value) override {
    add(field, code("[\"" + value.at(0) + "\"]"));
  }
  void proxy(Field field, HttpSettings&) override { add(field, "`environment`"); }
  void headers(Field field, HttpSettings&) override { add(field, "none"); }
  void credentials(Field field, std::optional<Secret>&) override { add(field, "none"); }
  void selection(Field field, Selection&, std::string_view) override { add(field, "`none`"); }
  void threshold(Field field, ExpiryThreshold& value) override {
    add(field, code((value.fitted ? "up to " : "") + to_text(milliseconds{value.span})));
  }
  void accept(Field field, std::vector<AcceptSpec>&) override {
    section(field.name, [this] {
      add({"finding",
           "`check/subject/reason` of the finding; `*` in the subject stands for any text. Once in "
           "a list"},
          "required");
      add({"because", "what is known of it, 1 to 200 bytes; shown with the finding"}, "required");
      add({"until",
           "from then on it counts again: `2027-03-31` (the beginning of that day, UTC) or "
           "`2027-03-31T12:00:00Z`"},
          "required");
      add({"severity",
           "the worst that is accepted: `warning`, `unknown` (and warnings), `critical` (and all)"},
          "warning");
    });
  }
  void maintenance(Field field, std::vector<MaintenanceWindow>&) override {
    section(std::string{field.name} + "[]", [this] {
      add({"from",
           "when the work begins: `2027-03-01T22:00:00Z`, with an offset (`+01:00`) or a date, "
           "which is its midnight, UTC"},
          "this and `to`, or `weekly`");
      add({"to", "when it is over: after `from`, at most 31 days"}, "likewise");
      add({"weekly",
           "days and times, always UTC: `sun 02:00-04:00`, `mon-fri,sun 22:00-01:30`, "
           "`daily 03:00-03:30`; an end before the begin is of the next day"},
          "likewise");
      add({"probes",
           "names of probes, `*` in them stands for any text; up to 100, or one alone. Each must "
           "match a probe, unless there is `discovery`"},
          "all");
      add({"reason", "why; shown wherever the window is. 1 to 200 bytes"}, "required");
    });
  }
  void discovery(Field field, std::vector<DiscoverySource>&) override {
    section(std::string{field.name} + "[]", [this] {
      DiscoverySource source;
      describe_source(*this, source);
    });
  }
  void thresholds_by_name(Field field, std::map<std::string, ExpiryThresholds>&,
                          ExpiryThresholds const&, std::string_view) override {
    add(field, "none");
  }
  void require(bool, std::string_view, std::string) override {}

 private:
  std::string prefix_;
  std::vector<FieldRow> rows_;
};

}  // namespace

std::vector<FieldRow> field_rows(Kinds const& kinds) {
  Rows rows;
  Config config;
  ProbeSpec probe;
  describe(rows, config);
  rows.add({"include",
            "a pattern or a list of patterns with `*`, `?`, `[...]` (not `**`); matches are read "
            "in order of name, each file once, the main file never. A pattern may match nothing; a "
            "plain name must be there. Included files hold `probes` only"},
           "none");
  rows.section("defaults", [&] {
    describe_common(rows, probe, true);
    for (Kind const& kind : kinds) {
      KindSpec spec = kind.spec;
      rows.section(spec.name(), [&] { spec.visit_defaults(rows); });
    }
  });
  rows.section("probes[]", [&] {
    rows.add({"name",
              "1 to 100 of letters, digits, `_` `.` `:` `-`, but not `.` or `..`; unique; metric "
              "label `probe`"},
             "required");
    rows.add({"repository", "metric label `repo`, 1 to 100 bytes"}, "the name");
    rows.add({"enabled", "`false`: checked and shown, not run"}, "`true`");
    describe_common(rows, probe, true);
    for (Kind const& kind : kinds) {
      KindSpec spec = kind.spec;
      rows.section(spec.name(), [&] { spec.visit(rows); });
    }
  });
  return rows.take();
}

}  // namespace canary::config
