"""The muscles of a candidate for the player: who makes the document, where it is kept, who may see it.

A job behind every generation makes the documents of its accepted candidates by the fast route; the check by OpenSim
puts its own in their place.
"""
from __future__ import annotations

import gzip
import logging
from uuid import UUID

from django.db import connection
from django.http import Http404

from clinic.models import User
from clinic.permissions import permitted
from generation.models import CandidateMotion, CandidateMuscles, ScaledModel
from generation.playback import compressed

logger = logging.getLogger(__name__)

BETWEEN = -5        # priority of the job: behind generations (0), before the checks (-10), which take longer
FAST_RATE_HZ = 15.0     # as often as the check by OpenSim computes forces


def queue_muscles(request_id: UUID) -> None:
    """In the transaction of the caller."""
    from generation.tasks import run_muscles

    if not connection.in_atomic_block:
        raise RuntimeError("Muscles are deferred in the transaction that stores the candidates.")
    run_muscles.configure(lock=f"muscles.{request_id}", priority=BETWEEN).defer(request_id=str(request_id))


def muscles_run(*, request_id: UUID | str) -> None:
    """Make what is missing; called by the queue, at least once. A document that cannot be made is only not there."""
    import torch

    from generation.engine.analysis import Cancelled, analyse
    from generation.engine.analysis.muscle_document import muscle_document
    from generation.engine.body import COORDINATES, load_body
    from generation.engine.formats import FormatError, read_mot

    torch.set_num_threads(1)
    model = ScaledModel.objects.filter(pk=request_id).first()
    if model is None:
        return
    body = None
    rows = CandidateMotion.objects.filter(request_id=request_id, accepted=True, muscles=None).order_by("index")
    for candidate in rows.defer("playback_gzip"):
        try:
            body = body or load_body(gzip.decompress(model.osim_gzip))
            motion = read_mot(bytes(candidate.mot_file), COORDINATES)
            every = max(1, round(motion.frame_rate / FAST_RATE_HZ))
            document = muscle_document(motion, body, analyse(motion, body, route="fast", every=every))
        except (FormatError, ValueError, Cancelled):
            logger.exception("No muscles for candidate %s.", candidate.pk)
            continue
        # the check by OpenSim may have been faster
        CandidateMuscles.objects.get_or_create(
            candidate_id=candidate.pk, defaults={"route": "fast", "document_gzip": compressed(document)})


def muscles_by_opensim(*, candidate_id: UUID, document: dict) -> None:
    """Keep the document of a check, in place of what the fast route said."""
    CandidateMuscles.objects.update_or_create(
        candidate_id=candidate_id, defaults={"route": "opensim", "document_gzip": compressed(document)})


def muscles_get(*, user: User, candidate_id: UUID, action: str = "candidate.view") -> bytes:
    """The stored document; Http404 while there is none, and for those who may not see the candidate."""
    row = permitted(user, action, CandidateMuscles.objects.filter(pk=candidate_id)).first()
    if row is None:
        raise Http404("The muscles of this motion are not computed yet.")
    return bytes(row.document_gzip)
