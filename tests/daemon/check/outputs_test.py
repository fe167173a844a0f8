#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`canaryd check` on something good and something bad of every kind, its answers hostile: each of
its outputs is read by a reader of its format, and all say the same.

usage: outputs_test.py CANARYD SCHEMA
"""
import http.server
import json
import pathlib
import re
import socketserver
import subprocess
import sys
import tempfile
import threading
import unittest
import xml.etree.ElementTree

import json_schema

CANARYD, SCHEMA = sys.argv[1:3] if len(sys.argv) > 2 else ("", "")
# What breaks a table, a line, XML, perfdata, a terminal or a decoder.
HOSTILE = (b"]]></failure><x a='\" & | 'evil'=1;;;\r\n\x00\x1b[2J\x7f \xff\xfe \xef\xbf\xbe\xef\xbf\xbf "
           b"\xe2\x80\xae \xe2\x80\xa8 \xed\xa0\x80")
LABEL = r"'[^'=]+'"
FIGURE = re.compile(rf" ({LABEL})=(U|-?[0-9]+(?:\.[0-9]+)?)(s|B)?(?:;([^; ]*))?(?:;([^; ]*))?(?= |$)")


class Web(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/good" else 404)
        self.end_headers()
        self.wfile.write(b"well" if self.path == "/good" else HOSTILE)

    def log_message(self, *_):
        pass


class Greeting(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall(HOSTILE + b"\n")


class Names(socketserver.BaseRequestHandler):
    """Answers every question with a TXT record that is hostile."""

    def handle(self):
        query, socket = self.request
        end = query.index(b"\0", 12) + 5
        value = HOSTILE[:255]
        record = b"\xc0\x0c\0\x10\0\x01\0\0\0\x3c" + (len(value) + 1).to_bytes(2, "big")
        socket.sendto(query[:2] + b"\x84\0\0\x01\0\x01\0\0\0\0" + query[12:end] + record +
                      bytes([len(value)]) + value, self.client_address)


def serve(server):
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def run(*arguments):
    return subprocess.run([CANARYD, "check", *map(str, arguments)], capture_output=True, timeout=120)


class Outputs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.schema = json.loads(pathlib.Path(SCHEMA).read_text())
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.path = pathlib.Path(cls.folder.name)
        subprocess.run([CANARYD, "demo", "--sign", cls.path / "demo"], check=True,
                       capture_output=True)
        cls.servers = [http.server.ThreadingHTTPServer(("127.0.0.1", 0), Web),
                       socketserver.ThreadingTCPServer(("127.0.0.1", 0), Greeting),
                       socketserver.ThreadingUDPServer(("127.0.0.1", 0), Names)]
        cls.web, cls.tcp, cls.dns = map(serve, cls.servers)
        for server in cls.servers:
            cls.addClassCleanup(server.server_close)
            cls.addClassCleanup(server.shutdown)
        cls.plugin = cls.path / "plugin"
        cls.plugin.write_text("#!/bin/sh\ncat \"$0.out\"\nexit 1\n")
        cls.plugin.chmod(0o755)
        pathlib.Path(f"{cls.plugin}.out").write_bytes(HOSTILE)
        cls.garbage = cls.path / "garbage"
        cls.garbage.write_bytes(HOSTILE)

    def tuf(self, name, *more):
        demo = self.path / "demo"
        return ("--root", demo / f"roots/{name}.root.json", "--metadata-url",
                f"file://{demo}/repositories/{name}/metadata", "--targets", "all", *more)

    def cases(self):
        """Arguments and exit status, of every kind."""
        web = f"http://127.0.0.1:{self.web}"
        yield self.tuf("healthy"), 0
        yield self.tuf("expiring-soon", "--expiring-within", "2d"), 1
        yield self.tuf("expired"), 2
        yield self.tuf("corrupted-target"), 2
        yield self.tuf("healthy", "--at", "2999-01-01"), 2
        yield ("--root", self.garbage), 2
        yield ("--root", self.path / "demo/roots/healthy.root.json"), 0
        yield ("tuf", "--root", self.path / "demo/roots/healthy.root.json", "--metadata-url",
               f"{web}/bad"), 2
        yield ("http", f"{web}/good"), 0
        yield ("http", f"{web}/{'x' * 600}"), 2
        yield ("http", f"file://{self.path}/nothing"), 2
        yield ("tcp", f"127.0.0.1:{self.tcp}", "--contains", "evil"), 0
        yield ("tcp", f"127.0.0.1:{self.tcp}", "--starts-with", "@RSYNCD"), 2
        yield ("tls", f"127.0.0.1:{self.tcp}"), 3
        yield ("dns", "x.example", "--servers", f"127.0.0.1:{self.dns}", "--type", "TXT"), 0
        yield ("dns", "x.example", "--servers", f"127.0.0.1:{self.dns}", "--type", "TXT",
               "--values", "x"), 2
        yield ("exec", f"--command={self.plugin}"), 1
        yield ("exec", "--command=/bin/true"), 0
        yield ("openpgp", self.garbage), 2

    def read_nagios(self, text, code):
        """By the contract: a first line with the state, its figures after the bar, nothing else."""
        self.assertLessEqual(len(text), 4096)
        lines = text.decode("utf-8").split("\n")
        self.assertEqual(lines.pop(), "")
        self.assertEqual(text.count(b"|"), 1)
        state, figures = lines[0].split("|")
        self.assertTrue(state.startswith(f"CANARYD {('OK', 'WARNING', 'CRITICAL', 'UNKNOWN')[code]}: "),
                        state)
        self.assertGreater(len(state), 30)
        self.assertEqual("".join(each.group(0) for each in FIGURE.finditer(figures)), figures)
        labels = [each.group(1) for each in FIGURE.finditer(figures)]
        self.assertEqual(len(labels), len(set(labels)))
        for line in lines:
            self.assertTrue(line.isprintable(), line)

    def read_junit(self, text, report):
        root = xml.etree.ElementTree.fromstring(text)
        self.assertEqual(root.tag, "testsuites")
        suites = root.findall("testsuite")
        self.assertEqual([suite.get("name") for suite in suites],
                         [probe["name"] for probe in report["probes"]])
        for suite, probe in zip(suites, report["probes"]):
            cases = suite.findall("testcase")
            self.assertEqual(int(suite.get("tests")), len(cases))
            for tag, attribute in (("failure", "failures"), ("error", "errors"),
                                   ("skipped", "skipped")):
                self.assertEqual(int(suite.get(attribute)), len(suite.findall(f"testcase/{tag}")))
            named = {each.get("name") for each in cases}
            self.assertEqual(len(named), len(cases))
            self.assertLessEqual({each["check"] for each in probe["findings"]}, named)
            failed = {each.get("name") for each in cases
                      if each.find("failure") is not None or each.find("error") is not None}
            self.assertEqual(failed, {each["check"] for each in probe["findings"]
                                      if each["severity"] != "ok" and not each["accepted"]})
            for each in suite.iter():
                self.assertTrue(all(line.isprintable() for line in (each.text or "").splitlines()))

    def read_explained(self, report, text, junit, nagios):
        """All that is not ok is explained, and nothing else; each output has all of it."""
        junit = "".join(xml.etree.ElementTree.fromstring(junit).itertext())
        for each in (each for probe in report["probes"] for each in probe["findings"]):
            self.assertEqual("explanation" in each, each["severity"] != "ok")
            explanation = each.get("explanation", {})
            self.assertNotEqual(explanation.get("received"), "")  # it may hold the time of the run
            for line in ("step", "expected", "clients", "advice"):
                self.assertNotEqual(explanation.get(line), "", line)
                self.assertIn(explanation.get(line, ""), text)
                self.assertIn(explanation.get(line, ""), junit)
            self.assertIn(explanation.get("advice", ""), nagios)

    def test_each_is_read_by_its_readers(self):
        kinds = set()
        for arguments, code in self.cases():
            with self.subTest(" ".join(map(str, arguments))):
                ran = {form: run(*arguments, "--explain", "--output", form)
                       for form in ("text", "json", "junit", "nagios")}
                ran["plain"] = run(*arguments, "--output", "json")
                for form, each in ran.items():
                    self.assertEqual(each.returncode, code, (form, each.stdout, each.stderr))
                    self.assertEqual(each.stderr, b"")
                for form in ("json", "plain"):
                    report = json.loads(ran[form].stdout)
                    self.assertEqual(report["exit_code"], code)
                    self.assertEqual(list(json_schema.problems(self.schema, report, self.schema)),
                                     [])
                self.assertNotIn(b"explanation", ran["plain"].stdout)
                report = json.loads(ran["json"].stdout)
                kinds.add(report["probes"][0]["kind"])
                self.read_junit(ran["junit"].stdout, report)
                self.read_nagios(ran["nagios"].stdout, code)
                text = ran["text"].stdout.decode("utf-8")
                for line in text.splitlines():
                    self.assertTrue(line.isprintable(), line)
                self.read_explained(report, text, ran["junit"].stdout, ran["nagios"].stdout.decode())
        self.assertEqual(kinds, {name.removeprefix("probe_") for name in self.schema["$defs"]
                                 if name.startswith("probe_")})

    def test_of_hundreds_of_probes_all_are_there(self):
        config = self.path / "many.yml"
        config.write_text("probes:\n" + "".join(
            f"  - {{name: p{i}, tcp: {{address: '127.0.0.1:{self.tcp}', starts_with: '@'}}}}\n"
            for i in range(300)))
        report = json.loads(run("--config", config, "--output", "json").stdout)
        self.assertEqual(len(report["probes"]), 300)
        self.assertEqual(list(json_schema.problems(self.schema, report, self.schema)), [])
        self.read_junit(run("--config", config, "--output", "junit").stdout, report)
        nagios = run("--config", config, "--output", "nagios")
        self.read_nagios(nagios.stdout, 2)
        self.assertIn(b"; of 300 probes 300 critical |", nagios.stdout)

    def test_a_release_gate_looks_at_folders(self):
        demo = self.path / "demo"
        for arguments in (("--root", "roots/healthy.root.json", "--metadata-url",
                           "./repositories/healthy/metadata", "--targets", "all"),
                          ("--root", "roots/healthy.root.json", "--metadata-url",
                           demo / "repositories/healthy/metadata", "--targets-url",
                           "./repositories/healthy/targets", "--targets", "all"),
                          ("http", "./roots/healthy.root.json", "--contains", "signatures")):
            ran = subprocess.run([pathlib.Path(CANARYD).resolve(), "check", *arguments], cwd=demo,
                                 capture_output=True, timeout=120)
            self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)

    def test_quiet_leaves_out_what_is_ok_of_each(self):
        good, bad = self.tuf("healthy", "-q"), self.tuf("expired", "-q")
        self.assertEqual(json.loads(run(*good, "--output", "json").stdout)["probes"][0]["findings"],
                         [])
        self.assertNotIn(b"<testcase", run(*good, "--output", "junit").stdout)
        report = json.loads(run(*bad, "--output", "json").stdout)
        self.assertEqual([each["severity"] for each in report["probes"][0]["findings"]],
                         ["critical"])
        self.read_junit(run(*bad, "--output", "junit").stdout, report)

    def test_a_check_that_does_not_come_about_tells_nagios_too(self):
        none = self.path / "none.yml"
        none.write_text("probes: []\n")
        for arguments in (("--config", none), ("--config", "/nowhere/|\n.yml"), ("tcp",),
                          ("--no-such-option",)):
            ran = run(*arguments, "--output", "nagios")
            self.assertEqual(ran.returncode, 3)
            self.assertRegex(ran.stdout.decode(), r"\ACANARYD UNKNOWN: [^|\n]{8,}\n\Z")
            for form in ("text", "json", "junit"):
                ran = run(*arguments, "--output", form)
                self.assertEqual((ran.returncode, ran.stdout), (3, b""))
                self.assertNotEqual(ran.stderr, b"")

    def test_what_ends_by_its_timeout_is_whole_in_each(self):
        class Silent(socketserver.BaseRequestHandler):
            def handle(self):
                self.request.recv(1)

        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Silent)
        server.daemon_threads = True
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        arguments = ("tcp", f"127.0.0.1:{serve(server)}", "--contains", "x", "--timeout", "300ms")
        report = json.loads(run(*arguments, "--output", "json").stdout)
        self.assertEqual(list(json_schema.problems(self.schema, report, self.schema)), [])
        self.read_junit(run(*arguments, "--output", "junit").stdout, report)
        self.read_nagios(run(*arguments, "--output", "nagios").stdout, 3)

    def test_a_reader_of_plugins_finds_state_and_figures(self):
        """canaryd's own kind exec is one."""
        words = [pathlib.Path(CANARYD).resolve(), "check", *map(str, self.tuf("expired")), "--output", "nagios"]
        ran = run("exec", *(f"--command={word}" for word in words), "--output", "json")
        self.assertEqual(ran.returncode, 2, ran.stdout + ran.stderr)
        probe = json.loads(ran.stdout)["probes"][0]
        self.assertTrue(any("CANARYD CRITICAL: " in each["message"] for each in probe["findings"]))
        figures = probe["measurements"]["perfdata"]
        self.assertEqual(figures["targets verified"], 3)
        self.assertLess(figures["role timestamp"], 0)

    def test_the_schema_is_one_by_another_validator_too(self):
        try:
            import jsonschema
        except ImportError:
            self.skipTest("needs the package jsonschema")
        jsonschema.Draft202012Validator.check_schema(self.schema)
        validator = jsonschema.Draft202012Validator(self.schema)
        report = json.loads(run(*self.tuf("expired"), "--output", "json").stdout)
        self.assertEqual(list(validator.iter_errors(report)), [])
        report["probes"][0]["findings"][0]["severity"] = "bad"
        self.assertNotEqual(list(validator.iter_errors(report)), [])
        self.assertNotEqual(list(json_schema.problems(self.schema, report, self.schema)), [])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
