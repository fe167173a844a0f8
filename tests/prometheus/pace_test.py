#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rules at every pace that they promise: scraped each 15, 30 or 60 seconds, probes that run
each second, minute, hour or 31 days. promtool's input is made here, for each pair of the two.

usage: pace_test.py PROJECT_FOLDER
Exits 77 where a tool is missing.
"""
import pathlib
import sys

import rule_cases

SCRAPES = (15, 30, 60)
INTERVALS = (1, 60, 3600, 31 * 86_400)
TIMEOUT = 5
LENGTH = 2_700  # seconds that each case lasts
# What fires about one canaryd, and about none by name; and the heartbeat of all.
FIRING = 'count by (alertname) (ALERTS{alertstate="firing",severity!="none",instance="%s"})'
NAMELESS = 'count by (alertname) (ALERTS{alertstate="firing",severity!="none",instance=""})'
BEATS = 'count by (alertname) (ALERTS{alertstate="firing",alertname="CanarydHeartbeat"})'


def limit(interval):
    """When a probe is stale, as docs/runbook.md has it."""
    return 1.5 * interval + min(1.5 * interval, 3600) + TIMEOUT


class Case:
    """A canaryd with one probe, all well; series are functions of the scrape's time."""

    def __init__(self, scrape, interval):
        self.scrape, self.interval, self.expected = scrape, interval, []
        self.instance = f"probe every {interval} s"
        self.series = {
            'up{%s}': lambda at: 1,
            'canaryd_time_seconds{%s}': lambda at: at,
            'canaryd_executor_stalled{%s}': lambda at: 0,
            'canaryd_executor_last_heartbeat_timestamp_seconds{%s}': lambda at: at - 0.05,
            'process_start_time_seconds{%s}': lambda at: -10,
            'canaryd_config_probes{%s}': lambda at: 1,
            'canaryd_probe_interval_seconds{%s,probe="p"}': lambda at: interval,
            'canaryd_probe_timeout_seconds{%s,probe="p"}': lambda at: TIMEOUT,
            'canaryd_probe_last_run_timestamp_seconds{%s,probe="p"}': self.last_run,
            'canaryd_probe_last_duration_seconds{%s,probe="p"}': lambda at: 0.5,
            'canaryd_probe_success{%s,probe="p"}': lambda at: 1,
            'canaryd_probe_consecutive_failures{%s,probe="p"}': lambda at: 0,
            'canaryd_probe_finding_severity{%s,probe="p",check="reachable"}': lambda at: 0,
            'canaryd_probe_runs_total{%s,probe="p"}': lambda at: 100 + at // interval,
            'canaryd_probe_failures_total{%s,probe="p",reason="dns"}': lambda at: 3,
            'canaryd_probe_stalls_total{%s,probe="p"}': lambda at: 0,
            'canaryd_probe_runs_skipped_total{%s,probe="p",reason="overlap"}': lambda at: 0,
        }

    def last_run(self, at):
        """At one and a half intervals after the first, as late as it may be; then each interval."""
        runs_at = -0.4 * self.interval
        return runs_at + (at - runs_at) // self.interval * self.interval

    def set(self, name, value):
        matching = [series for series in self.series if series.startswith(name)]
        assert len(matching) == 1, (name, matching)
        self.series[matching[0]] = value
        return self

    def expect(self, at, *alerts, expr=FIRING):
        samples = [{"labels": f'{{alertname="{alert}"}}', "value": 1} for alert in sorted(alerts)]
        self.expected.append({"expr": expr.replace("%s", self.instance),
                              "eval_time": f"{round(at)}s", "exp_samples": samples})
        return self

    def input(self):
        times = range(0, LENGTH + self.scrape, self.scrape)
        labels = f'job="canaryd",instance="{self.instance}"'
        return [{"series": series % labels,
                 "values": " ".join(f"{value(at):.3f}" for at in times)}
                for series, value in self.series.items()]


def document(name, case, scrape):
    """Probes of every pace beside each other, each of a canaryd of its own."""
    cases = [case(scrape, interval) for interval in INTERVALS]
    checks = [check for each in cases for check in each.expected]
    checks += [{"expr": NAMELESS, "eval_time": at, "exp_samples": []}
               for at in sorted({check["eval_time"] for check in checks})]
    return {"name": f"{name}, scraped every {scrape} s",
            "interval": f"{scrape}s",
            "input_series": [series for each in cases for series in each.input()],
            "promql_expr_test": checks}


