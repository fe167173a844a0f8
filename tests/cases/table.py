#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What went wrong once, run against the program as it is: one line a case, with what it says now.

The inputs are beside the checkout (CANARY_SHARED_CASES, ../shared/cases) and no part of it; each case
has a test of the project's own, too, which needs none of them. Exit status 1 where one is not right."""
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CASES = Path(os.environ.get("CANARY_SHARED_CASES", ROOT.parent / "shared" / "cases"))
BUILD = ROOT / os.environ.get("CANARY_BUILD", "build/release")

# Of tuf-reports: what must be in the output (regular expressions), what must not.
REPORTS = {
    "percent-name": ([r"exit 0", r"GET /targets/Foo%20Bar\.exe"], [r"Foo%2520"]),
    "plus-name-s3": ([r"exit 2", r"CRITICAL +targets", r"GET /targets/libgit2-0\.12\.25\+1\.3\.0\.crate"], [r"%2B"]),
    "key-pss-sha512": ([r"exit (0|1|3)"], [r"CRITICAL"]),
    "key-pkcs1v15": ([r"exit (0|1|3)"], [r"CRITICAL"]),
    "hash-blake2b": ([r"exit 3", r"blake2b-256"], [r"CRITICAL"]),
    "custom-deep": ([r"exit (0|1|3)"], [r"CRITICAL"]),
    "hash-md5-wrong": ([r"exit (1|2)", r"a\.txt", r"md5"], []),
    "root-extra-role": ([r"exit 1", r"python-tuf"], [r"CRITICAL"]),
    "timestamp-extra": ([r"exit 1", r"python-tuf"], [r"CRITICAL"]),
    "all-403": ([r"exit 3", r"403"], [r"is the newest", r"the repository answers"]),
    "all-401": ([r"exit 3", r"401", r"credentials"], [r"CRITICAL"]),
    "html-timestamp": ([r"exit 2", r"text/html", r"Checking|doctype", r"timestamp\.json"], []),
    "login-page": ([r"exit (2|3)", r"text/html", r"/login", r"sign in|redirected"], []),
    "aws-chunked": ([r"exit (0|1)"], [r"CRITICAL"]),
    "roots-300": ([r"exit (0|1)", r"python-tuf", r"tough"], [r"CRITICAL"]),
    "fresh-1-day": ([r"exit (0|1)"], [r"CRITICAL"]),
    "dsse-root": ([r"exit 3", r"DSSE"], [r"CRITICAL"]),
    "hackage-root": ([r"exit 3", r"Hackage"], [r"CRITICAL"]),
    "bins-log": ([r"bins-00"], []),
    "proxy-header": ([r"exit (2|78)", r"Proxy-Authorization", r"proxy_credentials"], []),
    "clock": ([r"200 days|199 days", r"clock"], []),
}

# Of ops, each a script that prints what is beside what should be.
OPS = {
    "01-second-start": ([r"second start: exit (1|78)", r"dump-000001-request", r"last_exit_unclean 1", r'end="killed"'],
                        [r"no dump file anywhere"]),
    "02-closed-stderr": ([r"/dev/null"], [r"ended with 137"]),
    "03-idle-connections": ([r"probe_success in /metrics: 1"], [r"probe_success in /metrics: 0", r"does not answer"]),
    "14-tls-expired": ([r"tls_expired|expired", r"exit 2", r"canaryd_tls_cert_not_after"], []),
    "16-token-rotated": ([r"after the rotation: Bearer two"], []),
}

# Of openpgp: a key and what it signed, on which verifiers disagree.
OPENPGP = {
    "sha1": ([r"accepted by apt up to 2", r"refused by apt 3 .*from 2026-02-01: SHA-1 self-signature",
              r"refused by sqv .*from 2023-02-01", r"refused by EL 9", r"with SHA256 .*: good"], []),
    "expd": ([r"refused by apt up to 2 .*has ended", r"accepted by apt 3", r"accepted by sqv",
              r"CRITICAL +expiry", r"ended 2024-01-01"], []),
    "sha256": ([r"accepted by apt up to 2", r"accepted by apt 3", r"accepted by sqv", r"accepted by EL 9"],
               [r"CRITICAL|WARNING"]),
}

