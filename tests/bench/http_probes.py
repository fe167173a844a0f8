# SPDX-License-Identifier: Apache-2.0
"""canaryd with many `http` probes of one nginx, and Debian's blackbox_exporter beside it."""
import http.client
import pathlib
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "soak"))
from many_probes import ManyProbes  # noqa: E402

EXPORTER = "/usr/bin/prometheus-blackbox-exporter"
PAGE = b"<html><body>all is well</body></html>\n" * 25  # about 1 kB


class HttpProbes(ManyProbes):
    """canaryd with so many GETs: probes `get-0`, `get-1`, ... ."""
    interval = 10

    def __init__(self, probes):
        super().__init__(probes, quiet=True)
        self.served = None

    def write_repositories(self, repositories):
        repositories.mkdir()
        (repositories / "page").write_bytes(PAGE)

    def configuration(self, url, repositories):
        self.served = url
        lines = [
            f"state_directory: {self.folder}/state",
            "web: {listen_addresses: ['127.0.0.1:0']}",
            f"scheduler: {{start_spread: {self.interval}s, max_concurrent_runs: 64, "
            "max_concurrent_runs_per_host: 64}",
            f"defaults: {{interval: {self.interval}s, timeout: 5s, http: {{proxy: none}}}}",
            "probes:",
            *(f"  - {{name: get-{i}, http: {{url: '{url}/page?{i}'}}}}"
              for i in range(self.probes)),
        ]
        file = self.folder / "canaryd.yml"
        file.write_text("\n".join(lines) + "\n")
        return file


class Exporter:
    """`with Exporter(FOLDER) as exporter`: one of its own, with a module `get`."""

    def __init__(self, folder):
        config = folder / "blackbox.yml"
        config.write_text("modules: {get: {prober: http, timeout: 5s, "
                          "http: {preferred_ip_protocol: ip4}}}\n")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.process = subprocess.Popen([EXPORTER, f"--config.file={config}", "--log.level=error",
                                         f"--web.listen-address=127.0.0.1:{port}"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.pid = self.process.pid
        self.connection = http.client.HTTPConnection("127.0.0.1", port)

    def __enter__(self):
        for _ in range(100):
            try:
                self.connection.connect()
                return self
            except OSError:
                time.sleep(0.1)
        self.__exit__()
        raise SystemExit("the exporter does not start")

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def probe(self, target, headers=None):
        """What it says of a GET of `target`, as it was sent."""
        self.connection.request("GET", f"/probe?module=get&target={target}", headers=headers or {})
        return self.connection.getresponse().read()
