"""Hints to the browsers that watch a generation. The row is the truth: a hint only says that it changed."""
from __future__ import annotations

import logging

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction

from generation.models import CandidateCheck, CandidateMotion, GenerationRequest, OwnMotion, channel_group

logger = logging.getLogger(__name__)


def changed(request: GenerationRequest) -> None:
    """Tell the watchers once the present transaction is committed (at once when there is none)."""
    event = {"type": "generation.changed", "status": request.status}
    transaction.on_commit(lambda: _send(request.channel_group, event), robust=True)


def previewed(request: GenerationRequest, number: int) -> None:
    """The same where only the picture of the best motion so far is new."""
    event = {"type": "generation.previewed", "status": request.status, "number": number}
    transaction.on_commit(lambda: _send(request.channel_group, event), robust=True)


def check_changed(check: CandidateCheck) -> None:
    """The same for a check by OpenSim: those who watch its generation, and those who wait to sign."""
    event = {"type": "generation.checked", "candidate": str(check.pk), "status": check.status}
    group = channel_group(CandidateMotion.objects.values_list("request_id", flat=True).get(pk=check.pk))
    transaction.on_commit(lambda: _send(group, event), robust=True)


def motion_changed(motion: OwnMotion) -> None:
    """The same for a recording that is being read."""
    event = {"type": "own_motion.changed", "status": motion.status}
    group = motion.channel_group
    transaction.on_commit(lambda: _send(group, event), robust=True)


def _send(group: str, event: dict) -> None:
    try:
        async_to_sync(get_channel_layer().group_send)(group, event)
    except Exception:           # a lost hint costs a delay, never the work: the page also asks again by itself
        logger.warning("A progress hint could not be sent.", exc_info=True)
