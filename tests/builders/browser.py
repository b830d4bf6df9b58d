"""A headless Chromium for tests, driven through its own DevTools protocol.

Source: https://chromedevtools.github.io/devtools-protocol/ (stable 1.3 domains).
"""

import base64
import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from bus import clock
from ops.waiting import wait_for
from shared.units import NS_PER_S

STARTS_WITHIN_S = 60.0
ANSWER_S = 30.0
FRAME_BYTES_MAX = 64 * 1024 * 1024

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)


def chromium() -> str | None:
    """Return the browser's path, None where there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


class Browser:
    """One browser with one page.

    Attributes:
        complaints: Errors of scripts, of the console, and of the content security policy.
        requested: Every address that the page has asked for.
    """

    def __init__(self) -> None:
        path = chromium()
        assert path is not None, "ask `chromium` first"
        self._directory = Path(tempfile.mkdtemp(prefix="ilbrowser"))
        self._process = subprocess.Popen(
            [path, *FLAGS, f"--user-data-dir={self._directory}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._count = 0
        self.complaints: list[str] = []
        self.requested: list[str] = []
        self._socket = self._attach()
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def _attach(self) -> ClientConnection:
        told = self._directory / "DevToolsActivePort"
        port = wait_for(lambda: _port(told), STARTS_WITHIN_S)
        assert port, "the browser does not start"
        browser = connect(
            f"ws://127.0.0.1:{port[0]}{port[1]}", max_size=FRAME_BYTES_MAX, proxy=None
        )
        browser.send(json.dumps({"id": 1, "method": "Target.getTargets"}))
        targets = json.loads(browser.recv(ANSWER_S))["result"]["targetInfos"]
        browser.close()
        page = next(target["targetId"] for target in targets if target["type"] == "page")
        address = f"ws://127.0.0.1:{port[0]}/devtools/page/{page}"
        return connect(address, max_size=FRAME_BYTES_MAX, proxy=None)

    def call(self, method: str, **parameters: Any) -> Any:
        """Call one method and return its result, noting the events before it."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        self._socket.send(json.dumps(message))
        while True:
            answer = json.loads(self._socket.recv(ANSWER_S))
            if answer.get("id") == self._count:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
            self._note(answer)

    def _note(self, event: dict[str, Any]) -> None:
        found = event.get("params", {})
        match event.get("method"):
            case "Runtime.exceptionThrown":
                self.complaints.append(str(found["exceptionDetails"])[:2000])
            case "Runtime.consoleAPICalled" if found["type"] in ("error", "warning", "assert"):
                self.complaints.append(str(found["args"])[:2000])
            case "Log.entryAdded" if found["entry"]["level"] in ("error", "warning"):
                entry = found["entry"]
                self.complaints.append(f"{entry['text']} {entry.get('url', '')}")
            case "Network.requestWillBeSent":
                self.requested.append(found["request"]["url"])

    def open(self, address: str) -> None:
        """Go to an address."""
        self.call("Page.navigate", url=address)

    def look(self, width: int, height: int, *, dark: bool = False) -> None:
        """Set size and colour scheme."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def read(self, expression: str) -> Any:
        """Return the value of a JavaScript expression, of a promise when it is kept."""
        found = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait_until(self, expression: str, within_s: float = 20.0) -> Any:
        """Return the first value of an expression that is true, or fail with what is shown."""
        found = wait_for(lambda: self.read(expression) or None, within_s)
        assert found, f"never: {expression}\n{self.text()[:3000]}\n{self.complaints}"
        return found

    def text(self, selector: str = "body") -> str:
        """Return what a person reads inside the first element of a selector."""
        return str(self.read(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"))

    def shot(self, path: Path) -> None:
        """Keep a picture of the whole page."""
        taken = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(taken["data"]))

    def listen_s(self, seconds: float) -> None:
        """Take in events for a while."""
        until_ns = clock.read().monotonic_ns + int(seconds * NS_PER_S)
        while (left_ns := until_ns - clock.read().monotonic_ns) > 0:
            try:
                self._note(json.loads(self._socket.recv(left_ns / NS_PER_S)))
            except TimeoutError:
                return

    def close(self) -> None:
        """End it and forget its profile."""
        self._socket.close()
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._directory, ignore_errors=True)


def _port(told: Path) -> tuple[str, str] | None:
    """Return port and path that the browser has written down, None before that."""
    if not told.is_file():
        return None
    lines = told.read_text().splitlines()
    return (lines[0], lines[1]) if len(lines) >= 2 else None
