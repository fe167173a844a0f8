# SPDX-License-Identifier: Apache-2.0
"""What a page of the manual asks of a container engine, done by container_test.py's namespaces.

Each `docker ...` of the page is taken apart. What the image is, where it may write, who it runs as and
how it is asked for its health comes from the Dockerfile; what the page says of these must be the same,
and a command or an option that is not known here is an error: a page says only what was done.
"""
import json
import os
import pathlib
import re
import shlex
import signal
import time

from system_test import Failed, eventually

PROJECT = pathlib.Path(__file__).resolve().parents[2]
DOCKERFILE = PROJECT / "systemd/container/Dockerfile"
# What the namespaces are in any case: a page that does not ask for it says less than is tried.
CONFINED = {("--read-only", ""), ("--cap-drop", "ALL"), ("--security-opt", "no-new-privileges")}
FLAGS = {"-d", "--read-only"}
STOP_WITHIN = 10  # seconds, an engine's default; then it kills


def instructions():
    """The Dockerfile's lines by their names."""
    text = DOCKERFILE.read_text().replace("\\\n", " ")
    found = dict(re.findall(r"^(USER|VOLUME|EXPOSE|STOPSIGNAL|ENTRYPOINT|CMD|HEALTHCHECK|RUN) +(.*)$",
                            text, re.M))
    found["HEALTHCHECK"] = json.loads(found["HEALTHCHECK"].split("CMD", 1)[1])
    for name in ("ENTRYPOINT", "CMD"):
        found[name] = json.loads(found[name])
    return found


def commands(text):
    """Those of `docker` in a text, with their continued lines, as words."""
    joined = re.sub(r"\\\n[#\s]*", " ", text)
    return [shlex.split(line)[1:] for line in re.findall(r"^[# ]*(docker .*)$", joined, re.M)]


def options(words, known):
    """[(option, value)] and what follows them."""
    found = []
    while words and words[0].startswith("-"):
        name, *words = words
        if name not in known:
            raise Failed(f"`docker ... {name}` is not known to this test")
        value = ""
        if name not in FLAGS:
            value, *words = words
        found.append((name, value))
    return found, words


class Engine:
    """`start(lines, mounts, command)` gives a running Container; `lines` are the Dockerfile's."""

    def __init__(self, folder, start):
        self.folder, self.start, self.lines = folder, start, instructions()
        self.images, self.containers, self.ended = set(), {}, {}

    def do(self, words):
        """What the command shows."""
        verb, *words = words
        todo = {"build": self.build, "run": self.run, "exec": self.exec, "kill": self.kill,
                "inspect": self.inspect, "logs": self.logs, "stop": self.stop}.get(verb)
        if not todo:
            raise Failed(f"`docker {verb}` is not known to this test")
        return todo(words) or ""

    def build(self, words):
        given, context = options(words, {"-f", "-t"})
        given = dict(given)
        if (PROJECT / given["-f"]) != DOCKERFILE or len(context) != 1:
            raise Failed(f"`docker build` of another file than {DOCKERFILE}, or of another folder")
        # Where ./canary leaves the package, and what the Dockerfile takes of it.
        if f"{context[0]}/canaryd_VERSION_ARCH.deb" not in (PROJECT / "canary").read_text():
            raise Failed(f"./canary package leaves nothing in {context[0]}")
        if "/package/canaryd_*.deb" not in self.lines["RUN"] or "target=/package" not in self.lines["RUN"]:
            raise Failed("the Dockerfile does not install the package of its folder")
        self.images.add(given["-t"])

    def asked(self, words):
        """A `docker run` as (name, volumes, command), if it is one that the namespaces do."""
        given, rest = options(words, FLAGS | {"--name", "--cap-drop", "--security-opt", "-v", "-p"})
        if left := CONFINED - set(given):
            raise Failed(f"`docker run` without {sorted(left)}, which this test has in any case")
        if not rest or rest[0] not in self.images:
            raise Failed(f"`docker run` of {rest[:1]}, and built are {sorted(self.images)}")
        command = rest[1:] or self.lines["CMD"]
        for name, value in given:
            port = self.lines["EXPOSE"]
            if name == "-p" and (value != f"{port}:{port}" or f":{port}" not in command):
                raise Failed(f"-p {value}; the image has {port} and listens on {command}")
        volumes = [value.split(":") for name, value in given if name == "-v"]
        if [self.lines["VOLUME"]] != [to for _, to, *how in volumes if not how]:
            raise Failed(f"of {volumes} not {self.lines['VOLUME']} alone can be written")
        if any(how != ["ro"] for _, _, *how in volumes if how):
            raise Failed(f"{volumes}: only `ro` is known to this test")
        return dict(given).get("--name"), volumes, command

    def run(self, words):
        name, volumes, command = self.asked(words)
        mounts = {to: self.folder / source for source, to, *how in volumes if how}
        self.containers[name] = self.start({**self.lines, "CMD": command}, mounts)
        container, port = self.containers[name], int(self.lines["EXPOSE"])

        def listens():
            if container.shell.poll() is not None:
                raise Failed(f"it ended with {container.shell.returncode}: {container.text()}")
            sockets = container.run("cat", "/proc/net/tcp", "/proc/net/tcp6").stdout
            return re.search(rf"^\s*\d+: 0+:{port:04X} ", sockets, re.M)
        eventually(f"it listens on {port} of every address", listens)

    def exec(self, words):
        name, *command = words
        done = self.containers[name].run(*command)
        if done.returncode != 0:
            raise Failed(f"docker exec {shlex.join(words)}: {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def kill(self, words):
        given, (name,) = options(words, {"-s"})
        os.kill(self.containers[name].pid, getattr(signal, f"SIG{dict(given)['-s']}"))
        time.sleep(0.5)  # what it says comes a moment later

    def inspect(self, words):
        given, (name,) = options(words, {"--format"})
        container = self.containers.get(name)
        if dict(given)["--format"] == "{{.State.ExitCode}}":
            return f"{self.ended[name]}\n"
        if dict(given)["--format"] != "{{.State.Health.Status}}":
            raise Failed(f"`docker inspect --format {dict(given)['--format']}` is not known to this test")
        eventually("the health check is content",
                   lambda: container.run(*self.lines["HEALTHCHECK"]).returncode == 0)
        return "healthy\n"

    def logs(self, words):
        (name,) = words
        return self.containers[name].text()

    def stop(self, words):
        (name,) = words
        container = self.containers[name]
        os.kill(container.pid, getattr(signal, self.lines["STOPSIGNAL"]))
        self.ended[name] = container.shell.wait(timeout=STOP_WITHIN)
        return f"{name}\n"
