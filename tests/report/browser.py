"""Chromium without a driver: the DevTools protocol over two pipes, messages of JSON ended by a null byte.

Source: https://chromedevtools.github.io/devtools-protocol/ (``--remote-debugging-pipe``: the browser reads file
descriptor 3 and writes file descriptor 4).
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any

_FLAGS = (
    "--headless=new",
    "--no-sandbox",  # a container's root has no user namespace to drop into; only pages made by the tests are opened
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
_SECONDS = 60.0


def _high(pipe: tuple[int, int]) -> tuple[int, int]:
    """The same pipe away from 3 and 4, which one of its ends might be by chance."""
    ends = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in pipe)
    for end in pipe:
        os.close(end)
    return ends[0], ends[1]


class Browser:
    """One headless Chromium with one page; ``errors`` and ``requests`` hold what the open page caused."""

    def __init__(self, program: str, folder: Path) -> None:
        self.errors: list[str] = []
        self.requests: list[str] = []
        self._folder, self._program = folder, program
        self._number, self._session, self._buffer = 0, "", b""
        self._replies: dict[int, dict[str, Any]] = {}
        self._loaded = False

    def __enter__(self) -> Browser:
        theirs_in, self._out = _high(os.pipe())
        self._in, theirs_out = _high(os.pipe())

        def place() -> None:
            os.dup2(theirs_in, 3)
            os.dup2(theirs_out, 4)

        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [self._program, *_FLAGS, f"--user-data-dir={self._folder / 'profile'}", "about:blank"],
                close_fds=False,  # Python's own are closed on exec; 3 and 4 are to stay
                preexec_fn=place,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        os.close(theirs_in)
        os.close(theirs_out)
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Page.setDownloadBehavior", behavior="deny")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._out)  # the end of its input ends it
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._in)

    def call(self, method: str, **arguments: Any) -> dict[str, Any]:
        """The result of one command."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": arguments}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + _SECONDS
        while self._number not in self._replies:
            self._receive(until)
        reply = self._replies.pop(self._number)
        if "error" in reply:
            raise RuntimeError(f"{method}: {reply['error']}")
        return dict(reply["result"])

    def open(self, path: Path) -> None:
        """Load a file and wait until it is drawn; forgets earlier errors and requests."""
        self.errors, self.requests, self._loaded = [], [], False
        self.call("Page.navigate", url=path.as_uri())
        until = time.monotonic() + _SECONDS
        while not self._loaded:
            self._receive(until)
        self.settle()

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, awaited if it is a promise."""
        reply = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in reply:
            raise RuntimeError(f"{expression[:200]}: {reply['exceptionDetails']}")
        return reply["result"].get("value")

    def settle(self) -> None:
        """Wait for two frames, so that what was started is laid out."""
        self.evaluate(
            "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 50))))"
        )

    def size(self, width: int, height: int = 900) -> None:
        """Set the window."""
        mobile = width < 600
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile)
        self.settle()

    def scheme(self, name: str) -> None:
        """Set ``prefers-color-scheme``; the page is asked to scroll at once, so that a click meets what it aims at."""
        features = {"prefers-color-scheme": name, "prefers-reduced-motion": "reduce"}
        self.call("Emulation.setEmulatedMedia", features=[{"name": k, "value": v} for k, v in features.items()])
        self.settle()

    def screenshot(self, path: Path, full: bool = False) -> None:
        """Write what is seen, or the whole page, as PNG."""
        image = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=full)["data"]
        path.write_bytes(base64.b64decode(image))

    def pdf(self, path: Path) -> None:
        """Write the page as it is printed."""
        data = self.call("Page.printToPDF", preferCSSPageSize=True, printBackground=True)["data"]
        path.write_bytes(base64.b64decode(data))

    def click(self, x: float, y: float) -> None:
        """Press and release the left button there."""
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            button = "none" if kind == "mouseMoved" else "left"
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button=button, clickCount=int(button == "left"))

    def _receive(self, until: float) -> None:
        while b"\0" not in self._buffer:
            if not select.select([self._in], [], [], max(0.0, until - time.monotonic()))[0]:
                raise TimeoutError(f"chromium gave no answer in {_SECONDS:.0f} s; its log is {self._folder / 'log'}")
            if not (data := os.read(self._in, 1 << 20)):
                raise RuntimeError(
                    f"chromium ended early:\n{(self._folder / 'log').read_text('utf-8', 'replace')[-2000:]}"
                )
            self._buffer += data
        text, _, self._buffer = self._buffer.partition(b"\0")
        message = json.loads(text)
        if "id" in message:
            self._replies[message["id"]] = message
        else:
            self._event(message["method"], message["params"])

    def _event(self, method: str, content: dict[str, Any]) -> None:
        if method == "Runtime.exceptionThrown":
            details = content["exceptionDetails"]
            self.errors.append(f"exception: {details.get('exception', {}).get('description') or details['text']}")
        elif method == "Runtime.consoleAPICalled" and content["type"] in ("error", "assert"):
            self.errors.append(f"console: {[a.get('value') or a.get('description') for a in content['args']]}")
        elif method == "Log.entryAdded" and content["entry"]["level"] == "error":
            self.errors.append(f"log: {content['entry']['text']}")
        elif method == "Page.javascriptDialogOpening":
            self.errors.append(f"dialog: {content['message']}")
        elif method == "Network.requestWillBeSent":
            self.requests.append(content["request"]["url"])
        elif method == "Page.loadEventFired":
            self._loaded = True