# Of review, whose programs are written against an older tree: the project's own tests of the same.
REVIEW = {
    "loop_time, rootflood": ("tuf_hostile_world_test", "*root_of_many_keys*:*large_rsa_keys*"),
    "sparse_bins, bins32": ("tuf_hostile_world_test", "*sparse_bins*"),
    "missed_cost": ("store_test", "*Missed*:*Reader*"),
    "same_key": ("tuf_keys_test", "Threshold.CountsOneKeyInTwoEncodingsOnce"),
    "lost_cancel": ("runtime_test", "Within.*"),
    "event_two_waiters": ("runtime_test", "Event.*"),
    "hostile.py": ("e2e_test", "Run.ShowsNothingOfARepositoryThatATerminalWouldObey"),
    "slow.c": ("e2e_test", "Stop.*"),
    "silent.py": ("schedule_test", "Scheduler.*Stalled*:Scheduler.EndsARun*"),
    "token": ("tuf_probe_test", "Probe.ShowsNoSecretOfAUrl"),
}


def run(command, environment):
    done = subprocess.run(command, cwd=ROOT, env=dict(os.environ, **environment), text=True, errors="replace",
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=180)
    return done.stdout


def verdict(output, wanted, unwanted):
    said = output.split("RIGHT:")[0]
    missing = [f"lacks /{each}/" for each in wanted if not re.search(each, said)]
    return missing + [f"has /{each}/" for each in unwanted if re.search(each, said)]


def main():
    if not CASES.is_dir():
        sys.exit(f"cases: {CASES} is not there (CANARY_SHARED_CASES names it)")
    wanted_names = sys.argv[1:]
    rows = []
    for name, (wanted, unwanted) in REPORTS.items():
        rows.append((name, [sys.executable, str(CASES / "tuf-reports/run.py"), name], {"B": str(BUILD)}, wanted, unwanted))
    for name, (wanted, unwanted) in OPS.items():
        rows.append((name, ["bash", str(CASES / f"ops/{name}.sh")], {"CANARYD": str(BUILD / "canaryd")}, wanted, unwanted))
    for name, (wanted, unwanted) in OPENPGP.items():
        folder = CASES / "openpgp"
        command = [str(BUILD / "canaryd"), "check", "openpgp", str(folder / f"{name}.gpg"), "--signed",
                   str(folder / f"InRelease.{name}"), f"{folder / 'Release'} {folder / f'Release.{name}.gpg'}",
                   "--clients", "apt-2", "apt-3", "sqv", "el-9"]
        rows.append(("openpgp/" + name, command, {}, wanted, unwanted))
    tests = ROOT / os.environ.get("CANARY_TESTS", "build/dev")
    for name, (program, names) in REVIEW.items():
        command = [str(tests / program), f"--gtest_filter={names}", "--gtest_fail_fast"]
        rows.append(("review/" + name, command, {}, [r"PASSED +\] [1-9]"], [r"FAILED"]))
    rules = {"RULES": str(ROOT / "config/prometheus/canaryd.rules.yml")}
    # Its expectations carry no annotations, so promtool calls each a failure: what counts is that the
    # alert is there. `for: 10m` ends one evaluation after 10m, as the series is recorded by rules before.
    rows.append(("ops/rules", ["bash", str(CASES / "ops/rules/run.sh")], rules,
                 [r"time: 24m", r"time: 2h10m", r"RepoProbeFailing"],
                 [r"time: (24m|39m|1h9m|1h59m|2h10m|10h),[^a]*?got:\[\]", r"CanarydSeesNothing", r"RepoUnreachable"]))
    wrong = 0
    for name, command, environment, wanted, unwanted in rows:
        if wanted_names and name not in wanted_names:
            continue
        try:
            output = run(command, environment)
            problems = verdict(output, wanted, unwanted)
        except subprocess.TimeoutExpired:
            output, problems = "", ["did not end within 180 s"]
        wrong += bool(problems)
        print(f"{name:22} {'right' if not problems else 'WRONG: ' + '; '.join(problems)}", flush=True)
        if problems or wanted_names:
            print("\n".join("    " + line[:300] for line in output.strip().splitlines()[-25:]), flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
