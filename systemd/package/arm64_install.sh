#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the package for arm64 with apt in a Debian 12 of that architecture, run by qemu: there it
# says what it is, checks repositories, is removed, installed again and purged. No systemd runs.
#   arm64_install.sh FILE.deb
# After arm64.sh, whose root has qemu. The Debian is made once, in build/arm64-plain; what is
# installed goes into a copy. Needs root, Debian's archive and Linux 6.7.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
say() { echo "canary: $*" >&2; }
[ "$(id -u)" -eq 0 ] || { say "a root for arm64 is made and entered by root alone"; exit 1; }
deb=$(realpath "$1")
plain=$PWD/build/arm64-plain
tried=$PWD/build/arm64-tried
log=$PWD/build/arm64-install.log
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
namespace=
trap '[ -z "$namespace" ] || kill -KILL "$namespace" 2>/dev/null || true; rm -rf "$tried"' EXIT

# Debian has more users than one: all of this machine's are known there.
# shellcheck disable=SC2016
within() { # within COMMAND [ARGUMENT...]
  unshare --user --mount --pid --fork --kill-child bash -euo pipefail -c '
    until read -r _ </proc/self/gid_map; do sleep 0.1; done 2>/dev/null
    exec bash -euo pipefail -c '\''
      mount --make-rprivate /
      mount -t tmpfs tmpfs /run
      systemd/package/hand_to_qemu.sh /run/binfmt "$PWD/build/arm64-root/usr/bin/qemu-aarch64-static" ||
        { echo "this kernel (before 6.7) hands no program for arm64 to qemu in a namespace"; exit 1; }
      "$@"'\'' bash "$@"' bash "$@" </dev/null >>"$log" 2>&1 &
  namespace=$!
  until [ "$(readlink "/proc/$namespace/ns/user")" != "$(readlink /proc/self/ns/user)" ]; do sleep 0.1; done
  echo "0 0 4294967295" >"/proc/$namespace/uid_map"
  echo "0 0 4294967295" >"/proc/$namespace/gid_map"
  local status=0
  wait "$namespace" || status=$?
  namespace=
  [ "$status" -eq 0 ] || { tail -n 30 "$log" >&2; say "that failed; the rest is in $log"; exit 1; }
}

: >"$log"
if [ ! -e "$plain" ]; then
  say "making a Debian 12 for arm64: $plain"
  rm -rf "$plain.new"
  within mmdebstrap --mode=root --variant=minbase --architectures=arm64 --skip=check/qemu \
    --dpkgopt=force-unsafe-io bookworm "$plain.new"
  mv "$plain.new" "$plain"
fi

say "installing $(basename "$deb") there"
rm -rf "$tried"
cp -a "$plain" "$tried"
cp "$deb" "$tried/root/"
cp /etc/resolv.conf "$tried/etc/resolv.conf"
cat >"$tried/root/try.sh" <<'TRY'
set -euxo pipefail
cd /root
[ "$(dpkg --print-architecture)" = arm64 ]
fails() { # fails STATUS COMMAND...
  local status=0
  "${@:2}" || status=$?
  [ "$status" -eq "$1" ]
}
apt-get update -qq
apt-get install -y -qq --no-install-recommends ./canaryd_*_arm64.deb
[ "$(dpkg-query -W -f '${db:Status-Abbrev}' canaryd)" = "ii " ]
canaryd --version
canaryd version | grep aarch64-linux-gnu
canaryd --help | grep '^Usage: canaryd'
tuf-client --help | grep -i usage
canaryd config check /etc/canaryd/canaryd.yml
getent passwd canaryd
[ "$(stat -c '%a %U:%G' /etc/canaryd/conf.d)" = "750 root:canaryd" ]
[ -L /etc/systemd/system/multi-user.target.wants/canaryd.service ]
canaryd demo --sign demo >/dev/null
check() { canaryd check --root "demo/roots/$1.root.json" --metadata-url "$PWD/demo/repositories/$1/metadata"; }
fails 0 check healthy
fails 2 check expired
apt-get remove -y -qq canaryd
[ ! -e /usr/bin/canaryd ] && [ -e /etc/canaryd/canaryd.yml ]
dpkg -i ./canaryd_*_arm64.deb
canaryd --version
dpkg --purge canaryd
left=$(find / -xdev \( -path /root -o -path /proc -o -path /var/lib/dpkg -o -path /var/log \) -prune -o \
  -name '*canaryd*' -print)
[ -z "$left" ]
echo "all well"
TRY
# shellcheck disable=SC2016
within bash -euo pipefail -c '
  mount -t proc proc "$0/proc"
  mount --rbind /dev "$0/dev"
  chroot "$0" env -i HOME=/root LC_ALL="$LC_ALL" DEBIAN_FRONTEND="$DEBIAN_FRONTEND" \
    PATH=/usr/sbin:/usr/bin:/sbin:/bin bash /root/try.sh' "$tried"
tail -n 1 "$log" | grep -qx "all well"
say "installed by apt, run, removed, installed again and purged: all well ($log)"
