#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which plausible one-line mistakes would the tests let pass?

Copies the sources, writes a sample of mutations into the copy, each behind a switch, builds the test
programs once, notes which test reaches which mutation, and runs for each mutation the tests that
reach it until one fails. Prints the survivors; exit status 1 where a known mistake survived."""
import argparse
import concurrent.futures
import dataclasses
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from known import KNOWN  # noqa: E402
from operators import Mutation, mutations_of  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
DEFAULT = ["runtime", "probes", "daemon/watchdog", "daemon/schedule"]
# What tests get on a mutation: so long as they took unmutated, times this, and some seconds.
PATIENCE, GRACE = 3, 15
SEED = 1729


def say(text):
    print(text, file=sys.stderr, flush=True)


def sources(wanted):
    """The .cc files below the named folders, or the named files."""
    tracked = subprocess.run(["git", "ls-files", "--", *wanted], cwd=ROOT, text=True, check=True,
                             capture_output=True).stdout.split()
    return [name for name in tracked if name.endswith(".cc") and not name.startswith("tests/")]


def known_mutations(files, every):
    """Those of the files, or every one; and the names of those whose line is gone."""
    found, gone = [], []
    for name, file, line, wrong in KNOWN:
        lines = (ROOT / file).read_text().split("\n")
        places = [number for number, text in enumerate(lines, 1) if text.strip() == line]
        if len(places) != 1:
            gone.append(f"{name}: {file} has that line {len(places)} times: {line}")
        elif every or file in files:
            found.append(Mutation(file, places[0], name, line, wrong))
    return found, gone


def sample(files, size):
    """Mutations of a fixed seed, and how many there are in all."""
    everything = []
    for file in files:
        everything += mutations_of(file, (ROOT / file).read_text())
    chosen = list(everything)
    random.Random(SEED).shuffle(chosen)
    taken, places = [], set()
    for each in chosen:  # one a line: switches do not nest
        if len(taken) == size:
            break
        if (each.file, each.line) not in places:
            places.add((each.file, each.line))
            taken.append(each)
    return taken, len(everything)


class Copy:
    """The sources with the mutations in them, in a folder of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.build_folder = folder / "build" / "dev"

    def write(self, mutations):
        """Brings the copy to HEAD's working tree, then writes each mutation behind its number."""
        by_file = {}
        for number, each in mutations.items():
            by_file.setdefault(each.file, []).append((number, each))
        tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, text=True, check=True, capture_output=True)
        for name in tracked.stdout.split("\n"):
            source = ROOT / name
            if not name or not source.is_file():
                continue
            data = source.read_bytes()
            if name in by_file:
                data = self._mutated(data.decode(), by_file[name]).encode()
            target = self.folder / name
            if target.exists() and target.read_bytes() == data:
                continue  # its time stays, so nothing is built anew for it
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
            shutil.copymode(source, target)

    @staticmethod
    def _mutated(text, mutations):
        lines = text.split("\n")
        for number, each in mutations:
            lines[each.line - 1] = each.text(number)
        # In the place of the licence line, so that line numbers stay.
        lines[0] = '#include "tests/mutate/mutant.h"'
        return "\n".join(lines)

    @staticmethod
    def _places(text, severity):
        found = re.findall(r"(?:\.\./)*((?:[\w-]+/)+\w+\.cc):(\d+):\d+: (?:" + severity + "):", text)
        return {(name, int(line)) for name, line in found}

    def build(self, mutations):
        """Builds the test programs; drops what does not compile. Returns what is left, by its number."""
        mutations = dict(enumerate(mutations, 1))  # the others keep theirs, so that little is built anew
        environment = dict(os.environ, CCACHE_BASEDIR=str(self.folder), CCACHE_NOHASHDIR="1",
                           CCACHE_SLOPPINESS="pch_defines,time_macros")
        for _ in range(12):
            self.write(mutations)
            subprocess.run(["cmake", "--preset", "dev"], cwd=self.folder, check=True,
                           stdout=subprocess.DEVNULL)
            built = subprocess.run(["cmake", "--build", "--preset", "dev", "--", "-k", "0"], cwd=self.folder,
                                   env=environment, text=True, capture_output=True)
            if built.returncode == 0:
                return mutations
            wrong = self._places(built.stdout, "error") & {(each.file, each.line) for each in mutations.values()}
            # In a constant expression the error is where it is used, and a note says where it stands.
            wrong = wrong or self._places(built.stdout, "error|note")
            left = {number: each for number, each in mutations.items() if (each.file, each.line) not in wrong}
            if len(left) == len(mutations):
                sys.exit("mutate: the copy does not build:\n" + built.stdout[-4000:])
            say(f"mutate: {len(mutations) - len(left)} do not compile and are left out")
            mutations = left
        sys.exit("mutate: the copy does not build")


@dataclasses.dataclass
class Test:
    """One of ctest's: a case of a GoogleTest program, or a script."""
    name: str
    program: str   # its file's name, for a script the test's
    command: list  # without the case
    case: str      # "" for a script
    seconds: float = 0.0
    reaches: frozenset = frozenset()


def run(command, folder, number, limit, reached=None):
    """True when it passed."""
    environment = dict(os.environ, CANARY_MUTANT=str(number), GTEST_FAIL_FAST="1", GTEST_BRIEF="1")
    if reached:
        environment["CANARY_MUTANTS_REACHED"] = reached
    child = subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        return child.wait(limit) == 0
    except subprocess.TimeoutExpired:
        return False
    finally:
        try:
            os.killpg(child.pid, 9)  # and what it left behind
        except ProcessLookupError:
            pass
        child.wait()


