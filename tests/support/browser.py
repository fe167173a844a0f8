# SPDX-License-Identifier: Apache-2.0
"""Chromium for tests: loads a page, looks at it, takes pictures, and says what is wrong with it.
Where AXE in the environment names axe.min.js (npm's axe-core), that looks, too."""
import base64
import fcntl
import json
import os
import pathlib
import select
import shutil
import subprocess
import tempfile

AXE = os.environ.get("AXE")
# The lowest contrast of any text with its ground, by WCAG 2.1 (1.4.3: 4.5, large text 3).
CONTRAST = """(() => {
  const parse = c => { const v = c.match(/[0-9.]+/g).map(Number); return {rgb: v.slice(0, 3), a: v[3] ?? 1}; };
  const light = rgb => { const [r, g, b] = rgb.map(v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; });
    return .2126 * r + .7152 * g + .0722 * b; };
  const bare = document.createElement('i'); bare.style.backgroundColor = 'Canvas'; document.body.append(bare);
  const canvas = parse(getComputedStyle(bare).backgroundColor).rgb; bare.remove();
  const ground = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.a === 1) return c.rgb; } return canvas; };
  const poor = [];
  for (const e of document.querySelectorAll('body *')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || !e.getClientRects().length || e.closest('svg')) continue;
    const s = getComputedStyle(e), [a, b] = [light(parse(s.color).rgb), light(ground(e))].sort((x, y) => y - x);
    const size = parseFloat(s.fontSize), large = size >= 24 || (size >= 18.66 && s.fontWeight >= 700);
    if ((a + .05) / (b + .05) < (large ? 3 : 4.5)) poor.push(e.tagName + '.' + e.className + ': ' + e.textContent.slice(0, 30));
  }
  return poor; })()"""

# What can be followed or scrolled and no key leads to. A link that is left out of the way on purpose
# (bars) has one to the same page that is not, be it in a list that is folded.
REACHED = """(() => {
  const ways = new Set([...document.querySelectorAll('a')].filter(e => e.tabIndex >= 0 && typeof e.href === 'string').map(e => e.href.split('#')[0]));
  const path = e => (e.href.baseVal === undefined ? e.href : new URL(e.href.baseVal, location.href).href).split('#')[0];
  const stuck = [...document.querySelectorAll('a, button, summary, .wrap, pre')]
    .filter(e => e.getClientRects().length && e.tabIndex < 0 && !(e.tagName.toLowerCase() === 'a' && ways.has(path(e))));
  const scrolled = [...document.querySelectorAll('main *')].filter(e => e.scrollWidth > e.clientWidth + 1
    && ['auto', 'scroll'].includes(getComputedStyle(e).overflowX) && e.tabIndex < 0);
  return [...stuck, ...scrolled].map(e => e.outerHTML.slice(0, 120)); })()"""


class Browser:
    """Chromium, told what to do over two pipes (Chrome DevTools Protocol)."""

    def __init__(self, program, pictures=None):
        self.pictures = pictures
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
        if not self.pictures:
            return
        self.pictures.mkdir(parents=True, exist_ok=True)
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        (self.pictures / f"{name}.png").write_bytes(base64.b64decode(shot))

    def faults(self, width):
        """What is wrong with the page that is shown: sentences."""
        found = [f"the console says: {each}" for each in self.complaints()]
        found += [f"poor contrast: {each}" for each in self.value(CONTRAST)]
        if self.value("window.evil ?? null") is not None:
            found.append("a script of others ran")
        if (wide := self.value("document.documentElement.scrollWidth")) > width:
            found.append(f"it has to be scrolled sideways, {wide} wide")
        found += [f"no key reaches {each}" for each in self.value(REACHED)]
        return found

    def violations(self):
        """What axe-core finds; nothing where AXE names none."""
        if not AXE:
            return []
        self.value(pathlib.Path(AXE).read_text() + ";1")
        return self.value("axe.run().then(all => all.violations.map(each => each.id + ': ' + "
                          "each.nodes[0].html))", awaited=True)

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.write)
        os.close(self.read)
        shutil.rmtree(self.profile.name, ignore_errors=True)
