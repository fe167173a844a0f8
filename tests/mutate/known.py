# SPDX-License-Identifier: Apache-2.0
"""Mistakes that a whole suite once let pass: (name, file, the line as it stands, the wrong line).
@N@ is the mutation's number. They are part of every run that covers their file; where the line is
not found once in it, the run says so and fails."""

KNOWN = [
    ("systemd is fed while the loop is hung", "daemon/watchdog/act/systemd_feed.cc",
     ".beating = beating && !look.dying,",
     ".beating = CANARY_MUTANT(@N@) ? true : (beating && !look.dying),"),
    ("a reload does not lift the quarantine", "daemon/app/app_reload.cc",
     "watchdog_.lift_quarantine();",
     "if (!CANARY_MUTANT(@N@)) watchdog_.lift_quarantine();"),
    ("runs cancelled by the stop count as failures", "daemon/schedule/scheduler.cc",
     "if (run->withdrawn || stopping_) {",
     "if (run->withdrawn || (!CANARY_MUTANT(@N@) && stopping_)) {"),
    ("a thread that has not answered is asked again", "daemon/dump/capture/capture.cc",
     "installed.load(std::memory_order_acquire) && !was_abandoned(thread) && may_answer(thread);",
     "installed.load(std::memory_order_acquire) && (CANARY_MUTANT(@N@) || !was_abandoned(thread)) && "
     "may_answer(thread);"),
    ("the second address family is waited for", "runtime/dns_lookup.cc",
     "if (lookup.is_decided(last_server) && !shortened) {",
     "if (lookup.is_decided(last_server) && !shortened && !CANARY_MUTANT(@N@)) {"),
    ("the folder is not synced", "probes/tuf/store_folder.cc",
     'if (::fsync(directory.get()) != 0 && errno != EINVAL) return fault(named, "sync");',
     'if (!CANARY_MUTANT(@N@) && ::fsync(directory.get()) != 0 && errno != EINVAL) return fault(named, "sync");'),
    ("missed runs are not counted", "daemon/schedule/scheduler.cc",
     "skip(name, SkipReason::offline, due.missed);",
     "if (!CANARY_MUTANT(@N@)) skip(name, SkipReason::offline, due.missed);"),
    ("a stored root older than the pinned one is used", "probes/tuf/probe.cc",
     "if (version >= pinned_version_) {",
     "if (CANARY_MUTANT(@N@) || version >= pinned_version_) {"),
]
