"""Tempo that limits on speed ask for: where the tempo is free, the answer to such a limit is to move more slowly, not
to move less."""
from __future__ import annotations

import math

import torch

from generation.engine.guidance.candidates import Candidates
from generation.engine.guidance.objective import safety_margin
from generation.engine.guidance.search import Search
from generation.engine.guidance.tempo import ROOM_S, choose_tempo
from generation.engine.limits import Limit

_POWER = {"deg/s": 1.0, "m/s": 1.0, "m/s2": 2.0}      # of a unit: by which power of the tempo it falls
SLOWEST = 2.5                    # times that a phase may take longer for a limit on speed (E)
UNHURRIED = 1.35                 # times that the slowest candidate takes longer where nobody asked for a tempo (E)
_GOLDEN = 0.6180339887498949
SHARE = 0.75                     # of the candidates that shall keep the limit by tempo alone (E)
PHASES = ("descent_s", "pause_s", "ascent_s")


def slowness(search: Search, candidates: Candidates) -> float:
    """How many times longer descent and ascent must take so that most candidates keep the limits on speed; 1: as they
    are."""
    limited = [(i, limit) for i, limit in enumerate(search.guided)
               if limit.hard and limit.max is not None and limit.unit in _POWER]
    if not limited:
        return 1.0
    rooms, factor = search.rooms(candidates), 1.0
    for i, limit in limited:
        allowed = max(limit.max - safety_margin(limit, search.guided), 0.05 * limit.max, 1e-6)
        times_over = ((limit.max - rooms[i]) / allowed).clamp_min(0) ** (1 / _POWER[limit.unit])
        factor = max(factor, float(torch.quantile(torch.nan_to_num(times_over, nan=1.0), SHARE)))
    return min(factor, SLOWEST)


def own_paces(count: int) -> list[float]:
    """Factors from 1 to UNHURRIED, evenly spread and in no relation to the candidates' order by depth."""
    return [1 + (UNHURRIED - 1) * (i * _GOLDEN % 1.0) for i in range(count)]


def slowed(tempo: tuple[float, float, float], free: tuple[bool, bool, bool], factor: float,
           limits: tuple[Limit, ...]) -> tuple[float, float, float]:
    """``tempo`` with descent and ascent ``factor`` times longer where they are ``free``, inside ``limits``."""
    movable = [i for i in (0, 2) if free[i]]
    if factor == 1.0 or not movable:
        return tempo
    longest = min((limit.max for limit in limits if limit.variable == "repetition_s" and limit.max is not None),
                  default=math.inf)
    moving = sum(tempo[i] for i in movable)
    factor = min(factor, max(1.0, (longest - ROOM_S - (sum(tempo) - moving)) / moving))
    asked = {name: factor * tempo[i] if i in movable else tempo[i] for i, name in enumerate(PHASES)}
    return choose_tempo(asked, tuple(limit for limit in limits if limit.variable in PHASES))