def healthy(scrape, interval):
    case = Case(scrape, interval)
    for at in range(300, LENGTH, 60):
        case.expect(at)
    return case.expect(LENGTH, "CanarydHeartbeat", expr=BEATS)


def probe_stops(scrape, interval):
    """Its last run was so long ago that it becomes stale at 600 s."""
    case = Case(scrape, interval)
    case.set("canaryd_probe_last_run", lambda at: 600 - limit(interval))
    case.expect(595)
    return case.expect(660 + 3 * scrape, "CanarydProbeStale")


def hangs_for_half_a_minute(scrape, interval):
    """And is restarted: one scrape a minute sees it once."""
    seen = 600
    case = Case(scrape, interval)

    def age(at):
        return at - (seen - 12) if seen <= at < seen + 18 else 0.05
    case.set("canaryd_executor_last", lambda at: at - age(at))
    case.set("canaryd_executor_stalled", lambda at: 1 if age(at) > 1 else 0)
    case.expect(seen - 5)
    case.expect(seen + 2 * scrape, "CanarydExecutorStalled")
    return case.expect(seen + 300)


def hiccup(scrape, interval):
    """A second of it, which a scrape happens to see."""
    case = Case(scrape, interval)
    case.set("canaryd_executor_last", lambda at: at - (1.2 if at == 600 else 0.05))
    case.set("canaryd_executor_stalled", lambda at: 1 if at == 600 else 0)
    for at in range(600, 900, 15):
        case.expect(at)
    return case


def runs_fail(severity):
    """From 600 s on; of a probe that runs seldom there is one failed run to go by."""
    def case(scrape, interval):
        case = Case(scrape, interval)
        failed = 1 if interval >= 3600 else 3
        case.set("canaryd_probe_finding", lambda at: severity if at >= 600 else 0)
        case.set("canaryd_probe_consecutive", lambda at: failed if at >= 600 else 0)
        case.set("canaryd_probe_success", lambda at: 0 if at >= 600 else 1)
        case.expect(595)
        if severity == 2:
            return case.expect(660 + 3 * scrape, "RepoProbeFailing")
        case.expect(660 + 3 * scrape)
        return case.expect(1500 + 3 * scrape, "RepoUnreachable")
    return case


def runs_are_skipped(scrape, interval):
    """Each one that is due, but of the seldom ones one."""
    case = Case(scrape, interval)
    case.set("canaryd_probe_runs_skipped",
             lambda at: 0 if at < 600 else 1 if interval >= 3600 else (at - 600) // interval + 1)
    case.expect(595)
    return case.expect(1500 + 4 * scrape, "CanarydRunsSkipped")


def run_stalls(scrape, interval):
    """Every tenth run, but of the seldom ones one."""
    case = Case(scrape, interval)
    case.set("canaryd_probe_stalls", lambda at: 0 if at < 600 else 1 if interval >= 3600 else
             (at - 600) // (10 * interval))
    case.expect(595)
    return case.expect(2600, "CanarydProbeStallsRepeatedly")


def scrapes_are_lost(scrape, interval):
    """Two in three of them, from 600 s on: what was scraped is as good as ever."""
    case = Case(scrape, interval)
    case.set("up", lambda at: 1 if at < 600 or at // scrape % 3 == 0 else 0)
    case.expect(595)
    return case.expect(600 + 1800 + 2 * scrape, "CanarydScrapesLost")


CASES = {"all is well": healthy, "the probe stops": probe_stops,
         "the loop hangs for 30 s": hangs_for_half_a_minute, "the loop has a hiccup": hiccup,
         "the repository is bad": runs_fail(2), "the repository cannot be reached": runs_fail(3),
         "runs are skipped": runs_are_skipped, "runs stall": run_stalls,
         "most scrapes are lost": scrapes_are_lost}


def documents():
    return {f"every-{scrape}-s": {
        "evaluation_interval": f"{scrape}s",
        "tests": [document(name, case, scrape) for name, case in CASES.items()]}
            for scrape in SCRAPES}


def main(project):
    rule_cases.require_tools()
    rules = rule_cases.Rules(rule_cases.read(project / "config/prometheus/canaryd.rules.yml"))
    sys.exit(rule_cases.run(rules, documents()))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).resolve())
