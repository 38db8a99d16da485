"""Checks by OpenSim: queued for each accepted candidate, run by a worker, cancelled, repeated, moved to the front.

A check waits behind every generation: its jobs have a lower priority, and one that nobody waits for steps aside when a
generation comes. Once a prescription rests on its candidate it goes before everything else.
"""
from __future__ import annotations

import gzip
import logging
from collections.abc import Iterable
from uuid import UUID

from django.db import connection
from django.utils import timezone

from clinic.audit import recorded
from clinic.errors import ServiceError, conflict
from clinic.models import User
from clinic.permissions import require_on
from generation import push
from generation.models import CandidateAnalysis, CandidateCheck, CandidateMotion, CheckStatus, ScaledModel
from generation.muscles import muscles_by_opensim
from generation.ownership import (
    BEFORE_GENERATIONS,
    Interrupted,
    Owner,
    SteppedAside,
    Watch,
    drop_lost_connection,
)

logger = logging.getLogger(__name__)

BEHIND_GENERATIONS = -10    # priority of a job; a generation has 0
LIMIT_S = 1200              # E: a check takes half a minute on an idle core
MOST_INTERRUPTIONS = 2      # a check on which a third worker dies is given up


def queue_checks(candidates: Iterable[CandidateMotion]) -> None:
    """Queue a check of each accepted candidate, best first, in the caller's transaction."""
    for candidate in candidates:
        if candidate.accepted:
            _defer(CandidateCheck.objects.create(candidate=candidate), BEHIND_GENERATIONS)


def candidate_check_hurry(*, candidate: CandidateMotion) -> CandidateCheck:
    """Somebody waits for this check: to the front with it. Its caller has asked the permission table.

    A candidate from before there were checks gets its own now. One that is decided, or that failed, stays as it is.
    """
    with recorded(None, "A prescription rests on this motion"):
        check, made = CandidateCheck.objects.select_for_update().get_or_create(
            candidate_id=candidate.pk, defaults={"urgent": True}
        )
        if made or (check.status == CheckStatus.WAITING and not check.urgent):
            check.urgent = True
            check.save(update_fields=["urgent"])
            _defer(check, BEFORE_GENERATIONS)
    return check


def candidate_check_cancel(*, actor: User, check: CandidateCheck) -> CandidateCheck:
    """The candidate cannot be signed until its check is repeated. A worker that is on it stops at its next look."""
    require_on(actor, "check.cancel", check)
    with recorded(actor, "Check by OpenSim cancelled"):
        check = _locked(check.pk)
        if not check.is_open:
            raise conflict(f"This check is over already: {check.get_status_display()}.")
        check.status, check.finished_at = CheckStatus.CANCELLED, timezone.now()
        check.save(update_fields=["status", "finished_at"])
        push.check_changed(check)
    return check


def candidate_check_retry(*, actor: User, check: CandidateCheck) -> CandidateCheck:
    """Queue a failed or cancelled check again, before the others."""
    require_on(actor, "check.retry", check)
    with recorded(actor, "Check by OpenSim repeated"):
        check = _locked(check.pk)
        if not check.can_be_repeated:
            raise conflict("Only a failed or cancelled check can be repeated.")
        check.status, check.urgent, check.interruptions = CheckStatus.WAITING, True, 0
        check.stage = check.detail = check.error = check.error_detail = ""
        check.fraction, check.started_at, check.finished_at = 0, None, None
        check.save()
        _defer(check, BEFORE_GENERATIONS)
        push.check_changed(check)
    return check


def require_passed(candidate: CandidateMotion) -> CandidateCheck:
    """The candidate's check, which OpenSim passed; ServiceError says what is missing. The database asks the same."""
    check = CandidateCheck.objects.filter(candidate_id=candidate.pk).first()
    if check is not None and check.is_passed:
        return check
    if check is not None and check.status == CheckStatus.WITHDRAWN:
        raise conflict(f"OpenSim does not confirm this motion: {' '.join(check.reasons)} Choose another one.")
    if check is not None and check.can_be_repeated:
        raise conflict("The check of this motion by OpenSim did not finish. Repeat it first.")
    raise conflict("This motion is still being checked by OpenSim. It can be signed once that is done.")


def candidate_check_run(*, candidate_id: UUID | str) -> None:
    """Do the work of a check; called by the queue, at least once. What is decided is not done again."""
    check = _take(candidate_id)
    if check is None:
        return
    owner = Owner(check, push.check_changed)
    try:
        _decide(owner, run_opensim(check, owner))
    except Interrupted:
        logger.info("Check %s: stopped, it is no longer ours.", check.pk)
    except SteppedAside:
        _step_aside(owner)
    except ServiceError as error:
        _fail(owner, str(error), type(error.__cause__).__name__)
    except Exception as error:
        logger.exception("Check %s failed.", check.pk)
        drop_lost_connection()
        _fail(owner, "The check stopped because of an error of the software. Your administrator can see which.",
              f"{type(error).__name__}: {error}"[:2000])


