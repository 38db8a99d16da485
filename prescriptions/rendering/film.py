"""What a video shows and when, without drawing anything: sections, layout, captions."""
from __future__ import annotations

from dataclasses import dataclass

FRAME_RATE = 30
HEIGHTS = (720, 1080)
VIEWS = {                       # name -> the player's cameras, side by side
    "both": ("front", "side"),
    "front": ("front",),
    "side": ("side",),
    "three-quarter": ("three-quarter",),
}
MOST_REPETITIONS = 50           # of one set, as in a prescription
PHASE_WORDS = {"descent": "Down", "bottom": "Hold", "ascent": "Up", "stand": "Stand"}
SIGNS_PER_SECOND = 15           # E: slow reading aloud; our default, no published number
CARD_SECONDS = (4.0, 12.0)      # E: shortest and longest time of one card of words


@dataclass(frozen=True)
class Options:
    """How a video is made. `repetitions` are those shown; a motion that holds several counts them all."""

    height: int = 720
    view: str = "both"
    repetitions: int = 1
    overlays: tuple[str, ...] = ()      # of the player, for looking into a video: "joints"

    def __post_init__(self) -> None:
        if self.height not in HEIGHTS:
            raise ValueError(f"height must be one of {HEIGHTS}")
        if self.view not in VIEWS:
            raise ValueError(f"view must be one of {tuple(VIEWS)}")
        if not 1 <= self.repetitions <= MOST_REPETITIONS:
            raise ValueError(f"repetitions must be between 1 and {MOST_REPETITIONS}")


@dataclass(frozen=True)
class Words:
    """All that is written in a video. Nothing of it names the patient or the condition: a television has guests."""

    title: str
    dose: str
    instructions: tuple[str, ...]
    validity: str
    safety: str
    statement: str


@dataclass(frozen=True)
class Layout:
    """Places in a picture, pixels."""

    height: int

    def px(self, at_720: float) -> int:
        return round(at_720 * self.height / 720)

    @property
    def width(self) -> int:
        return self.px(1280)

    @property
    def scale(self) -> float:
        return self.height / 720

    @property
    def stage(self) -> tuple[int, int]:
        """Width and height of the body's part, at the upper left."""
        return self.px(840), self.px(624)

    @property
    def panel(self) -> tuple[int, int]:
        """The part to the right of it."""
        return self.width - self.stage[0], self.stage[1]

    @property
    def count(self) -> tuple[int, int, int]:
        """In the panel: top, width, height of the count of repetitions."""
        return self.px(92), self.panel[0], self.px(108)

    @property
    def bar(self) -> tuple[int, int]:
        """The part below both."""
        return self.width, self.height - self.stage[1]

    @property
    def track(self) -> tuple[int, int]:
        """In the bar: left end and width of the line of phases."""
        return self.px(440), self.px(800)


@dataclass(frozen=True)
class Moment:
    """One picture of the motion: time in the motion (s), repetition from 1, name of the phase."""

    seconds: float
    repetition: int
    phase: str


@dataclass(frozen=True)
class Cue:
    start: float
    end: float
    text: str


def phase_at(phases: list[dict], seconds: float) -> str:
    """The player's rule: between or beyond phases the one before."""
    name = ""
    for phase in phases:
        if phase["start_s"] > seconds + 1e-6:
            break
        name = phase["name"]
    return name


def repetitions_in(document: dict) -> int:
    """How many repetitions the motion itself holds, at least one."""
    return max(1, sum(phase["name"] == "descent" for phase in document["phases"]))


def moments(document: dict, repetitions: int) -> list[Moment]:
    """The pictures of the motion, `FRAME_RATE` a second, over as many passes as show all `repetitions`."""
    phases, held = document["phases"], repetitions_in(document)
    count = max(1, round(document["duration_s"] * FRAME_RATE))
    starts = [phase["start_s"] for phase in phases if phase["name"] == "descent"]
    found = []
    for done in range(0, repetitions, held):
        for number in range(count):
            seconds = number / FRAME_RATE
            begun = sum(start <= seconds + 1e-6 for start in starts)
            repetition = done + max(1, begun)
            if repetition > repetitions:
                return found
            found.append(Moment(seconds, repetition, phase_at(phases, seconds)))
    return found


def segments(document: dict) -> list[dict]:
    """The phases as parts of the motion's length, 0 to 1."""
    whole = document["duration_s"] or 1.0
    return [{"name": phase["name"], "from": max(0.0, phase["start_s"] / whole), "to": min(1.0, phase["end_s"] / whole)}
            for phase in document["phases"]]


def phase_seconds(document: dict, seconds: float) -> str:
    """Length of the phase at a moment, in words; empty for what is too short to tell."""
    for phase in document["phases"]:
        length = phase["end_s"] - phase["start_s"]
        if phase["start_s"] <= seconds + 1e-6 < phase["end_s"] and length >= 0.25:
            return f"{round(length * 2) / 2:g} s" if length >= 0.75 else f"{length:.1f} s"
    return ""


def reading_seconds(*texts: str) -> float:
    """How long a card of these words stands."""
    shortest, longest = CARD_SECONDS
    return min(max(sum(map(len, texts)) / SIGNS_PER_SECOND, shortest), longest)


def reading_cues(lines: list[str], start: float, end: float) -> list[Cue]:
    """The lines of a card one after the other, each as long as its share of the letters."""
    letters = sum(map(len, lines)) or 1
    cues, at = [], start
    for line in lines:
        until = at + (end - start) * len(line) / letters
        cues.append(Cue(at, until, line))
        at = until
    return cues


def motion_cues(pictures: list[Moment], start: float, repetitions: int) -> list[Cue]:
    """A cue for each phase of each repetition: "Repetition 2 of 8. Down"."""
    cues: list[Cue] = []
    for number, moment in enumerate(pictures):
        word = PHASE_WORDS.get(moment.phase, "")
        text = f"Repetition {moment.repetition} of {repetitions}" + (f". {word}" if word else "")
        begin, end = start + number / FRAME_RATE, start + (number + 1) / FRAME_RATE
        if cues and cues[-1].text == text:
            cues[-1] = Cue(cues[-1].start, end, text)
        else:
            cues.append(Cue(begin, end, text))
    return cues


def web_vtt(cues: list[Cue]) -> str:
    """The captions as a WebVTT file."""
    lines = ["WEBVTT", ""]
    for cue in cues:
        text = cue.text.replace("&", "&amp;").replace("<", "&lt;").replace("-->", "->")
        lines += [f"{_clock(cue.start)} --> {_clock(cue.end)}", *filter(str.strip, text.splitlines()), ""]
    return "\n".join(lines)


def _clock(seconds: float) -> str:
    whole, thousandths = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}.{thousandths:03d}"
