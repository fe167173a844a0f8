# SPDX-License-Identifier: Apache-2.0
"""A canaryd with many repositories that a private nginx serves, and what can be seen of it."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request

BUILD = pathlib.Path(os.environ.get("CANARY_BUILD", "build/release"))
SERVE = 'source tests/bench/serve.sh && serve "$1" "$2" >/dev/null && echo "$nginx_pid $url"'
TICK = os.sysconf("SC_CLK_TCK")


class Page:
    """A page of metrics."""

    def __init__(self, text):
        self.series = {}  # name: [(labels as text, value)]
        for line in text.splitlines():
            if line.startswith("#"):
                continue
            key, value = line.rsplit(" ", 1)
            name, _, labels = key.partition("{")
            self.series.setdefault(name, []).append((labels.rstrip("}"), float(value)))

    def total(self, name, *labels):
        return sum(value for found, value in self.series.get(name, ())
                   if all(label in found for label in labels))

    def worst_bucket(self, name):
        """The smallest bound that holds every observation of a histogram, as text."""
        buckets = self.series[f"{name}_bucket"]
        edges = [labels.split('"')[1] for labels, _ in buckets]
        place = next(i for i, (_, seen) in enumerate(buckets) if seen == buckets[-1][1])
        return edges[place] if edges[place] != "+Inf" else f"more than {edges[place - 1]}"


class ManyProbes:
    """`with ManyProbes(1000) as site`: serves and monitors; everything is gone afterwards."""

    def __init__(self, probes, prefix=(), quiet=False):
        self.probes, self.prefix, self.quiet = probes, list(prefix), quiet
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="canaryd-soak."))
        self.folder.chmod(0o755)  # nginx drops its privileges
        self.log = self.folder / "log"
        self.nginx = self.process = self.address = self.began = None

    def __enter__(self):
        try:
            if not self.quiet:
                print(f"writing {self.probes} repositories", flush=True)
            repositories = self.folder / "repositories"
            self.write_repositories(repositories)
            nginx, url = subprocess.run(["bash", "-c", SERVE, "serve", repositories, self.folder],
                                        check=True, stdout=subprocess.PIPE,
                                        text=True).stdout.split()
            self.nginx = int(nginx)
            self.start(self.configuration(url, repositories))
        except BaseException:
            self.__exit__()
            raise
        return self

    def write_repositories(self, repositories):
        subprocess.run([BUILD / "bench_repository", repositories, f"small:{self.probes}"],
                       check=True)

    def configuration(self, url, repositories):
        lines = [
            f"state_directory: {self.folder}/state",
            "web: {listen_addresses: ['127.0.0.1:0']}",
            "scheduler: {max_concurrent_runs: 64, max_concurrent_runs_per_host: 64, "
            "start_spread: 10s}",
            "defaults: {interval: 10s, timeout: 10s, http: {proxy: none}}",
            "probes:",
        ]
        for i in range(self.probes):
            lines.append(f"  - {{name: probe-{i}, tuf: {{metadata_url: '{url}/{i}/metadata', "
                         f"root: '{repositories}/{i}/metadata/1.root.json', targets: all}}}}")
        file = self.folder / "canaryd.yml"
        file.write_text("\n".join(lines) + "\n")
        return file

    def start(self, configuration):
        self.began = time.monotonic()
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [*self.prefix, BUILD / "canaryd", "run", "--config", configuration], stderr=log)
        until = time.monotonic() + 60
        while self.address is None:
            found = re.search(r"msg=listening address=(\S+)", self.log.read_text())
            self.address = found and found[1]
            if self.process.poll() is not None or time.monotonic() > until:
                raise SystemExit("canaryd did not start:\n" + self.log.read_text()[-2000:])
            time.sleep(0.1)

    def __exit__(self, *_):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.nginx is not None:
            os.kill(self.nginx, signal.SIGTERM)
        shutil.rmtree(self.folder, ignore_errors=True)

    def stop(self, limit=60):
        """Asks it to stop; its exit code."""
        self.process.terminate()
        return self.process.wait(limit)

    def alive(self):
        return self.process.poll() is None

    def metrics(self, limit=60):
        with urllib.request.urlopen(f"http://{self.address}/metrics", timeout=limit) as answer:
            return Page(answer.read().decode())

    def cpu(self):
        """Processor seconds so far."""
        stat = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        fields = stat.rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def rss(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))
