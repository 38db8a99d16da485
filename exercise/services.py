"""Sessions are told by the patient. What alarms holds the exercise and alerts the care team in the same transaction."""
from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from clinic.audit import recorded
from clinic.errors import ServiceError, conflict
from clinic.models import User
from clinic.permissions import require_on
from exercise import pain
from exercise.models import ExerciseSession, StoppedEarly
from fall_risk.models import Alert, AlertKind
from fall_risk.services.alerts import alert_raise
from patients.models import Patient
from prescriptions.models import Prescription, PrescriptionStatus
from prescriptions.pain import limit_of
from prescriptions.services import patient_prescriptions_hold

CLOCKS_DIFFER = timedelta(minutes=5)        # E: a phone's clock and ours
LONGEST = timedelta(hours=6)                # E: longer is a clock that went wrong
_IDENTITY = ("patient_id", "prescription_id", "recorded_by_id", "corrects_id", "started_at", "finished_at", "sets",
             "repetitions", "pain_before", "pain_during", "pain_after", "difficulty", "stopped_early", "note")


def session_record(
    *, actor: User, prescription: Prescription, session_id: UUID, started_at: datetime, finished_at: datetime,
    sets: int, repetitions: int, pain_during: int, pain_after: int, pain_before: int | None = None,
    difficulty: int | None = None, red_flags: list[str] | tuple[str, ...] = (), stopped_early: str = "",
    note: str = "", corrects: ExerciseSession | None = None,
) -> ExerciseSession:
    """By the patient. The same entry sent again gives the row that the first one made; another content under the same
    id is a conflict. It may arrive late (the phone had no connection): what counts is that the exercise was in force
    when the session began."""
    require_on(actor, "session.record", prescription.patient)
    session = ExerciseSession(
        id=session_id, patient=prescription.patient, prescription=prescription, recorded_by=actor, corrects=corrects,
        started_at=started_at, finished_at=finished_at, sets=sets, repetitions=repetitions, pain_before=pain_before,
        pain_during=pain_during, pain_after=pain_after, difficulty=difficulty, red_flags=sorted(set(red_flags)),
        stopped_early=stopped_early, note=note.strip(), pain_limit=limit_of(prescription).most,
    )
    with recorded(actor, "Session corrected" if corrects else "Session recorded"):
        Patient.objects.select_for_update().get(pk=prescription.patient_id)     # holds and signatures wait for us
        if earlier := _stored(session):
            return earlier
        prescription = Prescription.objects.get(pk=prescription.pk)
        session.full_clean(exclude=["id", "prescription"], validate_unique=False, validate_constraints=False)
        _check_times(session, prescription)
        if corrects is not None:
            _check_correction(session, corrects)
        _alarm(actor, session)
        try:
            with transaction.atomic():
                session.save(force_insert=True)
        except IntegrityError:      # the id is in use in another record
            raise conflict("This entry has the number of another one. Please write it down again.") from None
    return session


def _stored(session: ExerciseSession) -> ExerciseSession | None:
    """What the same entry has made before. ServiceError when it was another entry."""
    earlier = ExerciseSession.objects.filter(pk=session.pk, patient=session.patient).first()
    if earlier is None:
        return None
    same = all(getattr(earlier, name) == getattr(session, name) for name in _IDENTITY)
    if not same or sorted(earlier.red_flags) != session.red_flags:
        raise conflict("Another entry with this number is stored already. Correct that one, or write a new one.")
    return earlier


def _check_times(session: ExerciseSession, prescription: Prescription) -> None:
    now = timezone.now()
    if session.finished_at < session.started_at:
        raise ServiceError.of("The end is before the beginning.", "finished_at")
    if session.finished_at > now + CLOCKS_DIFFER:
        raise ServiceError.of("This is in the future. Is the clock of your phone right?", "finished_at")
    if session.finished_at - session.started_at > LONGEST:
        raise ServiceError.of(f"A session takes at most {LONGEST.seconds // 3600} hours.", "finished_at")
    if prescription.is_draft or session.started_at < prescription.signed_at - CLOCKS_DIFFER:
        raise ServiceError.of("This is before the exercise was signed for you.", "started_at")
    ends = [prescription.expires_at]
    if prescription.status == PrescriptionStatus.HELD:
        ends.append(prescription.held_at)
    if prescription.withdrawn_at is not None:
        ends.append(prescription.withdrawn_at)
    if session.started_at > min(ends) + CLOCKS_DIFFER:
        raise conflict("This exercise was not in force any more when you did it. Please call your clinic.")


def _check_correction(session: ExerciseSession, corrects: ExerciseSession) -> None:
    if corrects.patient_id != session.patient_id or corrects.prescription_id != session.prescription_id:
        raise ServiceError.of("Only an entry of the same exercise can be corrected.", "corrects")
    if ExerciseSession.objects.filter(corrects=corrects).exists():
        raise conflict("This entry was corrected already. Correct the newer one.")


def _alarm(actor: User, session: ExerciseSession) -> None:
    """Hold and alert. A correction alarms only by what the entry it replaces did not say."""
    found = _trouble(session)
    if session.corrects is not None:
        found = {key: words for key, words in found.items() if key not in _trouble(session.corrects)}
    if not found:
        return
    what = "; ".join(found.values())
    patient_prescriptions_hold(actor=actor, patient=session.patient, reason=f"After a session: {what}.")
    session.alert = _alert(session, what)


def _alert(session: ExerciseSession, what: str) -> Alert:
    day = f"{session.started_at.day} {session.started_at:%B %Y}"
    return alert_raise(patient=session.patient, kind=AlertKind.EXERCISE, sentence=f"Session of {day}: {what}.")


def _trouble(session: ExerciseSession) -> dict[str, str]:
    found = pain.trouble(
        most=session.pain_limit, during=session.pain_during, after=session.pain_after, red_flags=session.red_flags
    )
    if session.stopped_early == StoppedEarly.UNWELL:
        found["unwell"] = "stopped because of not feeling well"
    return found
