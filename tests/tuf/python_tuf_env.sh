#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes a Python environment with python-tuf in the folder given (build/python-tuf by default) and
# prints its interpreter. Does nothing where it is there already; says why where it can't be made.
set -eu
env=${1:-build/python-tuf}
python=$env/bin/python
if ! "$python" -c 'import tuf, securesystemslib, cryptography' 2>/dev/null; then
  command -v python3 >/dev/null || { echo 'python3 is not installed' >&2; exit 1; }
  # Two tests may come at once.
  if command -v flock >/dev/null; then
    mkdir -p "$(dirname "$env")"
    exec 9>"$env.lock"
    flock 9
  fi
  if ! "$python" -c 'import tuf, securesystemslib, cryptography' 2>/dev/null; then
    python3 -m venv "$env" >&2 || { echo 'python3-venv is not installed' >&2; exit 1; }
    "$python" -m pip install --quiet --disable-pip-version-check --retries 1 --timeout 20 \
      'tuf>=5,<8' 'securesystemslib[crypto]' >&2
  fi
fi
echo "$python"
