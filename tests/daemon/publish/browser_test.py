#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The pages in a real browser: nothing breaks the policy, hostile markup does not run, a phone needs
not scroll sideways, both colour schemes can be read, it works without script, the button works.

usage: browser_test.py CANARYD [FOLDER]      pictures of each page into the folder, for people
Where AXE in the environment names axe.min.js (npm's axe-core), that looks at each page, too.
Exits 77 where there is no chromium.
"""
import base64
import fcntl
import json
import os
import pathlib
import select
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "support"))
from running_canaryd import Canaryd  # noqa: E402

PROGRAM = sys.argv.pop(1) if len(sys.argv) > 1 else ""
PICTURES = pathlib.Path(sys.argv.pop(1)) if len(sys.argv) > 1 else None
AXE = os.environ.get("AXE")
PAGES = ("/", "/probe/evil", "/probe/good", "/incidents", "/hangs", "/hangs/stall-000001-loop",
         "/runbook", "/config")
# The lowest contrast of any text with its ground, by WCAG 2.1 (1.4.3: 4.5, large text 3).
CONTRAST = """(() => {
  const parse = c => { const v = c.match(/[0-9.]+/g).map(Number); return {rgb: v.slice(0, 3), a: v[3] ?? 1}; };
  const light = rgb => { const [r, g, b] = rgb.map(v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; });
    return .2126 * r + .7152 * g + .0722 * b; };
  const ground = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.a === 1) return c.rgb; } return [255, 255, 255]; };
  const poor = [];
  for (const e of document.querySelectorAll('body *')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || !e.getClientRects().length || e.closest('svg')) continue;
    const s = getComputedStyle(e), [a, b] = [light(parse(s.color).rgb), light(ground(e))].sort((x, y) => y - x);
    const size = parseFloat(s.fontSize), large = size >= 24 || (size >= 18.66 && s.fontWeight >= 700);
    if ((a + .05) / (b + .05) < (large ? 3 : 4.5)) poor.push(e.tagName + '.' + e.className + ': ' + e.textContent.slice(0, 30));
  }
  return poor; })()"""


class Browser:
    """Chromium, told what to do over two pipes (Chrome DevTools Protocol)."""

    def __init__(self, program):
        self.profile = tempfile.TemporaryDirectory()
        to_browser, self.write = os.pipe()
        self.read, from_browser = os.pipe()
        # High numbers first, so that neither is closed by the other's place.
        high = [fcntl.fcntl(each, fcntl.F_DUPFD, 10) for each in (to_browser, from_browser)]

        def places():
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)
        self.process = subprocess.Popen(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
             "--no-first-run", "--disable-background-networking", "--disable-component-update",
             "--disable-sync", "--remote-debugging-pipe", f"--user-data-dir={self.profile.name}"],
            preexec_fn=places, pass_fds=(3, 4, *high), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for each in (to_browser, from_browser, *high):
            os.close(each)
        self.rest, self.number, self.session, self.events = b"", 0, None, []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for each in ("Page", "Log", "Runtime", "DOM"):
            self.call(f"{each}.enable")

    def message(self):
        while b"\0" not in self.rest:
            if not select.select([self.read], [], [], 120)[0]:
                raise AssertionError("the browser says nothing")
            piece = os.read(self.read, 1 << 16)
            if not piece:
                raise AssertionError("the browser is gone")
            self.rest += piece
        whole, self.rest = self.rest.split(b"\0", 1)
        return json.loads(whole)

    def call(self, method, **parameters):
        self.number += 1
        order = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            order["sessionId"] = self.session
        os.write(self.write, json.dumps(order).encode() + b"\0")
        while (answer := self.message()).get("id") != self.number:
            self.events.append(answer)
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']}")
        return answer["result"]

    def until(self, name):
        while not any(each.get("method") == name for each in self.events):
            self.events.append(self.message())

    def load(self, url):
        for each in ("about:blank", url):  # another fragment of the same page would load nothing
            self.events.clear()
            self.call("Page.navigate", url=each)
            self.until("Page.loadEventFired")

    def value(self, expression, awaited=False):
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True,
                           awaitPromise=awaited)
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def complaints(self):
        """Of the console: violations of the policy, scripts that failed, files that are missing."""
        told = [each["params"]["entry"]["text"] for each in self.events
                if each.get("method") == "Log.entryAdded"
                and each["params"]["entry"]["level"] in ("error", "warning")]
        thrown = [str(each["params"]) for each in self.events
                  if each.get("method") == "Runtime.exceptionThrown"]
        return told + thrown

    def look(self, width, scheme, script=True):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=844,
                  deviceScaleFactor=1, mobile=width < 700)
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.call("Emulation.setScriptExecutionDisabled", value=not script)

    def picture(self, name):
        if not PICTURES:
            return
        PICTURES.mkdir(parents=True, exist_ok=True)
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        (PICTURES / f"{name}.png").write_bytes(base64.b64decode(shot))

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.write)
        os.close(self.read)
        shutil.rmtree(self.profile.name, ignore_errors=True)


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
        cls.browser = Browser(shutil.which("chromium"))
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
                self.assertEqual(self.browser.complaints(), [], where)
                self.assertIsNone(self.browser.value("window.evil ?? null"), where)
                self.assertEqual(self.browser.value("document.images.length"), 0, where)
                wide = self.browser.value("document.documentElement.scrollWidth")
                self.assertLessEqual(wide, width, f"{where}: it has to be scrolled sideways")
                self.assertEqual(self.browser.value(CONTRAST), [], where)

    @unittest.skipUnless(AXE, "AXE names no axe.min.js")
    def test_axe_finds_nothing(self):
        for width, scheme in ((390, "dark"), (1280, "light")):
            self.browser.look(width, scheme)
            for path in PAGES:
                self.load(path)
                self.browser.value(pathlib.Path(AXE).read_text() + ";1")
                found = self.browser.value(
                    "axe.run().then(all => all.violations.map(each => each.id + ': ' + "
                    "each.nodes[0].html))", awaited=True)
                self.assertEqual(found, [], f"{path} at {width} in {scheme}")

    def test_keys_alone_reach_what_can_be_scrolled_and_followed(self):
        self.browser.look(390, "light")
        for path in PAGES:
            self.load(path)
            stuck = self.browser.value(
                "[...document.querySelectorAll('a, button, summary, .wrap, pre')]"
                ".filter(e => e.getClientRects().length && e.tabIndex < 0).map(e => e.outerHTML)")
            self.assertEqual(stuck, [], path)
            scrolled = self.browser.value(
                "[...document.querySelectorAll('main *')].filter(e => e.scrollWidth > e.clientWidth + 1 "
                "&& ['auto', 'scroll'].includes(getComputedStyle(e).overflowX) && e.tabIndex < 0)"
                ".map(e => e.outerHTML.slice(0, 80))")
            self.assertEqual(scrolled, [], path)

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
