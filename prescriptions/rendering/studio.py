"""The page that draws a motion, opened in Chromium: pictures of the body at any moment, and the words around it."""
from __future__ import annotations

import base64
import json
from dataclasses import dataclass

from prescriptions.rendering.chromium import Page, RenderingError
from prescriptions.rendering.content import FILES

HTML = (
    b'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Video</title><link rel="icon" href="data:,">'
    b'<link rel="stylesheet" href="/page.css"><script type="module" src="/build/motion-player.js"></script>'
    b'<script type="module" src="/build/video.js"></script></head><body></body></html>'
)
CSS = b"body { margin: 0; } motion-player { --motion-player-radius: 0px; }"
ROOM_PX = 16        # around the player in the window, so that nothing of it lies outside


@dataclass(frozen=True)
class Writing:
    """A picture of words as PNG; `left` counts the lines that did not fit."""

    png: bytes
    left: int


class Studio:
    """A context manager. `document` is a playback document (docs/architecture.md), `width` and `height` of all cameras
    side by side, in pixels. Raises RenderingError, RendererMissing."""

    def __init__(
        self, document: dict, cameras: tuple[str, ...], width: int, height: int, overlays: tuple[str, ...] = (),
    ) -> None:
        self._cameras, self._width, self._height, self._overlays = cameras, width, height, overlays
        files = {"/": ("text/html", HTML), "/page.css": ("text/css", CSS)}
        for path, (kind, file) in FILES.items():
            try:
                files[path] = (kind, file.read_bytes())
            except FileNotFoundError:
                raise RenderingError(
                    "The browser bundle is not built on the machine of the worker: make build-assets", str(file)
                ) from None
        files["/motion.json"] = ("application/json", json.dumps(document).encode())
        self._page = Page(files, width + ROOM_PX, height + ROOM_PX)

    def __enter__(self) -> Studio:
        self._page.__enter__()
        try:
            self._page.wait_for("film")
            self.show(self._cameras, self._width, self._height)
        except BaseException:
            self._page.close()
            raise
        return self

    def __exit__(self, *_) -> None:
        self._page.close()

    @property
    def version(self) -> str:
        """Name and version of the browser that draws."""
        return self._page.version

    @property
    def graphics(self) -> str:
        """What computes the pictures: "llvmpipe", "SwiftShader" or a graphics card, as the browser names it."""
        return self._page.call("film.graphics")

    def measure(self) -> None:
        """Look how much memory Chromium holds."""
        self._page.measure()

    @property
    def memory_mb(self) -> float:
        """The most that it held whenever it was looked at, MB."""
        self._page.measure()
        return self._page.peak_bytes / 1024**2

    @property
    def processor_seconds(self) -> float:
        """What Chromium used until it was last looked at."""
        return self._page.processor_seconds

    def show(self, cameras: tuple[str, ...], width: int, height: int) -> None:
        """The same motion from other cameras."""
        self._page.resize(width + ROOM_PX, height + ROOM_PX)
        each = width // len(cameras)
        size = self._page.call("film.show", {
            "motion": "/motion.json", "bones": "/bones.glb", "cameras": cameras, "width": each, "height": height,
            "overlays": self._overlays,
        })
        if size != [each, height]:
            raise RenderingError("The motion could not be drawn in the asked size.", f"{size}, not {each} x {height}")

    def picture(self, seconds: float, kind: str = "jpeg", then: float | None = None) -> bytes:
        """The body at this moment of the motion, as the player draws it: a file of `kind` jpeg or png.

        `then` is the moment that will be asked for next: it is drawn while the caller works on this one.
        """
        return base64.b64decode(self._page.call("film.picture", seconds, f"image/{kind}", then))

    def writing(self, kind: str, width: int, height: int, **content) -> Writing:
        """Words as a picture; `kind` and `content` are those of static/src/video/words.js."""
        found = self._page.call("film.writing", kind, width, height, content)
        return Writing(base64.b64decode(found["png"]), found.get("left", 0))

    def seen(self, seconds: float) -> list[dict]:
        """For each camera the player's own account of what it shows at a moment (`inspect()` in docs/player.md)."""
        return self._page.call("film.seen", seconds)
