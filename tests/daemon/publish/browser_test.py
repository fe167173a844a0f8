#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The pages in a real browser: nothing breaks the policy, hostile markup does not run, a phone needs
not scroll sideways, both colour schemes can be read, it works without script, the button works.

usage: browser_test.py CANARYD [FOLDER]      pictures of each page into the folder, for people
Exits 77 where there is no chromium.
"""
import json
import pathlib
import shutil
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "support"))
from browser import AXE, Browser  # noqa: E402
from running_canaryd import Canaryd  # noqa: E402

PROGRAM = sys.argv.pop(1) if len(sys.argv) > 1 else ""
PICTURES = pathlib.Path(sys.argv.pop(1)) if len(sys.argv) > 1 else None
PAGES = ("/", "/probe/evil", "/probe/good", "/incidents", "/hangs", "/hangs/stall-000001-loop",
         "/runbook", "/config")
class InABrowser(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.canaryd = cls.enterClassContext(Canaryd(PROGRAM))
        cls.canaryd.wait_for(lambda: "window.evil" in cls.canaryd.page("/incidents"), "an incident")
        dump = {"headline": "loop hung for 12 s: blocking_call", "time": "2026-11-26T01:00:00Z",
                "process": 1, "culprit": {"function": "f()", "file": "probes/x.cc", "line": 3},
                "stacks": [{"name": "loop", "thread": 7, "culprit": True, "frames": [
                    {"function": "read", "module": "/lib/libc.so.6"},
                    {"function": "canary::a_long_name<" + "x" * 300 + ">()",
                     "file": "probes/x.cc", "line": 3}]}]}
        folder = cls.canaryd.path / "state/dumps"
        (folder / "stall-000001-loop.json").write_text(json.dumps(dump))
        (folder / "stall-000001-loop.txt").write_text("canaryd: loop hung for 12 s\n")
        cls.browser = Browser(shutil.which("chromium"), PICTURES)
        cls.addClassCleanup(cls.browser.close)

    def load(self, path):
        self.browser.load(f"http://{self.canaryd.address}{path}")

    def test_every_page_is_quiet_readable_and_fits_a_phone_in_both_schemes(self):
        for width, scheme in ((390, "dark"), (1280, "light"), (390, "light"), (1280, "dark")):
            self.browser.look(width, scheme)
            for path in PAGES:
                self.load(path)
                where = f"{path} at {width} in {scheme}"
                self.browser.picture(f"{path.strip('/').replace('/', '-') or 'overview'}-{width}-{scheme}")
                self.assertEqual(self.browser.value("document.images.length"), 0, where)
                self.assertEqual(self.browser.faults(width), [], where)

    @unittest.skipUnless(AXE, "AXE names no axe.min.js")
    def test_axe_finds_nothing(self):
        for width, scheme in ((390, "dark"), (1280, "light")):
            self.browser.look(width, scheme)
            for path in PAGES:
                self.load(path)
                self.assertEqual(self.browser.violations(), [], f"{path} at {width} in {scheme}")

    def test_a_bar_leads_to_its_run_by_mouse_and_by_key(self):
        self.browser.look(1280, "light")
        self.load("/probe/evil")
        self.assertGreater(self.browser.value("document.querySelectorAll('svg.bars a').length"), 0)
        stops = ("[...document.querySelectorAll('main a')].filter(e => e.tabIndex >= 0 && "
                 "e.getClientRects().length && e.checkVisibility()).length")
        self.assertLess(self.browser.value(stops), 25, "bars are no stops on the way")
        bar = self.browser.value("document.querySelectorAll('svg.bars a')[1].href.baseVal")
        self.assertEqual(bar, self.browser.value(
            "document.querySelectorAll('details p.times a')[1].getAttribute('href')"))
        self.load(bar)
        self.browser.picture("run-1280-light")
        self.assertEqual(self.browser.faults(1280), [])
        self.assertEqual(self.browser.violations(), [])
        self.assertIn("evil: failing", self.browser.value("document.querySelector('h1').textContent"))
        self.assertIn("<script>window.evil", self.browser.value("document.body.textContent"))

    def test_a_day_leads_to_its_runs(self):
        for width, scheme in ((390, "dark"), (1280, "light")):
            self.browser.look(width, scheme)
            self.load("/probe/evil")
            self.load(self.browser.value("document.querySelector('svg.days a').href.baseVal"))
            self.browser.picture(f"day-{width}-{scheme}")
            self.assertEqual(self.browser.faults(width), [])
            self.assertEqual(self.browser.violations(), [])
            self.assertGreater(self.browser.value("document.querySelectorAll('p.times a').length"), 0)

    def test_without_script_the_page_renews_itself(self):
        self.browser.look(390, "light", script=False)
        self.load("/")
        root = self.browser.call("DOM.getDocument", depth=-1)["root"]["nodeId"]
        self.browser.picture("overview-390-without-script")
        refresh = self.browser.call("DOM.querySelector", nodeId=root,
                                    selector="noscript > meta[http-equiv=refresh]")["nodeId"]
        self.assertNotEqual(refresh, 0)
        self.load("/runbook")
        root = self.browser.call("DOM.getDocument", depth=-1)["root"]["nodeId"]
        self.assertEqual(self.browser.call("DOM.querySelector", nodeId=root,
                                           selector="noscript")["nodeId"], 0)

    def test_the_button_runs_the_probe_and_leads_back(self):
        self.browser.look(1280, "light")
        self.load("/probe/good")
        self.browser.events.clear()
        self.browser.value("document.querySelector('form button').click()")
        self.browser.until("Page.loadEventFired")
        self.assertEqual(self.browser.complaints(), [])
        self.assertEqual(self.browser.value("location.pathname"), "/probe/good")
        self.assertIn("good: ok", self.browser.value("document.querySelector('h1').textContent"))

    def test_a_link_of_an_alert_opens_its_section(self):
        self.browser.look(390, "light")
        for fragment in ("TufMetadataExpired", "tufmetadataexpired"):
            self.load("/runbook#" + fragment)
            top = self.browser.value(f"document.getElementById('{fragment}').getBoundingClientRect().top")
            self.assertTrue(-5 <= top <= 100, f"{fragment}: {top}")


if __name__ == "__main__":
    if not shutil.which("chromium"):
        print("no chromium here")
        sys.exit(77)
    unittest.main()
