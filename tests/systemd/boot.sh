#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Becomes a systemd that is PID 1 of its own namespaces. Started by system_test.py as
#   unshare --mount --uts --ipc --net --cgroup --pid --fork --kill-child boot.sh FOLDER [ROOT]
# FOLDER/install lies over ROOT, this machine's own unless told; nothing outside FOLDER is written.
set -euo pipefail
folder=$1
lower=${2:-/}
mount --make-rprivate /
mkdir -p "$folder/space"
mount -t tmpfs tmpfs "$folder/space"
root=$folder/space/root
mkdir "$folder/space/upper" "$folder/space/work" "$root"
cp -a "$folder/install/." "$folder/space/upper/"
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$folder/space/upper,workdir=$folder/space/work" "$root"

mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"  # else systemd-sysctl changes the machine
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
for place in dev run tmp; do mount -t tmpfs -o mode=755 tmpfs "$root/$place"; done
chmod 1777 "$root/tmp"
for device in null zero full random urandom tty; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
ln -s /proc/self/fd "$root/dev/fd"
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
mount -t tmpfs tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"

units=$root/etc/systemd/system
mkdir -p "$units"
echo 0123456789abcdef0123456789abcdef > "$root/etc/machine-id"
for unit in timers.target systemd-sysctl.service systemd-update-utmp.service \
  systemd-firstboot.service systemd-pcrphase.service systemd-pcrphase-sysinit.service \
  systemd-pcrphase-initrd.service systemd-timesyncd.service systemd-networkd.service; do
  ln -sf /dev/null "$units/$unit"
done
if [ "$lower" = / ]; then  # what is installed here for other tests
  for unit in prometheus.service prometheus-alertmanager.service nginx.service; do
    ln -sf /dev/null "$units/$unit"
  done
fi
cat > "$units/e2e.target" <<'UNIT'
[Unit]
Requires=basic.target
Wants=repository.service canaryd.service
After=basic.target repository.service
AllowIsolate=yes
UNIT
ip link set lo up
cd "$root"
mkdir -p .old
pivot_root . .old
umount -l /.old
mount --make-rshared /  # as a container's manager does; credentials need it
exec env -i container=e2e PATH=/usr/sbin:/usr/bin:/sbin:/bin \
  /lib/systemd/systemd --system --unit=e2e.target --log-target=journal
