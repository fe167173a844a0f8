# SPDX-License-Identifier: Apache-2.0
"""The real canaryd at work on a few probes, and a web server whose answers are hostile."""
import http.client
import http.server
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import threading
import time

# What would run, break out of an attribute, a title or a template, or is forbidden in XML.
EVIL = ("<script>window.evil = 1</script><img src=x onerror='window.evil = 2'>\"'></title></pre>"
        "{{name}}{{> body}}]]>&amp;\ufffe\uffff\u202e")


class Web(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        good = self.path == "/good"
        self.send_response(200 if good else 404)
        self.end_headers()
        self.wfile.write(b"well" if good else EVIL.encode())

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        pass  # whoever asked is gone


class Canaryd:
    """`with Canaryd(program) as canaryd:`; probes `good` and `evil`, each second, unless `probes` is
    another list (YAML, which a function of the Canaryd makes). Its folder stands in the environment as
    `folder_variable`."""

    def __init__(self, program, more="", arguments=(), probes=None, environment=None,
                 folder_variable="CANARYD_TEST_FOLDER"):
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.path = pathlib.Path(self.folder.name)
        self.web = Server(("127.0.0.1", 0), Web)
        threading.Thread(target=self.web.serve_forever, daemon=True).start()
        self.config = self.path / "canaryd.yml"
        self.config.write_text(
            f"state_directory: {self.path}/state\n"
            "web: {listen_addresses: ['127.0.0.1:0']}\n"
            "scheduler: {start_spread: 0s}\n" +
            ("probes:\n" + "".join(self.probe(name) for name in ("good", "evil"))
             if probes is None else probes(self)) + more)
        self.log = open(self.path / "log", "w+b")
        self.process = subprocess.Popen([program, "run", "--config", self.config, *arguments],
                                        stderr=self.log,
                                        env={**os.environ, folder_variable: str(self.path),
                                             **(environment or {})})
        self.address = self.wait_for(self.listening, "its address")

    def probe(self, name, path=None, more="interval: 1s"):
        return (f"  - {{name: {name}, {more}, timeout: 30s, http: "
                f"{{url: 'http://127.0.0.1:{self.web.server_port}/{path or name}', "
                f"contains: well}}}}\n")

    def listening(self):
        found = re.search(rb"msg=listening address=([0-9.:]+)", (self.path / "log").read_bytes())
        return found and found[1].decode()

    def wait_for(self, look, what, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            if seen := look():
                return seen
            time.sleep(0.05)
        raise AssertionError(f"canaryd did not come to {what}:\n{(self.path / 'log').read_text()}")

    def ask(self, path, method="GET", **headers):
        """The server's own answer: on a machine that is too busy its watchdog may stand in."""
        for _ in range(300):
            answer = self.ask_once(path, method, headers)
            if answer[0] != 503 or "watchdog" not in answer[2]:
                break
            time.sleep(0.2)
        return answer

    def ask_once(self, path, method, headers):
        connection = http.client.HTTPConnection(self.address, timeout=60)
        connection.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, answer.headers, body

    def page(self, path):
        status, _, body = self.ask(path, Accept="text/html")
        assert status == 200, (path, status, body)
        return body

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        finally:
            self.process.kill()
            self.process.wait()
            self.web.shutdown()
            self.web.server_close()
            self.log.close()
            self.folder.cleanup()
