"""One Chromium without a window, asked over a pair of pipes (Chrome DevTools Protocol, messages ended by a zero byte).

No port is opened, and Chromium ends by itself when the pipe closes: also when the worker was killed. The page gets its
files from memory; every other address fails, names are not resolved, and nothing is kept in a profile.
"""
from __future__ import annotations

import base64
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

ORIGIN = "https://video.invalid"        # RFC 6761: a name that nobody can have
POLICY = ("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self' blob:; "
          "img-src 'self' data: blob:; base-uri 'none'; form-action 'none'")
ANSWER_S = 60.0         # E: the longest that one answer may take; a picture takes a tenth of a second
START_S = 45.0          # E: a cold start on a busy machine
ENDING_S = 2.0
MISSING = (
    "Videos need Chromium on the machine of the worker, and none was found there. An administrator installs it (Debian "
    "and Ubuntu: apt-get install chromium) or names one in GENUFLEX_CHROMIUM; then it can be made again."
)
ARGUMENTS = (
    "--headless=new", "--remote-debugging-pipe", "--no-first-run", "--no-default-browser-check", "--disable-extensions",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps",
    "--disable-domain-reliability", "--disable-client-side-phishing-detection", "--metrics-recording-only",
    "--mute-audio", "--hide-scrollbars", "--disable-dev-shm-usage", "--force-color-profile=srgb",
    "--host-resolver-rules=MAP * ~NOTFOUND", "--proxy-server=127.0.0.1:9", "--proxy-bypass-list=<-loopback>",
    "--disable-features=Translate,OptimizationHints,MediaRouter,DialMediaRouteProvider",
)


