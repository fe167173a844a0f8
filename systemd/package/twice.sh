#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `./canary package --twice`: is the package that was built here the one that anybody would build?
# The same source once more, in another folder, later, by other jobs, with another user's home,
# language, time zone and umask, and no object from ccache; then byte for byte.
#   twice.sh PACKAGE.deb
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
first=$(realpath "$1")
elsewhere=$(mktemp -d "${TMPDIR:-/var/tmp}/canaryd-once-more.XXXXXX")
trap 'rm -rf "$elsewhere"' EXIT
copy=$elsewhere/a/source
mkdir -p "$copy" "$elsewhere/home"
git ls-files -z --cached --others --exclude-standard |
  while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done |
  tar --create --null --files-from=- | tar --extract --touch --directory="$copy"
: "${SOURCE_DATE_EPOCH:?}"
echo "canary: once more in $copy" >&2
(
  umask 0077
  env -i PATH="$PATH" HOME="$elsewhere/home" LC_ALL=C.UTF-8 TZ=Pacific/Kiritimati CCACHE_DISABLE=1 \
    CMAKE_BUILD_PARALLEL_LEVEL="${CANARY_OTHER_JOBS:-$(nproc)}" \
    SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" "$copy/canary" package >"$elsewhere/log" 2>&1
) || { tail -n 30 "$elsewhere/log" >&2; exit 1; }
second=$(ls "$copy"/build/release/package/*.deb)
if cmp -s "$first" "$second"; then
  echo "canary: the same $(stat -c %s "$first") bytes twice: $(sha256sum <"$first" | cut -d' ' -f1)"
  exit 0
fi
echo "canary: the two packages differ, in:" >&2
for each in first second; do
  dpkg-deb --raw-extract "${!each}" "$elsewhere/$each"
done
diff -rq --no-dereference "$elsewhere/first" "$elsewhere/second" >&2 || true
diff <(dpkg-deb -c "$first") <(dpkg-deb -c "$second") >&2 || true  # modes, owners, times
cp "$second" "$first.other"
echo "canary: the other one is kept as $first.other" >&2
exit 1
