#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a browser shows while canaryd is not well: its loop hangs, its HTTP server hangs as well, a run
makes no progress, a reload was refused; and where there is nothing to watch, or a great deal. Each in
both colour schemes, on a phone and without script.

usage: browser_states_test.py CANARYD CANARYD_FAULTS [FOLDER]     pictures into the folder, for people
Exits 77 where there is no chromium.
"""
import pathlib
import shutil
import signal
import sys
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "support"))
from browser import Browser  # noqa: E402
from running_canaryd import Canaryd  # noqa: E402

PROGRAM = sys.argv.pop(1) if len(sys.argv) > 2 else ""
FAULTS = sys.argv.pop(1) if len(sys.argv) > 1 else ""
PICTURES = pathlib.Path(sys.argv.pop(1)) if len(sys.argv) > 1 else None
LOOKS = ((1280, "light"), (390, "dark"), (1280, "dark"), (390, "light"))
LIMITS = ("watchdog: {loop_suspect: 100ms, loop_stall: 300ms, loop_hung: 700ms, loop_dead: 10m, "
          "run_unwind: 500ms, server_stall: 1s}\n")


class WithFault(Canaryd):
    """A canaryd whose probe `victim` hangs as `fault` says, once `trigger()` was called."""

    def __init__(self, fault, environment=None, milliseconds=0):
        super().__init__(
            FAULTS, more=LIMITS, folder_variable="CANARY_FAULT_DIR",
            probes=lambda canaryd: "probes:\n" + canaryd.probe("victim", "good") +
            canaryd.probe("evil") + canaryd.probe("good"),
            environment={"CANARY_FAULT": fault, "CANARY_FAULT_MS": str(milliseconds),
                         **(environment or {})})

    def trigger(self):
        (self.path / "trigger").touch()
        self.wait_for((self.path / "started").exists, "its fault")

    def __exit__(self, *all):
        self.process.kill()  # what hangs does not stop
        super().__exit__(*all)


class States(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = Browser(shutil.which("chromium"), PICTURES)
        cls.addClassCleanup(cls.browser.close)

    def look(self, canaryd, path, name, looks=LOOKS, status=200):
        """Looks at a page in every way and returns its words."""
        for width, scheme in looks:
            self.browser.look(width, scheme)
            self.browser.load(f"http://{canaryd.address}{path}")
            self.browser.picture(f"{name}-{width}-{scheme}")
            where = f"{name} at {width} in {scheme}"
            wrong = self.browser.faults(width)
            if status != 200:  # of which the browser's console tells
                wrong = [each for each in wrong if f"status of {status}" not in each]
            self.assertEqual(wrong, [], where)
            # The watchdog's page has no script that could renew it and no colours of its own, for
            # which axe-core takes black on white; faults() looked at what the browser takes.
            self.assertEqual([each for each in self.browser.violations() if status == 200 or
                              not each.startswith(("meta-refresh", "color-contrast"))], [], where)
        words = self.browser.value("document.body.innerText")
        self.browser.look(390, "light", script=False)
        self.browser.load(f"http://{canaryd.address}{path}")
        self.browser.picture(f"{name}-390-without-script")
        root = self.browser.call("DOM.getDocument", depth=-1)["root"]["nodeId"]
        self.assertNotEqual(
            self.browser.call("DOM.querySelector", nodeId=root, selector="h1")["nodeId"], 0, name)
        return words

    def test_while_the_loop_hangs_that_comes_first_and_the_rest_is_grey(self):
        with WithFault("sleep") as canaryd:
            canaryd.wait_for(lambda: "window.evil" in canaryd.page("/"), "findings")
            canaryd.trigger()
            canaryd.wait_for(lambda: "canaryd itself hangs" in canaryd.page("/"), "the hang")
            time.sleep(2)
            words = self.look(canaryd, "/", "hang")
            self.browser.look(1280, "light")
            self.browser.load(f"http://{canaryd.address}/")
            first = self.browser.value("document.querySelector('main h1').textContent")
            self.assertTrue(first.startswith("canaryd itself hangs: the loop has not turned"), first)
            self.assertIn("victim", words)
            self.assertIn("blocking_call", words)
            # Below stands what was known then, as of then, without colour.
            self.assertIn("grayscale", self.browser.value(
                "getComputedStyle(document.querySelector('main > .frozen')).filter"))
            self.assertTrue(self.browser.value(
                "document.querySelector('.frozen').compareDocumentPosition("
                "document.querySelector('#hang')) & Node.DOCUMENT_POSITION_PRECEDING"))
            then = self.browser.value("document.querySelector('.frozen p.small').textContent")
            later = self.browser.value("fetch('/').then(a => a.text()).then(t => new DOMParser()"
                                       ".parseFromString(t, 'text/html').querySelector("
                                       "'.frozen p.small').textContent)", awaited=True)
            as_of = lambda text: text[:text.index(" UTC")]
            self.assertEqual(as_of(then), as_of(later), "as of when the loop last turned")
            words = self.look(canaryd, "/probe/evil", "hang-probe", LOOKS[:2])
            self.assertIn("canaryd itself hangs", words)
            self.look(canaryd, "/hangs", "hang-hangs", LOOKS[:2])

    def test_while_the_server_hangs_too_the_watchdog_shows_one_screen(self):
        with WithFault("hold-malloc", {"MALLOC_ARENA_MAX": "1"}, 25_000) as canaryd:
            canaryd.wait_for(lambda: canaryd.page("/"), "a page")
            canaryd.trigger()
            end = time.monotonic() + 20
            shown = ""
            while time.monotonic() < end and "watchdog" not in shown:
                time.sleep(0.2)
                try:
                    _, _, shown = canaryd.ask_once("/", "GET", {"Accept": "text/html"})
                except OSError:
                    pass
            self.assertIn("watchdog", shown)
            words = self.look(canaryd, "/", "emergency", status=503)
            self.assertEqual(self.browser.value("document.querySelectorAll('h1').length"), 1)
            self.assertIn("hang", words)
            self.assertLessEqual(
                self.browser.value("document.documentElement.scrollHeight"), 2 * 844, "one screen")

    def test_a_stalled_probe_says_that_it_is_one_and_the_others_go_on(self):
        with WithFault("deaf-wait", {"CANARY_RUN_STALL_MS": "1000"}) as canaryd:
            canaryd.wait_for(lambda: "window.evil" in canaryd.page("/"), "findings")
            canaryd.trigger()
            canaryd.wait_for(lambda: "1 stalled" in canaryd.page("/"), "a stalled probe", 30)
            words = self.look(canaryd, "/", "stalled")
            self.assertNotIn("canaryd itself hangs", words)
            self.assertIn("makes no progress", words)
            self.assertIn("1 run in flight", words)
            self.assertRegex(canaryd.page("/"), r"/probe/victim\">victim</a> for \d+ s <strong[^>]*>"
                             r"asked to end, and does not</strong></p>\n<pre tabindex=\"0\">  \S")
            self.assertIn("victim: stalled", self.look(canaryd, "/probe/victim", "stalled-probe"))

    def test_a_refused_reload_is_said_on_the_overview_and_beside_the_configuration(self):
        with Canaryd(PROGRAM) as canaryd:
            canaryd.config.write_text(
                "probes: [{name: a, interval: '<script>window.evil = 3</script>', "
                "http: {url: 'http://127.0.0.1/'}}]\n")
            canaryd.process.send_signal(signal.SIGHUP)
            canaryd.wait_for(lambda: "reload was refused" in canaryd.page("/"), "the refusal")
            for path, name in (("/", "refused"), ("/config", "refused-config")):
                words = self.look(canaryd, path, name)
                self.assertIn("reload was refused", words)
                self.assertIn("<script>window.evil = 3", words)

    def test_without_probes_it_says_how_to_begin(self):
        with Canaryd(PROGRAM, probes=lambda _: "probes: []\n") as canaryd:
            words = self.look(canaryd, "/", "empty")
            self.assertIn("nothing is watched", words)
            self.assertIn("canaryd config check", words)
            self.look(canaryd, "/incidents", "empty-incidents", LOOKS[:2])

    def test_of_500_probes_those_that_need_somebody_come_first(self):
        many = lambda canaryd: "probes:\n" + "".join(
            canaryd.probe(f"repository-with-a-long-name-{i:03}", "bad" if i % 100 == 7 else "good",
                          f"interval: 1h, repository: mirrors-of-{i // 5}") for i in range(500))
        with Canaryd(PROGRAM, probes=many) as canaryd:
            canaryd.wait_for(lambda: "5 failing" in canaryd.page("/") and
                             "495 ok" in canaryd.page("/"), "500 results", 120)
            words = self.look(canaryd, "/", "many")
            self.assertIn("5 of 500 probes found something bad", words)
            self.assertIn("475 healthy probes", words)
            self.look(canaryd, "/?state=ok&page=2", "many-ok", LOOKS[:2])
            words = self.look(canaryd, "/probe/repository-with-a-long-name-007", "many-mirrors")
            self.assertIn("Mirrors side by side", words)


if __name__ == "__main__":
    if not shutil.which("chromium"):
        print("no chromium here")
        sys.exit(77)
    unittest.main()
