# SPDX-License-Identifier: Apache-2.0
"""A bare Debian 12: the root file system of a machine on which nothing but Debian's base and systemd
was ever installed, and a package archive of its own (/srv/archive), so that `apt-get install` works
in it without a network.

It is made once, from Debian's archive, and kept in the build folder.
"""
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

from system_test import skip

BASE = "systemd,systemd-sysv,dbus,ca-certificates"
SOURCES = "deb [trusted=yes] file:/srv/archive ./\n"
# Downloads what COMMAND would install, with the archive's own apt, and keeps it as an archive.
FETCH = """set -eu
cp "{deb}" "$1/root/"
chroot "$1" sh -c 'cd /root && {command} -o APT::Install-Recommends=true --download-only'
mkdir -p "$1/srv/archive"
mv "$1"/var/cache/apt/archives/*.deb "$1/srv/archive/"
rm "$1"/root/*.deb
cd "$1/srv/archive" && dpkg-scanpackages --multiversion . /dev/null > Packages 2>/dev/null
"""


def bare_root(build, deb, installs):
    """The folder of a root whose archive has what the commands `installs` need; DEB lies where they
    are run, in /root."""
    if not shutil.which("mmdebstrap") or not shutil.which("dpkg-scanpackages"):
        skip("mmdebstrap or dpkg-scanpackages is not installed")
    depends = subprocess.run(["dpkg-deb", "-f", str(deb), "Depends"], capture_output=True, text=True,
                             check=True).stdout
    command = " -o APT::Install-Recommends=true --download-only && ".join(installs)
    made_of = "\0".join((depends, command, pathlib.Path(__file__).read_text()))
    name = f"bare-{hashlib.sha256(made_of.encode()).hexdigest()[:12]}"
    root = pathlib.Path(build).resolve() / "debian" / name
    if root.exists():
        return root
    for old in root.parent.glob("*"):
        shutil.rmtree(old)
    root.parent.mkdir(exist_ok=True)
    growing = root.with_name(f"{name}.{os.getpid()}")
    done = subprocess.run(
        ["mmdebstrap", "--mode=root", "--variant=minbase", "--dpkgopt=force-unsafe-io",
         f"--include={BASE}", f"--customize-hook={FETCH.format(deb=deb, command=command)}",
         "bookworm", str(growing)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
    if done.returncode != 0:
        shutil.rmtree(growing, ignore_errors=True)
        print(done.stderr[-2000:], file=sys.stderr)
        skip(f"no bare Debian 12 could be made: {done.stderr.strip().splitlines()[-1]}")
    (growing / "etc/apt/sources.list").write_text(SOURCES)
    growing.rename(root)
    return root
