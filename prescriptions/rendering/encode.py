"""Pictures and captions to an MP4 that old phones and televisions play: H.264, main profile, 4:2:0, index at the start.

PyAV's wheel carries FFmpeg with libx264, which is under the GPL (NOTICE): it is installed beside this project, not part
of it, and nothing of it ships with us.
"""
from __future__ import annotations

import struct
import tempfile
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace

from prescriptions.rendering.film import FRAME_RATE, Cue

# E: our defaults. "main" leaves out what old decoders lack; a key picture every two seconds makes seeking quick.
X264 = {"preset": "veryfast", "crf": "21", "profile": "main"}
KEY_EVERY = 2 * FRAME_RATE
BT709 = 1           # of primaries, transfer and matrix, in H.264's own numbering
THREADS = 2
TEXT_CLOCK = 1000   # ticks a second of the captions
# What FFmpeg wants to know of captions before it opens them (the header of an .ass file): our defaults.
TEXT_STYLE = b"""[Script Info]
ScriptType: v4.00+
[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, BackColour, Alignment
Style: Default,Sans,18,&Hffffff,&H80000000,2
[Events]
Format: Layer, Start, End, Style, Text
"""


class Encoder:
    """A context manager: `add` pictures in order, `finish` with the captions gives the file."""

    def __init__(self, width: int, height: int) -> None:
        # A real file: FFmpeg reads it again to move the index to its start.
        self._file = tempfile.NamedTemporaryFile(prefix="genuflex-video-", suffix=".mp4")
        self._container = av.open(self._file.name, "w", format="mp4", container_options={"movflags": "+faststart"})
        stream = self._container.add_stream("libx264", rate=FRAME_RATE, options=X264)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        context = stream.codec_context
        context.time_base = Fraction(1, FRAME_RATE)
        context.gop_size = KEY_EVERY
        context.thread_count = THREADS
        context.color_primaries = context.color_trc = context.colorspace = BT709
        context.color_range = ColorRange.MPEG
        self._stream = stream
        self._text = self._container.add_stream("mov_text")
        self._text.codec_context.subtitle_header = TEXT_STYLE
        self._text.codec_context.time_base = self._text.time_base = Fraction(1, TEXT_CLOCK)
        self._text.metadata["language"] = "eng"
        self.pictures = 0

    def __enter__(self) -> Encoder:
        return self

    def __exit__(self, *_) -> None:
        with suppress(av.FFmpegError):      # a file that was given up has no end to be written
            self._container.close()
        self._file.close()

    @property
    def seconds(self) -> float:
        """Length so far."""
        return self.pictures / FRAME_RATE

    def add(self, picture: np.ndarray, times: int = 1) -> None:
        """`picture` (height, width, 3) of 8-bit RGB, shown for `times` pictures."""
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(
            format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG,
        )
        for _ in range(times):
            frame.pts, frame.time_base = self.pictures, Fraction(1, FRAME_RATE)
            self._container.mux(self._stream.encode(frame))
            self.pictures += 1

    def finish(self, cues: list[Cue]) -> bytes:
        """The whole file."""
        self._container.mux(self._stream.encode(None))
        for start, end, text in _without_gaps(cues, self.seconds):
            words = text.encode()
            packet = av.Packet(struct.pack(">H", len(words)) + words)       # 3GPP timed text: length, then UTF-8
            packet.stream = self._text
            packet.time_base = Fraction(1, TEXT_CLOCK)
            packet.pts = packet.dts = round(start * TEXT_CLOCK)
            packet.duration = round(end * TEXT_CLOCK) - round(start * TEXT_CLOCK)
            self._container.mux(packet)
        self._container.close()
        return Path(self._file.name).read_bytes()


def _without_gaps(cues: list[Cue], end: float) -> list[tuple[float, float, str]]:
    """Timed text has no holes: silence is an empty line."""
    found, at = [], 0.0
    for cue in cues:
        if cue.start > at:
            found.append((at, cue.start, ""))
        found.append((cue.start, cue.end, cue.text))
        at = cue.end
    return found + ([(at, end, "")] if end > at else [])