def run_opensim(check: CandidateCheck, owner: Owner):
    """OpenSim's answer, as a `checking.Verdict`. Raises Interrupted, SteppedAside, ServiceError with a sentence."""
    from generation import checking  # torch and OpenSim: only in a worker

    candidate = CandidateMotion.objects.get(pk=check.pk)
    model = ScaledModel.objects.get(pk=candidate.request_id)
    watch = Watch(
        owner, urgent=check.urgent, aside=check.stepped_aside, limit_s=LIMIT_S,
        too_long=f"OpenSim had not finished after {LIMIT_S / 60:.0f} minutes and was stopped.",
    )
    try:
        return checking.check(
            mot=bytes(candidate.mot_file), osim=gzip.decompress(model.osim_gzip), stated=candidate.checks,
            progress=owner.report, cancelled=watch.must_stop,
        )
    except checking.Cancelled:
        raise watch.why() from None
    except checking.CheckFailed as error:
        raise ServiceError.of(str(error)) from error


def _take(candidate_id: UUID | str) -> CandidateCheck | None:
    """Make this worker the owner; None when there is nothing to do."""
    with recorded(None, "Taken by a worker"):
        check = CandidateCheck.objects.select_for_update().filter(pk=candidate_id).first()
        if check is None or not check.is_open:
            return None
        if check.status == CheckStatus.RUNNING:
            check.interruptions += 1
        if check.interruptions > MOST_INTERRUPTIONS:
            check.status, check.finished_at = CheckStatus.FAILED, timezone.now()
            check.error = "The check was interrupted too often and is given up. Ask your administrator."
            check.error_detail = f"{check.interruptions} workers ended while working on it."
        else:
            check.status, check.started_at = CheckStatus.RUNNING, timezone.now()
            check.attempt += 1
            check.stage, check.detail, check.fraction = "starting", "", 0
        check.save()
        push.check_changed(check)
    return check if check.status == CheckStatus.RUNNING else None


def _decide(owner: Owner, verdict) -> None:
    """The verdict, its tables and curves in one transaction, if the check is still ours."""
    try:
        with recorded(None, "Checked by OpenSim"):
            current = owner.locked()
            CandidateAnalysis.objects.create(
                candidate_id=current.pk, tables_zip=verdict.tables_zip, curves=verdict.curves
            )
            muscles_by_opensim(candidate_id=current.pk, document=verdict.muscles)
            current.status = CheckStatus.WITHDRAWN if verdict.reasons else CheckStatus.PASSED
            current.reasons, current.result, current.finished_at = verdict.reasons, verdict.result, timezone.now()
            current.stage, current.detail, current.fraction = "finished", "", 1
            current.save()
            push.check_changed(current)
    except Interrupted:
        logger.info("Check %s was taken away before it was stored.", owner.row.pk)


def _step_aside(owner: Owner) -> None:
    try:
        with recorded(None, "Made room for what people wait for"):
            current = owner.locked()
            current.status, current.started_at = CheckStatus.WAITING, None
            current.stepped_aside += 1
            current.stage, current.detail, current.fraction = "", "", 0
            current.save()
            _defer(current, BEHIND_GENERATIONS)
            push.check_changed(current)
    except Interrupted:
        logger.info("Check %s was taken away while it made room.", owner.row.pk)


def _fail(owner: Owner, sentence: str, detail: str) -> None:
    try:
        with recorded(None, "Check by OpenSim failed"):
            current = owner.locked()
            current.status, current.finished_at = CheckStatus.FAILED, timezone.now()
            current.error, current.error_detail = sentence, detail
            current.save()
            push.check_changed(current)
    except Interrupted:
        logger.info("Check %s failed after it was taken away: %s", owner.row.pk, detail)


def _locked(pk: UUID) -> CandidateCheck:
    return CandidateCheck.objects.select_for_update().get(pk=pk)


def _defer(check: CandidateCheck, priority: int) -> None:
    """In the transaction of the caller. A check may have two jobs, one urgent: the later finds nothing to do."""
    from generation.tasks import run_check

    if not connection.in_atomic_block:
        raise RuntimeError("A check is deferred in the transaction that records it.")
    run_check.configure(lock=f"check.{check.pk}", priority=priority).defer(candidate_id=str(check.pk))
