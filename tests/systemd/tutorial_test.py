#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Pages of the manual on a bare Debian 12, booted with its systemd: every command as it stands, and
every output that the page shows.

docs/tutorial.md begins with nothing but Debian's base and the package's file. docs/howto.md begins
where that has installed canaryd; howto_world.py is the servers that it speaks of. What `apt-get`
would fetch comes from an archive within. Needs root, namespaces and, the first time in a build
folder, Debian's archive; exits 77 with the reason where they are missing.
"""
import argparse
import pathlib
import re
import shutil
import sys
import tempfile

import system_test
from bare_root import bare_root
from package_test import Host, next_version, pack
from system_test import Failed, say
from walkthrough import Terminal, steps

HERE = pathlib.Path(__file__).resolve().parent
DOCS = HERE.parent.parent / "docs"
NAMES = " ".join(f"{name}.example.com" for name in ("repository", "private", "mirror-a", "mirror-b",
                                                    "proxy"))
# What the pages' readers have elsewhere.
WORLD = f"""
mv next/*.deb .
echo '127.0.0.1 {NAMES}' >> /etc/hosts
canaryd demo --sign /srv/world
mkdir /srv/world/tls
cd /srv/world/tls
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=world -keyout ca.key \\
  -out /usr/local/share/ca-certificates/world.crt
openssl req -newkey rsa:2048 -nodes -subj /CN=example.com -keyout server.key -out server.csr
echo 'subjectAltName=DNS:*.example.com' > names
openssl x509 -req -in server.csr -CA /usr/local/share/ca-certificates/world.crt -CAkey ca.key \\
  -days 30 -extfile names -out server.pem
cd
update-ca-certificates
echo 'Bearer of-today' > /srv/world/token
echo 'canaryd:secret' > /srv/world/proxy-password
install -m 644 /srv/world/roots/healthy.root.json /etc/canaryd/roots/releases.root.json
systemd-run --unit=world python3 /root/howto_world.py /srv/world
until curl -sf -o /dev/null https://repository.example.com/; do sleep 0.2; done
systemctl restart canaryd
"""


def installs(page):
    found = re.findall(r"^apt-get install .*$", "".join(step.typed for step in steps(page)), re.M)
    if not found:
        raise Failed(f"{page.name} installs nothing")
    return found


def tutorial(terminal):
    return terminal.follow(DOCS / "tutorial.md")


def howto(terminal):
    terminal.type(steps(DOCS / "tutorial.md")[0].typed)
    terminal.type(WORLD)
    say("installed, and a world to watch")
    # There is no container engine: container_test.py types what needs one.
    return terminal.follow(DOCS / "howto.md", but=("In a container",))


PAGES = {"tutorial": tutorial, "howto": howto}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--build", required=True)
    parser.add_argument("page", choices=PAGES)
    options = parser.parse_args()
    cgroups = system_test.requirements()
    with tempfile.TemporaryDirectory(prefix="canary-tutorial-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        machine = terminal = None
        try:
            deb = pack(options.build, folder / "package")
            root = bare_root(options.build, deb, installs(DOCS / "tutorial.md"))
            say(f"a bare Debian {(root / 'etc/debian_version').read_text().strip()}")
            home = folder / "install/root"
            home.mkdir(parents=True)
            shutil.copy(deb, home)
            if options.page == "howto":
                (home / "next").mkdir()
                shutil.copy(next_version(deb, folder), home / "next" / deb.name.replace("-1_", "-2_"))
                shutil.copy(HERE / "howto_world.py", home)
            machine = Host(folder, cgroups, root)
            terminal = Terminal(machine)
            done = PAGES[options.page](terminal)
            say(f"{len(done)} blocks, {sum(bool(step.shown) for step in done)} with what they show")
        except Failed as failed:
            say(f"FAILED: {failed}")
            if machine:
                print(machine.journal()[-4000:])
            return 1
        finally:
            if terminal:
                terminal.close()
            if machine:
                machine.stop()
    say("all well")
    return 0


if __name__ == "__main__":
    sys.exit(main())