# Drawn by software. Where the system has Mesa (Debian: libegl1, libgl1-mesa-dri; its chromium package brings them) its
# llvmpipe needs about half of the processor time that Chromium's own SwiftShader does, which takes over by itself.
SOFTWARE = ("--use-gl=angle", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist")
MESA = ("--use-angle=gl-egl", "--ozone-platform=headless")
MESA_ENVIRONMENT = {"LIBGL_ALWAYS_SOFTWARE": "1", "EGL_PLATFORM": "surfaceless"}


class RenderingError(Exception):
    """A sentence for whoever waits for the picture; `detail` is for the administrator."""

    def __init__(self, message: str, detail: str = "") -> None:
        self.detail = detail
        super().__init__(message)


class RendererMissing(RenderingError):
    """There is no Chromium on this machine."""

    def __init__(self) -> None:
        super().__init__(MISSING)


def find_chromium() -> str | None:
    """The Chromium that the browser tests use too, or None. GENUFLEX_CHROMIUM names one."""
    from scripts.bootstrap import find_chromium as find

    return find()


class Page:
    """A Chromium with one page, as a context manager. `files` are all that the page can load: path -> (type, bytes)."""

    def __init__(self, files: Mapping[str, tuple[str, bytes]], width: int, height: int) -> None:
        self._files = files
        self._size = (width, height)
        self._process: subprocess.Popen | None = None
        self._profile = ""
        self._read = self._write = -1
        self._buffer = bytearray()
        self._number = 0
        self._session = ""
        self.refused: list[str] = []        # addresses that the page asked for and did not get
        self.said: list[str] = []           # errors in the page's console
        self.peak_bytes = 0
        self.processor_seconds = 0.0

    # ---- life ----

    def __enter__(self) -> Page:
        program = find_chromium()
        if program is None:
            raise RendererMissing
        try:
            self._start(program)
            self._open()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def _start(self, program: str) -> None:
        self._profile = tempfile.mkdtemp(prefix="genuflex-video-")
        there_read, self._write = os.pipe()
        self._read, there_write = os.pipe()
        self._readable = select.poll()      # not select(): a worker may have many descriptors
        self._readable.register(self._read, select.POLLIN | select.POLLHUP)
        graphics = MESA if sys.platform == "linux" else ("--use-angle=swiftshader",)
        arguments = [*ARGUMENTS, *SOFTWARE, *graphics, f"--user-data-dir={self._profile}",
                     f"--window-size={self._size[0]},{self._size[1]}"]
        if os.geteuid() == 0:
            arguments.append("--no-sandbox")        # Chromium refuses its sandbox to root
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own launcher, a program that the machine has
                [sys.executable, "-I", str(Path(__file__).with_name("launch.py")), str(there_read), str(there_write),
                 program, *arguments, "about:blank"],
                pass_fds=(there_read, there_write), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, start_new_session=True, env=_environment(self._profile),
            )
        finally:
            os.close(there_read)
            os.close(there_write)

    def _open(self) -> None:
        self.version = self._ask("Browser.getVersion", limit_s=START_S)["product"]
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._ask("Runtime.enable")
        self._ask("Page.enable")
        self._ask("Fetch.enable", patterns=[{"urlPattern": "*"}])
        self._ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "light"}])
        self.resize(*self._size)
        self._ask("Page.navigate", url=f"{ORIGIN}/")

    def close(self) -> None:
        """End Chromium with all its processes. Safe to call twice."""
        for descriptor in (self._write, self._read):
            if descriptor >= 0:
                os.close(descriptor)
        self._read = self._write = -1
        if self._process is not None:
            self._end(self._process)
            self._process = None
        if self._profile:
            shutil.rmtree(self._profile, ignore_errors=True)
            self._profile = ""

    def _end(self, process: subprocess.Popen) -> None:
        """The whole process group: it closes by itself with its pipe, and is killed when it does not soon."""
        children = self._processes()
        end = time.monotonic() + ENDING_S
        while time.monotonic() < end and children and _lives(children[0]):
            time.sleep(0.02)
        try:
            os.killpg(process.pid, signal.SIGKILL)      # not yet waited for: its number cannot belong to others
        except (ProcessLookupError, PermissionError):
            pass
        for child in children:
            try:
                child.kill()
            except psutil.Error:
                pass
        process.wait()

    def _processes(self) -> list[psutil.Process]:
        try:
            root = psutil.Process(self._process.pid)
            return [root, *root.children(recursive=True)]
        except psutil.Error:
            return []

    def measure(self) -> None:
        """Look at Chromium's processes: `peak_bytes` is the most they held at any look, shared pages counted once,
        `processor_seconds` what they have used."""
        held, used = 0, 0.0
        for process in self._processes():
            try:
                full, times = process.memory_full_info(), process.cpu_times()
            except psutil.Error:
                continue
            held += getattr(full, "pss", full.rss)
            used += times.user + times.system
        self.peak_bytes, self.processor_seconds = max(self.peak_bytes, held), max(self.processor_seconds, used)

    # ---- questions ----

    def resize(self, width: int, height: int) -> None:
        self._ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def call(self, function: str, *arguments):
        """What the page's `window.<function>(...)` returns, waited for. Raises RenderingError."""
        text = ", ".join(json.dumps(argument) for argument in arguments)
        found = self._ask(
            "Runtime.evaluate", expression=f"window.{function}({text})", awaitPromise=True, returnByValue=True,
        )
        if "exceptionDetails" in found:
            thrown = found["exceptionDetails"].get("exception", {})
            detail = thrown.get("description") or json.dumps(found["exceptionDetails"])
            raise RenderingError("The motion could not be drawn.", "\n".join([detail, *self.said])[:2000])
        return found["result"].get("value")

    def wait_for(self, name: str, limit_s: float = START_S) -> None:
        """Until the page has made `window.<name>`."""
        end = time.monotonic() + limit_s
        while not self._ask("Runtime.evaluate", expression=f"Boolean(window.{name})", returnByValue=True)[
                "result"].get("value"):
            if time.monotonic() > end:
                raise RenderingError("The page that draws the motion did not start.", "\n".join(self.said)[:2000])
            self._listen(0.05)

    def _ask(self, method: str, limit_s: float = ANSWER_S, **parameters) -> dict:
        number = self._send(method, parameters)
        end = time.monotonic() + limit_s
        while True:
            message = self._next(end)
            if message.get("id") == number:
                if "error" in message:
                    raise RenderingError("The renderer did not understand.", f"{method}: {message['error']}")
                return message["result"]
            self._heard(message)

    def _listen(self, seconds: float) -> None:
        """Answer what the page asks for a while."""
        end = time.monotonic() + seconds
        while True:
            try:
                self._heard(self._next(end))
            except TimeoutError:
                return

    def _heard(self, message: dict) -> None:
        method, parameters = message.get("method"), message.get("params", {})
        if method == "Fetch.requestPaused":
            self._serve(parameters)
        elif method == "Runtime.exceptionThrown":
            self.said.append(json.dumps(parameters["exceptionDetails"])[:500])
        elif method == "Runtime.consoleAPICalled" and parameters.get("type") == "error":
            self.said.append(json.dumps(parameters["args"])[:500])
        elif method == "Inspector.targetCrashed":
            raise RenderingError("The renderer stopped: perhaps the machine has too little memory.", "target crashed")

    def _serve(self, request: dict) -> None:
        url = request["request"]["url"]
        path = url.removeprefix(ORIGIN).split("?")[0] if url.startswith(f"{ORIGIN}/") else ""
        if path not in self._files:
            self.refused.append(url[:200])
            self._send("Fetch.failRequest", {"requestId": request["requestId"], "errorReason": "AddressUnreachable"})
            return
        kind, body = self._files[path]
        headers = {"Content-Type": kind, "Content-Security-Policy": POLICY}
        self._send("Fetch.fulfillRequest", {
            "requestId": request["requestId"], "responseCode": 200, "body": base64.b64encode(body).decode(),
            "responseHeaders": [{"name": name, "value": value} for name, value in headers.items()],
        })

    # ---- the pipe ----

    def _send(self, method: str, parameters: dict) -> int:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        data = memoryview(json.dumps(message).encode() + b"\0")
        while data:
            try:
                data = data[os.write(self._write, data):]
            except OSError as error:
                raise self._gone() from error
        return self._number

    def _next(self, end: float) -> dict:
        """The next message. Raises TimeoutError at `end` (of time.monotonic()), RenderingError: Chromium is gone."""
        while (cut := self._buffer.find(b"\0")) < 0:
            left = end - time.monotonic()
            if left <= 0 or not self._readable.poll(left * 1000):
                raise _Late("The renderer did not answer in time and was stopped.")
            data = os.read(self._read, 1 << 20)
            if not data:
                raise self._gone()
            self._buffer += data
        message = json.loads(self._buffer[:cut])
        del self._buffer[: cut + 1]
        return message

    def _gone(self) -> RenderingError:
        status = self._process.poll() if self._process else None
        return RenderingError("The renderer stopped before it was done.", f"Chromium ended with status {status}.")


class _Late(RenderingError, TimeoutError):
    """No answer in time."""


def _lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _environment(profile: str) -> dict[str, str]:
    """What Chromium needs of ours: no address of a database, no key."""
    names = ("PATH", "LANG", "LC_ALL", "TZ", "FONTCONFIG_PATH", "LD_LIBRARY_PATH")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    folders = dict.fromkeys(("HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"), profile)
    return {**kept, **MESA_ENVIRONMENT, **folders}