def tests_of(copy, without):
    listed = subprocess.run(["ctest", "--preset", "dev", "--show-only=json-v1"], cwd=copy.folder, text=True,
                            check=True, capture_output=True).stdout
    found = []
    for test in json.loads(listed)["tests"]:
        command = test.get("command") or []
        if not command:
            continue
        cases = [part.split("=", 1)[1] for part in command if part.startswith("--gtest_filter=")]
        program = Path(command[0]).name if cases else test["name"]
        kept = [part for part in command if not part.startswith("--gtest_")]
        if not re.search(without, program):
            found.append(Test(test["name"], program, kept, cases[0] if cases else ""))
    return found


def learn(copy, tests, count, workers):
    """Runs each unmutated: how long it takes and what it reaches. One that fails is left out."""
    def look(test):
        command = test.command + ([f"--gtest_filter={test.case}"] if test.case else [])
        with tempfile.NamedTemporaryFile() as file:
            file.truncate(1 << 16)
            begun = time.monotonic()
            passed = run(command, copy.folder, 0, 300, file.name)
            reached = Path(file.name).read_bytes()[:count + 1]
        test.seconds = time.monotonic() - begun
        test.reaches = frozenset(n for n, byte in enumerate(reached) if byte)
        if not passed:
            say(f"mutate: {test.name} fails unmutated and is left out")
        return passed and bool(test.reaches)

    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        return [test for test, useful in zip(tests, pool.map(look, tests)) if useful]


def groups_of(tests, number, most):
    """What reaches the mutation, as runs of programs, short ones first, no more than so many seconds.
    Returns the groups and whether some tests did not fit."""
    reaching = sorted((test for test in tests if number in test.reaches), key=lambda test: test.seconds)
    taken, spent = [], 0.0
    for test in reaching:
        if taken and spent + test.seconds > most:
            break
        taken.append(test)
        spent += test.seconds
    programs = {}
    for test in taken:
        programs.setdefault(test.program, []).append(test)
    return sorted(programs.values(), key=lambda group: sum(t.seconds for t in group)), len(taken) < len(reaching)


def judge(copy, tests, mutations, until, most, workers):
    """By number: the program that failed, "" for a survivor, None where nothing reaches it."""
    def verdict_of(item):
        number, each = item
        if time.monotonic() > until:
            return None
        groups, shortened = groups_of(tests, number, most)
        verdict, outcome = (None, "not reached") if not groups else ("", "SURVIVED")
        if shortened:
            outcome += f" {most:.0f} s of the tests that reach it"
        for group in groups:
            cases = ":".join(test.case for test in group)
            command = group[0].command + ([f"--gtest_filter={cases}"] if cases else [])
            if not run(command, copy.folder, number, sum(t.seconds for t in group) * PATIENCE + GRACE):
                verdict, outcome = group[0].program, "killed by " + group[0].program
                break
        say(f"mutate: {number} of {len(mutations)}: {each.file}:{each.line} {each.what}: {outcome}")
        return number, verdict

    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        return dict(filter(None, pool.map(verdict_of, mutations.items())))


def main():
    parser = argparse.ArgumentParser(prog="canary mutate", description=__doc__)
    parser.add_argument("--budget", type=float, default=60, metavar="MINUTES",
                        help="for judging, beside building and the first look (60)")
    parser.add_argument("--sample", type=int, default=400, help="mutations written into the copy (400)")
    parser.add_argument("--without", default=r"^(faults_test|story|system|Story|System)",
                        help="test programs left out, a regular expression (those that take minutes)")
    parser.add_argument("--longest", type=float, default=120, metavar="SECONDS",
                        help="of tests for one mutation, the short ones first (120)")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="tests at once (one a core)")
    parser.add_argument("files", nargs="*", default=DEFAULT, metavar="FILE",
                        help="folders or files (" + " ".join(DEFAULT) + ")")
    options = parser.parse_args()

    files = sources(options.files)
    if not files:
        sys.exit("mutate: no source file below " + " ".join(options.files))
    known, gone = known_mutations(files, options.files == DEFAULT)
    taken, possible = sample(files, options.sample)
    places = {(each.file, each.line) for each in known}
    taken = known + [each for each in taken if (each.file, each.line) not in places]
    say(f"mutate: {possible} mutations are possible in {len(files)} files; {len(taken)} are written in")

    copy = Copy(ROOT / "build" / "mutate")
    mutations = copy.build(taken)
    useful = learn(copy, tests_of(copy, options.without), len(taken), options.workers)
    say(f"mutate: {len(useful)} tests reach {len(frozenset().union(*(t.reaches for t in useful)))} mutations")
    begun = time.monotonic()
    verdicts = judge(copy, useful, mutations, begun + options.budget * 60, options.longest, options.workers)

    survivors = [mutations[n] for n, verdict in verdicts.items() if verdict == ""]
    unreached = [mutations[n] for n, verdict in verdicts.items() if verdict is None]
    killed = len(verdicts) - len(survivors) - len(unreached)
    for title, those in (("survived", survivors), ("not reached by these tests", unreached)):
        print(f"{title}:" if those else f"{title}: none")
        for each in sorted(those, key=lambda one: (one.file, one.line)):
            print(f"  {each.file}:{each.line}: {each.what}: {each.before}")
    for each in gone:
        print("a known mistake's line is gone, tests/mutate/known.py needs it anew: " + each)
    print(f"seed {SEED}, {possible} possible, {len(mutations)} in the build, {len(verdicts)} judged in "
          f"{(time.monotonic() - begun) / 60:.0f} min: {killed} killed, {len(survivors)} survived, "
          f"{len(unreached)} not reached by {len(useful)} tests")
    escaped = [each for each in known if each in survivors + unreached]
    return 1 if escaped or gone else 0


if __name__ == "__main__":
    sys.exit(main())
