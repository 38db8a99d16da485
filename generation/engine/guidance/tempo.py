"""Tempo: the phase of a repetition as a smooth function of time.

The phase runs 0 to 0.5 in the descent and on to 1 in the ascent. Its speed rises and falls by smoothstep ramps, so the
phase is twice continuously differentiable: no velocity jump, and a pause holds the bottom. Durations are the measured
ones (``metrics.phases``): :func:`plan_tempo` finds the nominal durations for which the measured ones are as asked.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from generation.engine.limits import Limit
from generation.engine.metrics.phases import Phases, measure_phases

FRAME_RATE = 60
HOLD_S = 0.4                    # upright before and after (ours, E)
RAMP = 0.15                     # share of descent and of ascent spent speeding up, and the same slowing down (E)
DEFAULTS_S = {"descent_s": 2.0, "pause_s": 1.0, "ascent_s": 2.0}     # rehabilitation, 4-6 s a repetition (E)
QUICKEST_S = {"descent_s": 0.5, "pause_s": 0.0, "ascent_s": 0.5}     # what is chosen where nothing is asked (E)
ROOM_S = 0.1                    # kept inside a limit on a duration, where there is room (E)


@dataclass(frozen=True)
class Timing:
    """Nominal durations in seconds; ``through`` is the phase speed kept through the bottom (0: a full stop), and
    ``bottom`` the phase at which the motion really is lowest."""

    descent_s: float
    pause_s: float
    ascent_s: float
    through: float = 0.0
    bottom: float = 0.5
    hold_s: float = HOLD_S

    @property
    def duration_s(self) -> float:
        return 2 * self.hold_s + self.descent_s + self.pause_s + self.ascent_s

    def phase(self, times: np.ndarray) -> np.ndarray:
        """Phase (time,) in 0..1 at ``times`` in seconds; the descent ends at ``bottom``."""
        t = np.asarray(times, float) - self.hold_s
        down = _half(np.clip(t / self.descent_s, 0, 1), self.descent_s, self.through)
        rest = t - self.descent_s - self.pause_s
        up = 0.5 - _half(1 - np.clip(rest / self.ascent_s, 0, 1), self.ascent_s, self.through)
        even = np.where(t < self.descent_s, down, np.where(rest < 0, 0.5, 0.5 + up))
        return even + (self.bottom - 0.5) * 16 * (even * (1 - even)) ** 2    # monotone for 0.18 to 0.82

    def size(self, times: np.ndarray) -> np.ndarray:
        """Size (time,) of the movement: 1 throughout; where repetitions differ, `repeating.Repeated` says how."""
        return np.ones(len(times))

    def frames(self) -> np.ndarray:
        """Times of the delivered frames; the last one stands again."""
        return np.arange(int(np.ceil(self.duration_s * FRAME_RATE)) + 1) / FRAME_RATE

    def phase_samples(self, times: np.ndarray) -> dict[str, np.ndarray]:
        """Phase -> (time,) bool: which instants guidance takes for it. Where one ends and the next begins both have the
        sample: the delivered motion may turn a little earlier or later."""
        turn = RAMP / 2 * min(self.descent_s, self.ascent_s)         # slower than 5 % of the peak speed, and some room
        low, up = self.hold_s + self.descent_s, self.hold_s + self.descent_s + self.pause_s
        return {"descent": (times > 0) & (times <= low), "bottom": (times >= low - turn) & (times <= up + turn),
                "ascent": (times >= up) & (times < self.duration_s)}

    def sparse_times(self, count: int) -> np.ndarray:
        """About ``count`` instants that see the whole repetition but do not dwell in the pause and the holds."""
        half = count // 2 - 1
        bottom = self.hold_s + self.descent_s
        down = np.linspace(self.hold_s, bottom, half)
        up = np.linspace(bottom + max(self.pause_s, 1e-3), self.duration_s - self.hold_s, half)
        return np.concatenate([[0.0], down, up, [self.duration_s]])


def _half(share: np.ndarray, duration: float, end_speed: float) -> np.ndarray:
    """Phase 0..0.5 after ``share`` of a half: ramp up, plateau, ramp down to ``end_speed`` (phase per second)."""
    plateau = (0.5 / duration - RAMP / 2 * end_speed) / (1 - RAMP)
    rise = np.clip(share / RAMP, 0, 1)
    fall = np.clip((share - (1 - RAMP)) / RAMP, 0, 1)
    steady = np.clip(share, RAMP, 1 - RAMP) - RAMP
    integral = RAMP * plateau * _ramp_area(rise) + plateau * steady
    integral += RAMP * (plateau * fall - (plateau - end_speed) * _ramp_area(fall))
    return integral * duration


def _ramp_area(x: np.ndarray) -> np.ndarray:
    return x**3 - x**4 / 2              # integral of the smoothstep 3 x^2 - 2 x^3


def choose_tempo(asked: dict[str, float | None], limits: tuple[Limit, ...],
                 own: tuple[float, float, float] | None = None) -> tuple[float, float, float]:
    """Descent, pause and ascent in seconds to aim at: what was asked, otherwise the person's ``own``, otherwise the
    default, each moved inside
    ``limits`` (effective); what was not asked also gives way to limits on the whole repetition.

    Limits that cannot be met this way are left to the checks.
    """
    def inside(name: str, value: float) -> float:
        low = max((limit.min for limit in limits if limit.variable == name and limit.min is not None), default=0.0)
        high = min((limit.max for limit in limits if limit.variable == name and limit.max is not None), default=np.inf)
        room = min(ROOM_S, (high - low) / 4)
        return float(max(min(value, high - room), low + room if low > 0 else 0.0))

    usual = DEFAULTS_S if own is None else {
        name: max(value, QUICKEST_S[name]) for name, value in zip(DEFAULTS_S, own, strict=True)}
    tempo = {name: inside(name, usual[name] if asked[name] is None else asked[name]) for name in DEFAULTS_S}
    free = [name for name in tempo if asked[name] is None and tempo[name] > 0]
    total = inside("repetition_s", sum(tempo.values()))
    for _ in range(20 if free else 0):     # what one phase may not take falls to the others in the next rounds
        share = (total - sum(tempo.values())) / sum(tempo[name] for name in free)
        tempo |= {name: inside(name, max(tempo[name] * (1 + share), QUICKEST_S[name], 0.01)) for name in free}
    return tempo["descent_s"], tempo["pause_s"], tempo["ascent_s"]


def usual_height(phase: np.ndarray) -> np.ndarray:
    """Shape of the pelvis height over the phase, for planning before there is a motion."""
    return np.cos(2 * np.pi * phase) / 2


def plan_tempo(height: Callable[[np.ndarray], np.ndarray], descent_s: float, pause_s: float,
               ascent_s: float) -> Timing:
    """Timing whose measured phases are as asked; ``height`` gives the pelvis height (m) at phases (n,).

    A motion turns round at the bottom in finite time, so a pause shorter than that turn is met as nearly as it can be.
    Raises ValueError if the height does not go down and up.
    """
    grid = np.linspace(0.2, 0.8, 601)
    bottom = float(grid[np.argmin(height(grid))])
    timing = Timing(descent_s, pause_s, ascent_s, bottom=bottom)
    rest = pause_s                      # below 0: no full stop, the bottom is passed the faster the lower it is
    longest_turn = max(_measure(replace(timing, pause_s=0.0), height).pause_s, 1e-3)
    for _ in range(15):
        seen = _measure(timing, height)
        rest = float(np.clip(rest + pause_s - seen.pause_s, -longest_turn, pause_s))
        down = timing.descent_s * descent_s / seen.descent_s
        up = timing.ascent_s * ascent_s / seen.ascent_s
        through = max(0.0, -rest) / longest_turn * 0.5 / max(down, up)
        timing = Timing(down, max(0.0, rest), up, through, bottom)
    return timing


def _measure(timing: Timing, height: Callable[[np.ndarray], np.ndarray]) -> Phases:
    times = np.linspace(0, timing.duration_s, 1500)
    return measure_phases(height(timing.phase(times)), times)
