# SPDX-License-Identifier: Apache-2.0
"""A client made of python-tuf: verifies a repository and downloads targets to a file system in
memory.

    python_tuf.py RUNS AT_ONCE ROOT METADATA_URL TARGETS_URL [TARGET...]

RUNS: how often the whole of it is done. AT_ONCE is not used: an Updater downloads one by one. No
target named: all that the top-level role lists; "-": none."""
import sys
import tempfile

from tuf.ngclient import Updater, UpdaterConfig


def run(root, metadata_url, targets_url, wanted):
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        settings = UpdaterConfig(max_delegations=1 << 20, snapshot_max_length=64 << 20,
                                 targets_max_length=64 << 20)
        client = Updater(folder, f"{metadata_url}/", folder, f"{targets_url}/", config=settings,
                         bootstrap=root)
        client.refresh()
        if not wanted:
            wanted = list(client._trusted_set.targets.targets)
        for name in wanted:
            if name != "-":
                client.download_target(client.get_targetinfo(name), f"{folder}/target")


def main():
    runs, _, root, metadata_url, targets_url, *wanted = sys.argv[1:]
    with open(root, "rb") as file:
        pinned = file.read()
    for _ in range(int(runs)):
        run(pinned, metadata_url, targets_url, wanted)


if __name__ == "__main__":
    main()
