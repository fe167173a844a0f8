#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds for arm64 on amd64, in a Debian 12 of its own that has the compiler for this machine and the
# libraries for the other one. Nothing is added to the machine's own packages.
#   arm64.sh COMMAND PACKAGE...    runs the shell's COMMAND in that root, in this checkout; the
#                                  packages are those that a build needs (./canary knows them)
# The root is made once, in build/arm64-root. Needs root, for the mounts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
say() { echo "canary: $*" >&2; }
[ "$(id -u)" -eq 0 ] || { say "a root for arm64 is made and entered by root alone: sudo ./canary ..."; exit 1; }
[ "$(dpkg --print-architecture)" = amd64 ] || { say "this is for amd64; here, ./canary package is enough"; exit 1; }
command=$1
shift

# Tools are this machine's, libraries the other one's; what has no architecture is either.
packages=(libc6-dev:arm64 libstdc++-12-dev:arm64 binutils-aarch64-linux-gnu qemu-user-static)
for each in "$@"; do
  case $each in
    libclang-rt-* | g++) ;;  # sanitizers; GCC
    libcli11-dev | libkainjow-mustache-dev | libprotozero-dev) packages+=("$each") ;;
    *-dev) [ "$each" = dpkg-dev ] && packages+=("$each") || packages+=("$each:arm64") ;;
    *) packages+=("$each") ;;
  esac
done

root=$PWD/build/arm64-root
made_of=$root/made-of
if [ "$(cat "$made_of" 2>/dev/null)" != "${packages[*]}" ]; then
  say "making a Debian 12 with libraries for arm64: $root"
  rm -rf "$root.new"
  mkdir -p build
  mmdebstrap --mode=root --variant=minbase --architectures=amd64,arm64 \
    --dpkgopt=force-unsafe-io --include="$(IFS=,; echo "${packages[*]}")" \
    bookworm "$root.new" >build/arm64-root.log 2>&1 ||
    { tail -n 20 build/arm64-root.log >&2; say "no such root could be made"; exit 1; }
  mkdir "$root.new/source"
  echo "${packages[*]}" >"$root.new/made-of"
  rm -rf "$root"
  mv "$root.new" "$root"
fi

# Programs for arm64 start there as any do: the kernel hands them to qemu, in these namespaces alone.
# Kernels before 6.7 cannot have that; CANARY_RUNS_ARM64 is empty then.
# shellcheck disable=SC2016
exec unshare --user --map-root-user --mount --pid --fork --kill-child bash -euo pipefail -c '
  mount --make-rprivate /
  mount --bind "$PWD" "$0/source"
  mount -t proc proc "$0/proc"
  mount --rbind /dev "$0/dev"
  runs=
  if systemd/package/hand_to_qemu.sh "$0/run/binfmt" "$0/usr/bin/qemu-aarch64-static"; then runs=yes; fi
  exec chroot "$0" env -i HOME=/root LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" CANARY_RUNS_ARM64=$runs \
    CMAKE_BUILD_PARALLEL_LEVEL="${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}" \
    CCACHE_DIR=/source/build/arm64-ccache CCACHE_NOHASHDIR=1 \
    CCACHE_SLOPPINESS=pch_defines,time_macros \
    bash -euo pipefail -c "cd /source; $1"
' "$root" "$command"
