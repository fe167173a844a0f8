// SPDX-License-Identifier: Apache-2.0
// The fields of `tuf:`.
// Thread: none (pure).
#include "probes/tuf/spec.h"

#include "config/fields.h"

namespace canary::tuf {
namespace {

using config::FieldVisitor;

constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20;
constexpr std::uint64_t kSmallest = 128;
constexpr config::ThresholdTexts kLikewise{"likewise", "likewise"};
constexpr std::uint64_t kLargest = 1024 * kMebibyte;

void describe(FieldVisitor& v, ExpirySpec& expiry) {
  v.section("root", [&] {
    describe_thresholds(
        v, expiry.root,
        {"less validity left than this is a warning; whole seconds, ten years at most. `up to`: a "
         "third of the role's own validity at most, as [checks.md](checks.md#expiry) explains; "
         "`30d` alone holds as it stands",
         "likewise critical, `up to`: a sixth; 0s: only once expired. At most `warning`"});
  });
  v.section("timestamp", [&] { describe_thresholds(v, expiry.timestamp, kLikewise); });
  v.section("snapshot", [&] { describe_thresholds(v, expiry.snapshot, kLikewise); });
  v.section("targets", [&] { describe_thresholds(v, expiry.targets, kLikewise); });
  v.section("delegated", [&] {
    describe_thresholds(v, expiry.delegated,
                        {"delegated roles without an entry in `roles`", "likewise"});
  });
  v.thresholds_by_name({"roles",
                        "by name of a delegated role: `warning` and `critical`; what is left out "
                        "is that of `delegated`"},
                       expiry.roles, expiry.delegated, "delegated role");
}

void describe(FieldVisitor& v, MetadataLimits& limits) {
  v.size({"root", "longest file accepted"}, limits.root, kSmallest, kLargest);
  v.size({"timestamp",
          "likewise; from 1 MiB on, which is the most that a client reads of a root or timestamp, "
          "what is longer is `critical`"},
         limits.timestamp, kSmallest, kLargest);
  v.size({"snapshot", "likewise"}, limits.snapshot, kSmallest, kLargest);
  v.size({"targets", "likewise, delegated roles too"}, limits.targets, kSmallest, kLargest);
  v.integer({"root_rotations",
             "new roots after the pinned one; more are a warning, and the last of these judges "
             "what follows"},
            limits.root_rotations, 1, 65'536);
  v.integer({"delegated_roles", "visited in one run"}, limits.delegated_roles, 1, 1'000'000);
}

}  // namespace

void describe_defaults(FieldVisitor& v, Spec& spec) {
  v.selection({"targets", "`none`, `all`, or a list of names to download and verify"}, spec.targets,
              "target");
  describe_choice(v,
                  {"roles",
                   "delegated roles of a run: `all`, or those that are `visited` by clients of the "
                   "targets, and a share of the others in turn, as "
                   "[checks.md](checks.md#roles-in-turn) explains"},
                  spec.roles, {"all", "visited"});
  v.integer({"parallel_targets", "downloads at once"}, spec.parallel_targets, 1, 64);
  v.size({"max_target_bytes", "a larger target is not downloaded"}, spec.max_target_bytes, 1,
         kMebibyte * kMebibyte * 16);
  v.section("expiry", [&] { describe(v, spec.expiry); });
  v.section("limits", [&] { describe(v, spec.limits); });
}

void describe(FieldVisitor& v, Spec& spec) {
  v.url({"metadata_url", "folder of `timestamp.json` and `N.root.json`"}, spec.metadata_url);
  v.url({"targets_url", "folder of the targets", "`targets` beside the metadata's folder"},
        spec.targets_url);
  v.file({"root", "file of the pinned root, from a source you trust"}, spec.root);
  describe_defaults(v, spec);
}

}  // namespace canary::tuf
