#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a scrape and the page cost, with few and with many `http` probes that run meanwhile, beside
as many scrapes of blackbox_exporter, which does its GET while it is scraped.

    tests/bench/scrape.py [--probes N...] [--interval SECONDS] [--rounds N]

For each number of probes: bytes and seconds of /metrics, plain and compressed, of the overview and
of one state's list; memory before and after; what promtool says of the metrics; and how late the
loop was, from the start on."""
import argparse
import gzip
import http.client
import os
import statistics
import subprocess
import sys
import time

from http_probes import EXPORTER, Exporter, HttpProbes

TARGETS = (("/metrics", "identity"), ("/metrics", "gzip"), ("/", "gzip"), ("/?state=ok", "gzip"))


def fetch(connection, path, encoding):
    """Seconds, and the body as it was sent."""
    begun = time.monotonic()
    connection.request("GET", path, headers={"Accept-Encoding": encoding, "Accept": "text/html"
                                             if path != "/metrics" else "*/*"})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        sys.exit(f"{path}: {answer.status}")
    if encoding == "gzip" and answer.getheader("Content-Encoding") != "gzip":
        sys.exit(f"{path}: was not compressed")
    return time.monotonic() - begun, body


def wait_for_all(site, probes):
    until = time.monotonic() + 3 * HttpProbes.interval + 60
    while time.monotonic() < until:
        page = site.metrics()
        if page.total("canaryd_probe_success") == probes:
            return
        time.sleep(1)
    sys.exit(f"not all of {probes} probes are well:\n{site.log.read_text()[-2000:]}")


def lateness(site):
    page = site.metrics()
    stalls = {labels: int(value) for labels, value in page.series["canaryd_stalls_total"] if value}
    told = [line for line in site.log.read_text().splitlines() if "level=warn" in line]
    longest = page.total("canaryd_executor_longest_handler_seconds")
    return (f"longest handler {1000 * longest:.0f} ms, beats at most {page.worst_bucket('canaryd_executor_heartbeat_lag_seconds')} s late, "
            f"stalls: {stalls or 'none'}" + "".join("\n        " + line[:300] for line in told[:5]))


def lint(body):
    done = subprocess.run(["promtool", "check", "metrics"], input=body, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    return "clean" if done.returncode == 0 and not done.stdout else done.stdout.decode()[:500]


def ours(probes, rounds):
    with HttpProbes(probes) as site:
        wait_for_all(site, probes)
        address, port = site.address.rsplit(":", 1)
        connection = http.client.HTTPConnection(address, int(port), timeout=60)
        before = site.rss()
        for path, encoding in TARGETS:
            taken = [fetch(connection, path, encoding) for _ in range(rounds)]
            times, body = [seconds for seconds, _ in taken], taken[-1][1]
            whole = len(gzip.decompress(body)) if encoding == "gzip" else len(body)
            print(f"{probes:<8}{path + (' gzip' if encoding == 'gzip' else ''):18}"
                  f"{statistics.median(times):9.3f}{max(times):9.3f}{len(body):12}{whole:12}",
                  flush=True)
            if encoding == "identity":
                series = sum(not line.startswith(b"#") for line in body.splitlines())
                print(f"        {series} series, {len(body) / probes:.0f} bytes a probe; promtool: "
                      f"{lint(body)}")
        print(f"        resident {before:.1f} MiB before, {site.rss():.1f} after; {lateness(site)}",
              flush=True)


def theirs(probes):
    with HttpProbes(1) as site, Exporter(site.folder) as peer:
        begun, sent = time.monotonic(), 0
        for i in range(probes):
            sent += len(peer.probe(f"{site.served}/page?{i}", {"Accept-Encoding": "gzip"}))
        print(f"{probes:<8}{'exporter, all':18}{time.monotonic() - begun:9.3f}{'':9}{sent:12}",
              flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--probes", type=int, nargs="+", default=[1, 1_000, 10_000])
    parser.add_argument("--interval", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=11)
    options = parser.parse_args()
    HttpProbes.interval = options.interval
    if not os.path.exists(EXPORTER):
        sys.exit("needs Debian's prometheus-blackbox-exporter")
    print(f"every probe each {options.interval} s, {options.rounds} scrapes of each, load "
          f"{os.getloadavg()[0]:.1f}\n{'probes':8}{'what':18}{'median s':>9}{'worst s':>9}"
          f"{'sent':>12}{'bytes':>12}")
    for probes in options.probes:
        ours(probes, options.rounds)
        theirs(probes)


if __name__ == "__main__":
    main()
