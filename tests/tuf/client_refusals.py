# SPDX-License-Identifier: Apache-2.0
# The python-tuf side of client_refusals_test.cc: what python-tuf says of each file in FOLDER/list,
# "NAME takes" or "NAME refuses WHY". FOLDER has NAME.json and, for a role other than root, the root
# that it is verified with, NAME.root.json.
#   client_refusals.py FOLDER
import sys
import warnings
from pathlib import Path

from tuf.api.metadata import Metadata


def refusal(folder, name, role):
    try:
        metadata = Metadata.from_bytes((folder / f"{name}.json").read_bytes())
        root = metadata if role == "root" else Metadata.from_bytes(
            (folder / f"{name}.root.json").read_bytes())
        root.signed.verify_delegate(role, metadata.signed_bytes, metadata.signatures)
    except Exception as why:  # whatever it is, an updater stops there
        return f"{type(why).__name__} {why.__cause__ or ''}"
    return None


def main():
    warnings.simplefilter("ignore")
    folder = Path(sys.argv[1])
    for line in (folder / "list").read_text().splitlines():
        name, role = line.split()[:2]
        why = refusal(folder, name, role)
        print(name, "takes" if why is None else "refuses " + why.replace("\n", " "))


if __name__ == "__main__":
    main()
