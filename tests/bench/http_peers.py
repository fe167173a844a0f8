#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plain GETs by canaryd's `http` probes beside Debian's blackbox_exporter, of the same nginx.

    tests/bench/http_peers.py [--probes N...] [--interval SECONDS] [--rounds N]

Every probe is due once an interval. canaryd schedules them itself; the exporter has no schedule and
is asked by a plain loop at the same pace, which is not counted, as little as the Prometheus is that
would ask it. In turn, so many rounds; each is watched for one interval, after one to settle in."""
import argparse
import http.client
import os
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/soak"))
from many_probes import TICK, ManyProbes  # noqa: E402

EXPORTER = "/usr/bin/prometheus-blackbox-exporter"
PAGE = b"<html><body>all is well</body></html>\n" * 25  # about 1 kB


class HttpProbes(ManyProbes):
    """canaryd with so many GETs. Whatever else the fixture serves is not asked for."""
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


def cpu_of(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def resident(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


def canaryd(probes):
    """CPU milliseconds a GET, and MiB."""
    with HttpProbes(probes) as site:
        time.sleep(HttpProbes.interval + 2)
        before, cpu = site.metrics(), site.cpu()
        time.sleep(HttpProbes.interval)
        used, page = site.cpu() - cpu, site.metrics()
        runs = page.total("canaryd_probe_runs_total") - before.total("canaryd_probe_runs_total")
        well = page.total("canaryd_probe_success")
        if well != probes or runs < 0.9 * probes:
            print(f"canaryd: {runs:.0f} runs of {probes} probes, {well:.0f} well", flush=True)
        return 1000 * used / runs, site.rss()


def exporter(probes):
    """The same of the exporter, asked one by one at that pace."""
    with HttpProbes(1) as site:  # for its nginx
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        config = site.folder / "blackbox.yml"
        config.write_text("modules: {get: {prober: http, timeout: 5s, "
                          "http: {preferred_ip_protocol: ip4}}}\n")
        child = subprocess.Popen([EXPORTER, f"--config.file={config}", "--log.level=error",
                                  f"--web.listen-address=127.0.0.1:{port}"],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            return asked(child.pid, port, site.served, probes)
        finally:
            child.kill()
            child.wait()


def asked(pid, port, served, probes):
    ask = http.client.HTTPConnection("127.0.0.1", port)
    for _ in range(100):
        try:
            ask.connect()
            break
        except OSError:
            time.sleep(0.1)
    cpu = late = 0.0
    for interval in range(2):  # the first to settle in
        begun, cpu = time.monotonic(), cpu_of(pid)
        for i in range(probes):
            due = begun + i * HttpProbes.interval / probes
            time.sleep(max(0.0, due - time.monotonic()))
            ask.request("GET", f"/probe?module=get&target={served}/page?{i}")
            answer = ask.getresponse().read()
            if b"\nprobe_success 1\n" not in answer:
                sys.exit("the exporter does not succeed:\n" + answer.decode()[-2000:])
        late = time.monotonic() - begun - HttpProbes.interval
    if late > 1:
        print(f"the exporter was {late:.1f} s late", flush=True)
    return 1000 * (cpu_of(pid) - cpu) / probes, resident(pid)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--probes", type=int, nargs="+", default=[1_000, 5_000])
    parser.add_argument("--interval", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    HttpProbes.interval = options.interval
    if not os.path.exists(EXPORTER):
        sys.exit("needs Debian's prometheus-blackbox-exporter")
    print(f"medians of {options.rounds}, every probe each {options.interval} s, "
          f"load {os.getloadavg()[0]:.1f}\n"
          f"{'':10}{'CPU per GET, ms':>28}{'':>10}{'resident, MiB':>20}\n"
          f"{'GETs':10}{'canaryd':>14}{'exporter':>14}{'ratio':>10}{'canaryd':>10}{'exporter':>10}")
    memory = {}
    for probes in options.probes:
        ours, theirs = [], []
        for _ in range(options.rounds):
            ours.append(canaryd(probes))
            theirs.append(exporter(probes))
        (our_cpu, our_memory), (their_cpu, their_memory) = (
            (statistics.median(column) for column in zip(*figures)) for figures in (ours, theirs))
        memory[probes] = our_memory
        print(f"{probes:<10}{our_cpu:14.3f}{their_cpu:14.3f}{our_cpu / their_cpu:10.2f}"
              f"{our_memory:10.1f}{their_memory:10.1f}", flush=True)
    if len(memory) > 1:
        few, many = min(memory), max(memory)
        each = (memory[many] - memory[few]) / (many - few)
        print(f"canaryd: {memory[few] - few * each:.1f} MiB and {each * 1024:.2f} KiB a probe")


if __name__ == "__main__":
    main()
