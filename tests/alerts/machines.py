# SPDX-License-Identifier: Apache-2.0
"""What breaks: one canaryd for each kind of trouble, and the repositories that they watch."""
import contextlib
import filecmp
import functools
import http.server
import os
import pathlib
import re
import resource
import shutil
import signal
import ssl
import struct
import subprocess
import threading
import time

from harness import listening_port

NO_EXPIRY = "{warning: 0s, critical: 0s}"


class Files(http.server.SimpleHTTPRequestHandler):
    """Serves the folder of repositories; the first part of the path says how badly."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        way, _, rest = self.path[1:].partition("/")
        self.path = "/" + rest
        if way == "flaky" and int(time.time()) % 5 == 0:
            self.send_error(503)
            return
        if way == "rare" and int(time.time()) % 24 < 2:
            self.send_error(503)
            return
        if way == "slow" and rest.endswith("/timestamp.json"):
            time.sleep(1.75)
        if way == "queued" and rest.endswith("/timestamp.json"):
            time.sleep(1)
        with contextlib.suppress(OSError):
            super().do_GET()

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass  # clients that went away, and those that refuse a certificate


def start_server(handler, tls=None, address=("127.0.0.1", 0)):
    server = Server(address, handler)
    if tls:
        # The handshake is the connection's own thread's.
        server.socket = tls.wrap_socket(server.socket, server_side=True,
                                        do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def serve(handler, tls=None):
    return start_server(handler, tls).server_address[1]


def serve_silence():
    """Takes connections, and says nothing."""
    import socket
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    kept = []

    def accept():
        while True:
            kept.append(listener.accept()[0])
    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]


def serve_one_scrape_in_three(target):
    """A proxy before a canaryd, as bad as the way there can be."""
    import urllib.request
    calls = iter(range(10**9))

    class Proxy(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if next(calls) % 3:
                self.send_error(504)
                return
            with urllib.request.urlopen(f"http://{target}/metrics", timeout=5) as page:
                body = page.read()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass
    return serve(Proxy)


def certificate(folder, name, ends):
    """A self-signed certificate for 127.0.0.1, a month old and good until `ends`, seconds since
    1970."""
    home = folder / "ca" / name
    home.mkdir(parents=True)
    (home / "index.txt").touch()
    (home / "ca.cnf").write_text(
        f"[ca]\ndefault_ca=own\n[own]\ndatabase={home}/index.txt\nnew_certs_dir={home}\n"
        "rand_serial=yes\ndefault_md=sha256\npolicy=any\nx509_extensions=server\n"
        "[any]\ncommonName=supplied\n[server]\nsubjectAltName=IP:127.0.0.1\n"
        "basicConstraints=critical,CA:TRUE\n[req]\ndistinguished_name=none\n[none]\n")
    run = functools.partial(subprocess.run, check=True, capture_output=True)
    run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-keyout", home / "key.pem", "-out", home / "csr.pem", "-subj", "/CN=canary",
         "-config", home / "ca.cnf"])
    stamp = functools.partial(time.strftime, "%Y%m%d%H%M%SZ")
    run(["openssl", "ca", "-batch", "-selfsign", "-config", home / "ca.cnf", "-keyfile",
         home / "key.pem", "-in", home / "csr.pem", "-out", home / "cert.pem", "-notext",
         "-startdate", stamp(time.gmtime(time.time() - 30 * 86_400)),
         "-enddate", stamp(time.gmtime(ends))])
    return home


def openpgp_key(folder, name, seconds):
    """The public key, RSA 2048, of somebody whose key ends so many seconds from now."""
    home = folder / f"gpg-{name}"
    home.mkdir(mode=0o700)
    gpg = ["gpg", "--homedir", home, "--batch", "--quiet", "--pinentry-mode", "loopback",
           "--passphrase", ""]
    run = functools.partial(subprocess.run, check=True, capture_output=True)
    run([*gpg, "--quick-gen-key", f"{name} <{name}@example.com>", "rsa2048", "sign",
         f"seconds={seconds}"])
    key = run([*gpg, "--export"]).stdout
    subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], capture_output=True)
    file = folder / f"{name}.gpg"
    file.write_bytes(key)
    return file


class Repositories:
    """Signed by the project's own authoring; what is wrong with each is done to its files."""

    def __init__(self, program, folder, cleanup):
        self.folder, self.program, self.cleanup = folder, program, cleanup
        self.folder.mkdir()
        for name in ("good", "soon", "expired", "tampered", "newer"):
            self.sign(name)
        signed = time.time()
        shutil.copytree(folder / "newer", folder / "older")
        self.order("newer", "expire 864000")
        self.order("soon", "expire 86400")
        # Published ten days ago: a day is little of what is left.
        for file in (folder / "soon/metadata").iterdir():
            os.utime(file, (time.time() - 864_000,) * 2)
        self.order("expired", "expire 2")
        timestamp = folder / "tampered/metadata/timestamp.json"
        timestamp.write_text(timestamp.read_text().replace('"version":1', '"version":9'))
        self.port = serve(functools.partial(Files, directory=str(folder)))
        self.tls = {}
        for name, ends in (("ending", time.time() + 2 * 86_400), ("ended", time.time() + 75)):
            home = certificate(folder.parent, name, ends)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(home / "cert.pem", home / "key.pem")
            port = serve(functools.partial(Files, directory=str(folder)), context)
            self.tls[name] = (port, home / "cert.pem")

        # By the same keys as "good", the same version, later: another history.
        time.sleep(max(0, signed + 1.1 - time.time()))
        self.sign("forked")

        self.keys = {name: openpgp_key(folder.parent, name, seconds)
                     for name, seconds in (("key-ending", 2 * 86_400), ("key-ended", 75))}

    def key_probe(self, name):
        # RSA keys of 2,048 bits are refused by apt 3 from 2030 on.
        return (f"  - name: {name}\n    openpgp:\n      keys: {self.keys[name]}\n"
                f"      expiry: {{warning: 3d, critical: 0s}}\n"
                f"      refusal: {{warning: 3650d, critical: 0s}}\n")

    def sign(self, name):
        owner = subprocess.Popen([self.program, str(self.folder / name)], text=True,
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.cleanup.callback(owner.wait)
        self.cleanup.callback(owner.kill)
        owner.stdout.readline()
        setattr(self, name, owner)

    def order(self, name, words):
        owner = getattr(self, name)
        owner.stdin.write(words + "\n")
        owner.stdin.flush()
        owner.stdout.readline()

    def probe(self, name, repository="good", way="plain", port=None, more="", expiry=NO_EXPIRY,
              http="", tls=None, host="127.0.0.1", tuf=""):
        scheme = "http"
        if tls:
            scheme, (port, ca_file) = "https", self.tls[tls]
            http = f"ca_file: {ca_file}"
        base = f"{scheme}://{host}:{port or self.port}/{way}/{repository}"
        roles = "".join(f"        {role}: {expiry}\n"
                        for role in ("root", "timestamp", "snapshot", "targets"))
        return (f"  - name: {name}\n{more}"
                f"    http: {{max_attempts: 1{', ' + http if http else ''}}}\n"
                f"    tuf:\n      metadata_url: {base}/metadata\n"
                f"      root: {self.folder}/{repository}/root.json\n      expiry:\n{roles}"
                + tuf.replace("$BASE", base))


def same_history(folders):
    """Are the metadata of the two the same, to the byte?"""
    one, other = (folder / "metadata" for folder in folders)
    names = sorted(os.listdir(one))
    same, different, _ = filecmp.cmpfiles(one, other, names, shallow=False)
    return sorted(os.listdir(other)) == names == sorted(same) and not different


class Canaryd:
    """One process at a time, in a folder of its own; restarted where the trouble wants it."""

    def __init__(self, program, folder, name, cleanup):
        self.program, self.folder, self.name = program, folder / name, name
        (self.folder / "run").mkdir(parents=True)
        self.process, self.port, self.environment, self.output = None, 0, {}, None
        self.hands = {}
        self.within, self.flags = [], []  # a command that runs it, and flags of its own
        cleanup.callback(self.end)

    def configure(self, probes, watchdog="", scheduler="", interval="1s", timeout="5s", top=""):
        (self.folder / "canaryd.yml").write_text(
            f"state_directory: {self.folder}/state\n{top}"
            f"web: {{listen_addresses: ['127.0.0.1:{self.port}']}}\n"
            f"scheduler: {{start_spread: 1s{scheduler}}}\n"
            f"watchdog: {{on_dead: report{watchdog}}}\n"
            f"defaults: {{interval: {interval}, timeout: {timeout}}}\nprobes:\n" + "".join(probes))
        return self

    def fault(self, name, again=False, ms=None, path=None):
        self.environment = {"CANARY_FAULT": name, "CANARY_FAULT_DIR": str(self.folder)}
        if again:
            self.environment["CANARY_FAULT_AGAIN"] = "1"
        if ms:
            self.environment["CANARY_FAULT_MS"] = str(ms)
        if path:
            self.environment["CANARY_FAULT_PATH"] = str(path)
        return self

    def preload(self, shim):
        """With hands from outside: tests/faults/shim.cc."""
        file = self.folder / "shim"
        file.write_bytes(bytes(8192))
        self.hands = {"LD_PRELOAD": shim, "CANARY_SHIM": str(file)}
        return self

    def misbehave(self, call, misdeed, thread):
        """As in tests/faults/shim_control.h: a process, then a slot of 120 bytes for each call."""
        header = (pathlib.Path(__file__).parents[1] / "faults/shim_control.h").read_text()

        def number(kind, name):
            body = re.sub(r"//.*", "", re.search(rf"enum class {kind} .*?{{(.*?)}}", header,
                                                 re.S)[1])
            return [each.split("=")[0].strip() for each in body.split(",")].index(name)
        with open(self.folder / "shim", "r+b") as file:
            slot = 8 + 120 * number("Call", call)
            for at, value in ((0, struct.pack("i", self.process.pid)),
                              (slot + 40, thread.encode()),
                              (slot, struct.pack("i", number("Misdeed", misdeed)))):
                file.seek(at)
                file.write(value)
                file.flush()

    def kill_helpers(self, seconds):
        """As often as it is started."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and self.process.poll() is None:
            subprocess.run(["pkill", "-KILL", "-P", str(self.process.pid)], check=False)
            time.sleep(0.1)

    def stalls_quickly(self):
        """A run without progress for a second is stalled: less than a configuration may say."""
        self.hands = {"CANARY_RUN_STALL_MS": "1000"}
        return self

    def start(self, output=None):
        with open(self.folder / "log", "a") as log:
            self.process = subprocess.Popen(
                [*self.within, self.program, "run", "--config", str(self.folder / "canaryd.yml"),
                 *self.flags],
                stdout=output or log, stderr=output or log, restore_signals=False,
                env={**os.environ, "RUNTIME_DIRECTORY": str(self.folder / "run"),
                     **self.environment, **self.hands})
        self.port = listening_port(self.process, self.name)
        return self

    def trigger(self):
        (self.folder / "trigger").touch()

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def lower_descriptors(self):
        """prlimit(2): what it has open is more than four fifths of what it may, and it still works:
        an answer takes a few."""
        own = len(os.listdir(f"/proc/{self.process.pid}/fd"))
        resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE, (own + 10, own + 10))

    def stutter(self, seconds):
        """A machine that gives it little time: stopped for 1.5 s of every 2."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and self.process.poll() is None:
            self.signal(signal.SIGSTOP)
            time.sleep(1.5)
            self.signal(signal.SIGCONT)
            time.sleep(0.5)

    def forbid_writing(self):
        """prlimit(2): no file may grow. Who is told so by SIGXFSZ alone would die of it."""
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (1, 1))

    def end(self):
        if self.process and self.process.poll() is None:
            with contextlib.suppress(OSError):
                self.signal(signal.SIGCONT)
            self.kill()


def fifo(folder):
    path = pathlib.Path(folder) / "fifo"
    os.mkfifo(path)
    return path
