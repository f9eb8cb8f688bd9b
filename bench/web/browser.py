"""A browser, driven: Debian's Chromium without a window, over a pair of pipes. Nothing but Python's own library is needed."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time

PATIENCE = 60


class Browser:
    """Chromium with one page. What it complains of is in `complaints`."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="weir-browser-")
        commands, self.write = os.pipe()
        self.read, answers = os.pipe()
        words = [
            "chromium", "--headless=new", "--remote-debugging-pipe", f"--user-data-dir={self.folder}",
            "--no-first-run", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--force-color-profile=srgb",
        ]
        if os.geteuid() == 0:
            words.append("--no-sandbox")
        # It reads from 3 and writes to 4.
        # Above 4 first, for the pipes may have these numbers themselves.
        script = f'exec 8<&{commands} 9>&{answers}; exec "$@" 3<&8 4>&9 8<&- 9>&-'
        self.process = subprocess.Popen(
            ["bash", "-c", script, "chromium", *words],
            pass_fds=(commands, answers), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        os.close(commands)
        os.close(answers)
        self.number, self.buffer, self.session = 0, b"", None
        self.complaints, self.loaded = [], False
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def close(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.next()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.note(answer)

    def next(self):
        while b"\0" not in self.buffer:
            piece = os.read(self.read, 1 << 16)
            if not piece:
                raise RuntimeError("the browser ended")
            self.buffer += piece
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def note(self, event):
        method, told = event.get("method"), event.get("params", {})
        if method == "Page.loadEventFired":
            self.loaded = True
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(told["exceptionDetails"].get("text", "an exception"))
        elif method == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning", "assert"):
            self.complaints.append(f"console: {told['args']}")
        elif method == "Log.entryAdded" and told["entry"]["level"] in ("error", "warning"):
            entry = told["entry"]
            self.complaints.append(f"{entry['source']}: {entry['text']} {entry.get('url', '')}")

    def wait(self):
        """Waits until the page that was begun is there."""
        end = time.monotonic() + PATIENCE
        while not self.loaded and time.monotonic() < end:
            self.note(self.next())
        self.evaluate("1")

    def go(self, address):
        self.loaded = False
        self.ask("Page.navigate", url=address)
        self.wait()

    def evaluate(self, script):
        got = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in got:
            raise RuntimeError(str(got["exceptionDetails"]))
        return got["result"].get("value")

    def submit(self, selector, **fields):
        """Fills a form in, and sends it as its first button does, or the one named `button`."""
        button = fields.pop("button", "button")
        for name, value in fields.items():
            self.evaluate(
                f"document.querySelector({json.dumps(selector + f' [name={name}]')}).value = {json.dumps(value)}"
            )
        self.loaded = False
        self.evaluate(f"document.querySelector({json.dumps(selector + ' ' + button)}).click()")
        self.wait()

    def text(self):
        return self.evaluate("document.body.innerText")

    def look(self, width, dark):
        """Sees pages as on a screen of this width, in light or dark."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 600)
        scheme = "dark" if dark else "light"
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def scripts(self, run):
        self.ask("Emulation.setScriptExecutionDisabled", value=not run)

    def too_wide(self):
        """How much of the page one would have to scroll to the right for."""
        return self.evaluate("Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth)")

    def picture(self, path):
        size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 4000), "scale": 1}
        form = {"format": "webp", "quality": 60} if path.endswith(".webp") else {"format": "png"}
        shot = self.ask("Page.captureScreenshot", captureBeyondViewport=True, clip=clip, **form)
        with open(path, "wb") as file:
            file.write(base64.b64decode(shot["data"]))
