#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The pages of the real program over a repository that answers by markup: every page is well formed,
names what it loads, and shows the markup as text; feed and badges are XML that a parser takes.

usage: pages_test.py CANARYD
"""
import html.parser
import pathlib
import sys
import unittest
import xml.etree.ElementTree as xml

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "support"))
from running_canaryd import Canaryd  # noqa: E402

PROGRAM = sys.argv.pop(1) if len(sys.argv) > 1 else ""
PAGES = ("/", "/?state=failing", "/probe/evil", "/probe/good", "/incidents", "/hangs", "/runbook",
         "/config")
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
ATOM = "{http://www.w3.org/2005/Atom}"


class Reader(html.parser.HTMLParser):
    """Elements that are closed as they were opened, with their attributes."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.wrong, self.words = [], [], [], ""
        self.feed(text)
        self.close()
        self.wrong += [f"<{tag}> stays open" for tag in self.open]

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> at {self.getpos()}")

    def handle_data(self, data):
        self.words += data

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


class Pages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.canaryd = cls.enterClassContext(Canaryd(PROGRAM))
        cls.canaryd.wait_for(lambda: "window.evil" in cls.canaryd.page("/incidents"), "an incident")

    def test_are_well_formed_and_lead_to_pages_that_there_are(self):
        seen = set()
        for path in PAGES:
            page = Reader(self.canaryd.page(path))
            self.assertEqual(page.wrong, [], path)
            self.assertEqual([len(page.all(each)) for each in ("main", "nav")], [1, 1])
            self.assertEqual([tag for tag, _ in page.tags].index("title") < 6, True, path)
            self.assertGreaterEqual(len(page.all("h1")), 1, path)
            ids = [each["id"] for _, each in page.tags if each.get("id")]
            self.assertEqual(len(ids), len(set(ids)), path)
            for each in page.all("svg"):
                self.assertTrue(each.get("aria-label") or each.get("aria-hidden"), path)
            for link in page.all("a") + page.all("link"):
                where, _, fragment = link["href"].partition("#")
                if where == "":
                    self.assertIn(fragment, ids, f"{path}: {link}")
                else:
                    seen.add(where)
        for where in sorted(seen):
            self.assertTrue(where.startswith("/"), where)
            # The last run is written a moment after it ended.
            self.canaryd.wait_for(
                lambda: self.canaryd.ask(where, Accept="text/html")[0] == 200, where, 10)

    def test_show_markup_as_text_and_load_only_their_own(self):
        for path in PAGES:
            text = self.canaryd.page(path)
            page = Reader(text)
            self.assertEqual([each.get("src") for each in page.all("script")], ["/assets/page.js"])
            self.assertEqual(page.all("img"), [], path)
            for tag, attributes in page.tags:
                for name in attributes:
                    self.assertFalse(name.startswith("on") or name == "style", f"{path}: {tag}")
        for path in ("/", "/probe/evil", "/incidents"):
            words = Reader(self.canaryd.page(path)).words
            self.assertIn("<script>window.evil = 1</script>", words, path)

    def test_of_runs_and_days_are_found_and_nothing_beside_them(self):
        links = [each["href"] for each in Reader(self.canaryd.page("/probe/evil")).all("a")]
        run = [each for each in links if "/run/" in each][-1]
        day = next(each for each in links if "/day/" in each)
        for path in (run, day):
            page = Reader(self.canaryd.page(path))
            self.assertEqual(page.wrong, [], path)
            self.assertIn("<script>window.evil = 1</script>", page.words, path)
            self.assertEqual([each.get("src") for each in page.all("script")], ["/assets/page.js"])
        status = lambda path: self.canaryd.ask(path, Accept="text/html")[0]
        self.assertEqual(status("/probe/evil/run/2001-02-03T04:05:06.789Z"), 404)
        self.assertIn("kept for 7 days",
                      self.canaryd.ask("/probe/evil/run/2001-02-03T04:05:06.789Z")[2])
        self.assertEqual(status("/probe/evil/run/9999-12-31T23:59:59.999Z"), 404)
        for odd in ("", "now", "<script>", "2026-11-24", "2026-11-24T10:02:11Z", "%00", "..%2F..",
                    "99999999999999999999", "2026-02-31T00:00:00.000Z", "1%27%20OR%201"):
            self.assertEqual(status(f"/probe/evil/run/{odd}"), 400, odd)
            if odd != "2026-11-24":
                self.assertEqual(status(f"/probe/evil/day/{odd}"), 400, odd)
        self.assertEqual(status("/probe/evil/day/2001-02-03"), 404)
        self.assertEqual(status("/probe/none/run/2001-02-03T04:05:06.789Z"), 404)

    def test_have_a_policy_that_allows_nothing_else(self):
        for path in PAGES:
            policy = self.canaryd.ask(path, Accept="text/html")[1]["Content-Security-Policy"]
            self.assertTrue(policy.startswith("default-src 'none'; "), policy)
            self.assertNotIn("unsafe", policy)
            self.assertIn("base-uri 'none'", policy)

    def test_of_the_configuration_are_text_for_whoever_does_not_ask_for_a_page(self):
        status, headers, text = self.canaryd.ask("/config")
        self.assertEqual((status, headers["Vary"]), (200, "Accept, Accept-Encoding"))
        self.assertIn('name: "good"', text)
        self.assertIn("<pre", self.canaryd.page("/config"))
        self.assertNotIn("<pre", self.canaryd.page("/config?as=text"))

    def test_run_a_probe_when_a_person_here_says_so_and_nobody_else(self):
        host = self.canaryd.address
        runs = lambda: self.canaryd.ask("/api/v1/probes/good")[2]
        self.assertIn('<form method="post" action="/-/run?probe=good">',
                      self.canaryd.page("/probe/good"))
        self.assertTrue(runs())
        status, headers, _ = self.canaryd.ask("/-/run?probe=good", "POST", Content_Length="0",
                                              Origin=f"http://{host}")
        self.assertEqual((status, headers["Location"]), (303, "/probe/good"))
        for bad in ({"Origin": "http://evil.example"}, {"Origin": "null"},
                    {"Host": "evil.example"}, {"X_Forwarded_For": "192.0.2.7"}):
            self.assertEqual(self.canaryd.ask("/-/run?probe=good", "POST", Content_Length="0",
                                              **bad)[0], 403, bad)
        self.assertEqual(self.canaryd.ask("/-/run?probe=good")[0], 405)
        self.assertEqual(self.canaryd.ask("/-/run?probe=none", "POST", Content_Length="0")[0], 404)

    def test_feed_is_atom_whatever_is_in_it(self):
        status, headers, text = self.canaryd.ask("/incidents.atom")
        self.assertEqual((status, headers["Content-Type"]),
                         (200, "application/atom+xml; charset=utf-8"))
        feed = xml.fromstring(text)
        self.assertEqual(feed.tag, ATOM + "feed")
        for needed in ("id", "title", "updated", "author"):
            self.assertEqual(len(feed.findall(ATOM + needed)), 1, needed)
        entries = feed.findall(ATOM + "entry")
        evil = next(each for each in entries if each.findtext(ATOM + "title") == "evil: failing")
        self.assertIn("<script>window.evil = 1</script>", evil.findtext(ATOM + "content"))
        self.assertEqual(evil.find(ATOM + "link").get("href"),
                         f"http://{self.canaryd.address}/probe/evil")
        ids = [each.findtext(ATOM + "id") for each in entries]
        self.assertEqual(len(ids), len(set(ids)))
        of_good = xml.fromstring(self.canaryd.ask("/incidents.atom?probe=good")[2])
        self.assertNotIn("evil: failing", [each.findtext(ATOM + "title") for each in
                                           of_good.findall(ATOM + "entry")])
        self.assertEqual(self.canaryd.ask("/incidents.atom", Host="evil.example/<x>")[0], 400)

    def test_badges_are_drawings(self):
        for name, state in (("good", "ok"), ("evil", "failing")):
            status, headers, text = self.canaryd.ask(f"/badge/{name}.svg")
            self.assertEqual((status, headers["Content-Type"]), (200, "image/svg+xml"))
            badge = xml.fromstring(text)
            self.assertEqual(badge.tag, "{http://www.w3.org/2000/svg}svg")
            self.assertEqual(badge.get("aria-label"), f"{name}: {state}")
        self.assertEqual(self.canaryd.ask("/badge/none.svg")[0], 404)

    def test_dumps_are_found_and_nothing_beside_them(self):
        folder = self.canaryd.path / "state/dumps"
        (folder / "stall-000001-loop.txt").write_text("canaryd: <script>it hung\n")
        (folder / "stall-000001-loop.json").write_text('{"headline": "<script>it hung"}')
        self.assertIn("<script>it hung", Reader(self.canaryd.page("/hangs")).words)
        self.assertIn("<script>it hung", Reader(self.canaryd.page("/hangs/stall-000001-loop")).words)
        self.assertEqual(self.canaryd.ask("/hangs/stall-000001-loop.txt")[1]["Content-Type"],
                         "text/plain; charset=utf-8")
        for odd in ("nothing", "..%2F..%2Fcanaryd.yml", "%2Fetc%2Fpasswd", ".index", "a%00b", ""):
            self.assertEqual(self.canaryd.ask("/hangs/" + odd)[0], 404, odd)


if __name__ == "__main__":
    unittest.main()
