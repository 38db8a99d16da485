"""A motion as a video: cards of words, then the body with phase, count and instructions, then when to stop."""
from __future__ import annotations

import io
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from prescriptions.rendering.encode import Encoder
from prescriptions.rendering.film import (
    FRAME_RATE,
    PHASE_WORDS,
    VIEWS,
    Cue,
    Layout,
    Moment,
    Options,
    Words,
    moments,
    motion_cues,
    phase_seconds,
    reading_cues,
    reading_seconds,
    segments,
    web_vtt,
)
from prescriptions.rendering.pictures import Picture, key_moments, key_pictures
from prescriptions.rendering.studio import Studio

MARKER = (20, 33, 30)   # colour of the moving mark on the line of phases
MOST_CARDS = 6          # E: an instruction longer than that is not read from a screen


class Cancelled(Exception):
    """Somebody asked to stop."""


@dataclass
class Video:
    """`mp4` with captions inside, the same as WebVTT, a poster (JPEG), the key pictures; and what it took."""

    mp4: bytes
    captions: str
    poster: bytes
    pictures: list[Picture]
    duration_s: float
    facts: dict = field(default_factory=dict)


def render(
    document: dict, words: Words, options: Options,
    progress: Callable[[str, float, str], object] = lambda stage, fraction, detail: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Video:
    """The video of a playback document. Raises Cancelled, RendererMissing, RenderingError with a sentence."""
    start = time.monotonic()

    def go_on() -> None:
        if cancelled():
            raise Cancelled

    go_on()
    progress("opening the player", 0.0, "")
    layout = Layout(options.height)
    with Studio(document, VIEWS[options.view], *layout.stage, options.overlays) as studio:
        with Encoder(layout.width, layout.height) as encoder:
            film = _Film(document, words, options, layout, studio, encoder, progress, go_on)
            mp4, cues = film.make()
        go_on()
        progress("key pictures", 0.97, "")
        pictures = key_pictures(studio, document)
        facts = {"browser": studio.version, "graphics": studio.graphics, "bytes": len(mp4),
                 "memory_mb": round(studio.memory_mb),
                 "seconds": round(time.monotonic() - start, 1),
                 "processor_seconds": round(studio.processor_seconds, 1)}
    return Video(mp4, web_vtt(cues), film.poster, pictures, encoder.seconds, facts)


class _Film:
    """The work on one video. One canvas in memory; only what changed is painted anew."""

    def __init__(self, document, words, options, layout, studio, encoder, progress, go_on) -> None:
        self.document, self.words, self.options, self.layout = document, words, options, layout
        self.studio, self.encoder, self.progress, self.go_on = studio, encoder, progress, go_on
        self.canvas = np.full((layout.height, layout.width, 3), 255, np.uint8)
        self.cues: list[Cue] = []
        self.poster = b""
        self._drawn: dict[float, bytes] = {}
        self._bars: dict[tuple, np.ndarray] = {}

    def make(self) -> tuple[bytes, list[Cue]]:
        self._cards(self.words.title, [self.words.dose, *self.words.instructions], self.words.validity)
        self._motion(moments(self.document, self.options.repetitions))
        self._cards("When to stop", [self.words.safety, self.words.validity], self.words.statement)
        return self.encoder.finish(self.cues), self.cues

    def _cards(self, heading: str, lines: list[str], small: str) -> None:
        left = lines
        for _ in range(MOST_CARDS):
            self.go_on()
            card = self.studio.writing(
                "card", self.layout.width, self.layout.height, title="Genuflex", heading=heading, lines=left,
                small=small,
            )
            shown = left[: len(left) - card.left]
            self.canvas[:] = _pixels(card.png)
            at = self.encoder.seconds
            self.encoder.add(self.canvas, round(reading_seconds(*shown) * FRAME_RATE))
            self.cues += reading_cues([heading, *shown], at, self.encoder.seconds)
            left = left[len(shown):]
            if not left:
                return

    def _motion(self, pictures: list[Moment]) -> None:
        layout, start = self.layout, self.encoder.seconds
        width, height = layout.stage
        top, panel_width, count_height = layout.count
        panel = self.studio.writing(
            "panel", *layout.panel, scale=layout.scale, title=self.words.title, lines=self.words.instructions,
            top=top + count_height + layout.px(26), small=self.words.validity,
        )
        self.canvas[:height, width:] = _pixels(panel.png)
        repetition, bottom = 0, key_moments(self.document)["bottom"]
        for number, moment in enumerate(pictures):
            self.go_on()
            if moment.repetition != repetition:
                repetition = moment.repetition
                self.canvas[top : top + count_height, width:] = self._count(repetition, panel_width, count_height)
            self.canvas[:height, :width] = self._body(pictures, number)
            self.canvas[height:] = self._bar(moment)
            self.encoder.add(self.canvas)
            if not self.poster and moment.seconds >= bottom - 0.5 / FRAME_RATE:
                self.poster = jpeg(self.canvas)
            done = number + 1
            self.progress("drawing", 0.05 + 0.9 * done / len(pictures), f"{done} of {len(pictures)} pictures")
        self.cues += motion_cues(pictures, start, self.options.repetitions)

    def _body(self, pictures: list[Moment], number: int) -> np.ndarray:
        """Each moment of the motion is drawn once, whatever the number of repetitions."""
        seconds = pictures[number].seconds
        if seconds not in self._drawn:
            later = [moment.seconds for moment in pictures[number + 1 : number + 2]]
            then = later[0] if later and later[0] not in (seconds, *self._drawn) else None
            self._drawn[seconds] = self.studio.picture(seconds, then=then)
            if len(self._drawn) % FRAME_RATE == 1:
                self.studio.measure()
        return _pixels(self._drawn[seconds])

    def _count(self, repetition: int, width: int, height: int) -> np.ndarray:
        several = self.options.repetitions > 1
        return _pixels(self.studio.writing(
            "count", width, height, scale=self.layout.scale, label="Repetition" if several else "",
            text=f"{repetition} of {self.options.repetitions}" if several else "1 repetition",
        ).png)

    def _bar(self, moment: Moment) -> np.ndarray:
        length = phase_seconds(self.document, moment.seconds)
        left, width = self.layout.track
        if (moment.phase, length) not in self._bars:
            self._bars[moment.phase, length] = _pixels(self.studio.writing(
                "phase", *self.layout.bar, scale=self.layout.scale, name=moment.phase,
                word=PHASE_WORDS.get(moment.phase, ""), seconds=length, track={"x": left, "width": width},
                segments=segments(self.document),
            ).png)
        bar = self._bars[moment.phase, length].copy()
        x = left + round(width * moment.seconds / (self.document["duration_s"] or 1.0))
        half, middle, reach = self.layout.px(4), bar.shape[0] // 2, self.layout.px(20)
        bar[middle - reach : middle + reach, max(0, x - half - 2) : x + half + 2] = 255
        bar[middle - reach : middle + reach, max(0, x - half) : x + half] = MARKER
        return bar


def _pixels(file: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(file)).convert("RGB"))


def jpeg(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=88)
    return file.getvalue()
