"""Videos around their drawing: asked for, made by a worker, kept, sent, seen by those who may."""
from __future__ import annotations

import gzip

import pytest
from django.core import mail
from django.db import connection
from django.http import Http404
from django.test import Client

from clinic.errors import ServiceError
from generation.ownership import Interrupted, SteppedAside
from prescriptions import services, videos
from prescriptions.models import MotionPicture, MotionVideo, MotionVideoEvent
from prescriptions.rendering.pictures import NAMES, Picture
from prescriptions.rendering.video import Video
from prescriptions.selectors import picture_list, video_renderer
from prescriptions.words import dose_sentence
from tests.world import DOSE, PASSWORD, Side, World

MP4 = b"....ftyp" + bytes(range(200))


def drawn(row: MotionVideo, owner) -> Video:
    """The renderer's place in tests of what surrounds it; `test_rendering.py` draws."""
    owner.report("drawing", 0.5, "half way")
    if owner.lost():
        raise Interrupted
    pictures = [Picture(name, 0.1 * number, b"jpeg") for number, name in enumerate(NAMES)]
    return Video(MP4, "WEBVTT\n", b"poster", pictures, 12.0, {"browser": "Chrome/1", "bytes": len(MP4), "seconds": 3.0,
                                                             "memory_mb": 400})


@pytest.fixture(autouse=True)
def renderer(monkeypatch) -> None:
    monkeypatch.setattr(videos, "render_video", drawn)


@pytest.fixture
def queued(side: Side) -> MotionVideo:
    """What a signature has asked for, not yet made."""
    signed = services.prescription_sign(actor=side.clinician, prescription=side.record.draft, password=PASSWORD)
    return signed.videos.get()


def jobs() -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT args->>'video_id', queue_name, priority FROM procrastinate_jobs "
                       "WHERE task_name = 'prescriptions.make_video' AND status = 'todo' ORDER BY id")
        return cursor.fetchall()


def run(row: MotionVideo) -> MotionVideo:
    videos.motion_video_run(video_id=row.pk)
    row.refresh_from_db()
    return row


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_a_signature_queues_the_video_of_one_set_behind_the_generations(side: Side, queued: MotionVideo):
    assert (queued.status, queued.height, queued.view) == ("queued", 720, "both")
    assert queued.repetitions == DOSE["repetitions"]
    assert jobs()[-1] == (str(queued.pk), "videos", videos.BEHIND_GENERATIONS)
    assert -10 < videos.BEHIND_GENERATIONS < 0


def test_a_worker_makes_it_with_five_pictures_and_their_words(side: Side, queued: MotionVideo):
    MotionPicture.objects.all().delete()
    row = run(queued)
    assert row.is_ready and bytes(row.mp4) == MP4 and row.fraction == 1 and row.duration_s == 12
    pictures = list(picture_list(user=side.clinician, candidate=row.prescription.candidate))
    assert [picture.moment for picture in pictures] == list(NAMES)
    assert all("Knees bent" in picture.alt and "degrees" in picture.alt for picture in pictures)
    before = row.attempt
    assert run(row).attempt == before       # what is ready is not made again


def test_the_same_content_is_made_once_and_another_size_is_another_video(side: Side, queued: MotionVideo):
    run(queued)
    count = len(jobs())
    again = videos.video_request(actor=side.clinician, prescription=queued.prescription)
    assert again == queued and again.is_ready and len(jobs()) == count
    large = videos.video_request(actor=side.clinician, prescription=queued.prescription, height=1080, repetitions=1)
    assert large != queued and len(jobs()) == count + 1


def test_nothing_in_it_names_the_patient_or_the_condition(side: Side, queued: MotionVideo):
    words = videos.words_of(queued.prescription)
    text = " ".join([words.title, words.dose, *words.instructions, words.validity, words.safety, words.statement])
    patient = side.record.patient
    assert patient.given_name not in text and patient.family_name not in text and "ACL" not in text
    assert side.clinician.full_name in words.validity and f"{queued.prescription.expires_at:%Y}" in words.validity
    dose = "3 sets of 8 repetitions, 60 s rest between sets, 3 times a week for 2 weeks."
    assert words.dose == dose_sentence(queued.prescription) == dose


def test_only_what_is_signed_gets_a_video(side: Side):
    with pytest.raises(ServiceError, match="signed"):
        videos.video_request(actor=side.clinician, prescription=side.record.draft)
    with pytest.raises(ServiceError, match="View must be"):
        videos.video_request(actor=side.clinician, prescription=side.record.signed, view="top")
    with pytest.raises(Http404):
        videos.video_request(actor=side.outsider, prescription=side.record.signed)


def test_a_cancelled_video_is_not_made_and_can_be_asked_for_again(side: Side, queued: MotionVideo):
    videos.video_cancel(actor=side.clinician, video=queued)
    assert run(queued).status == "cancelled"
    with pytest.raises(ServiceError, match="Cancelled"):
        videos.video_cancel(actor=side.clinician, video=queued)
    videos.video_retry(actor=side.administrator, video=queued)
    assert run(queued).is_ready
    events = MotionVideoEvent.objects.filter(pgh_obj_id=queued.pk)
    reasons = {event.pgh_context.metadata.get("reason") for event in events}
    assert {"Video cancelled", "Video asked for again", "Video made"} <= reasons


def test_cancelled_in_its_middle_it_stores_nothing(side: Side, queued: MotionVideo, monkeypatch):
    def cancelled_meanwhile(row, owner):
        videos.video_cancel(actor=side.clinician, video=row)
        return drawn(row, owner)

    monkeypatch.setattr(videos, "render_video", cancelled_meanwhile)
    row = run(queued)
    assert row.status == "cancelled" and row.mp4 is None


def test_withdrawn_before_it_is_made_it_is_left(side: Side, queued: MotionVideo):
    services.prescription_withdraw(actor=side.clinician, prescription=queued.prescription, reason="Swollen.")
    row = run(queued)
    assert row.status == "cancelled" and "withdrawn" in row.error and row.mp4 is None


def test_it_steps_aside_and_comes_again(queued: MotionVideo, monkeypatch):
    def others_wait(row, owner):
        raise SteppedAside

    monkeypatch.setattr(videos, "render_video", others_wait)
    count = len(jobs())
    row = run(queued)
    assert (row.status, row.stepped_aside, len(jobs())) == ("queued", 1, count + 1)


def test_it_is_given_up_when_workers_die_on_it(queued: MotionVideo, monkeypatch):
    def dies(row, owner):
        raise KeyboardInterrupt       # nothing is written any more

    monkeypatch.setattr(videos, "render_video", dies)
    for _ in range(1 + videos.MOST_INTERRUPTIONS):
        with pytest.raises(KeyboardInterrupt):
            run(queued)
    assert run(queued).status == "failed" and "interrupted" in queued.error


def test_an_error_of_the_software_is_a_sentence_and_a_detail(side: Side, queued: MotionVideo, monkeypatch):
    def breaks(row, owner):
        raise ZeroDivisionError("of no number")

    monkeypatch.setattr(videos, "render_video", breaks)
    row = run(queued)
    assert row.status == "failed" and "administrator" in row.error and "ZeroDivisionError" in row.error_detail
    text = signed_in(side.administrator).get("/clinic/jobs/").content.decode()
    assert "ZeroDivisionError" in text


def test_without_chromium_the_pages_say_what_to_install_and_everything_else_works(side: Side, queued, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setattr("prescriptions.rendering.chromium.find_chromium", lambda: None)
    row = run(queued)
    assert row.status == "failed" and row.lacks_renderer
    clinician, patient = signed_in(side.clinician), signed_in(side.patient)
    page = clinician.get(f"/prescriptions/{row.prescription_id}/").content.decode()
    assert "apt-get install chromium" in page and "Make it again" in page
    assert video_renderer(user=side.administrator).lacks_renderer
    jobs_page = signed_in(side.administrator).get("/clinic/jobs/").content.decode()
    assert "The renderer is missing" in jobs_page and "GENUFLEX_CHROMIUM" in jobs_page
    today = patient.get("/today/")
    assert today.status_code == 200 and "motion-player" in today.content.decode()
    assert patient.get(f"/today/{row.prescription_id}/video/").status_code == 404


def test_the_page_shows_progress_then_the_video(side: Side, queued: MotionVideo):
    browser = signed_in(side.clinician)
    address = f"/prescriptions/{queued.prescription_id}/"
    assert 'hx-trigger="every 2s"' in browser.get(f"{address}videos/").content.decode()
    run(queued)
    part = browser.get(f"{address}videos/").content.decode()
    assert "every 2s" not in part and f"/videos/{queued.pk}/file/" in part and "<track" in part
    assert f'video="/videos/{queued.pk}/file/"' in browser.get(address).content.decode()
    wrong = browser.post(f"{address}videos/", {"height": "480", "view": "both", "repetitions": "1"})
    assert wrong.status_code == 422
    right = browser.post(f"{address}videos/", {"height": "1080", "view": "front", "repetitions": "1"})
    assert right.status_code == 302 and queued.prescription.videos.count() == 2


def test_it_is_sent_in_parts_as_players_ask(side: Side, queued: MotionVideo):
    run(queued)
    browser = signed_in(side.patient)
    address = f"/today/{queued.prescription_id}/video/"
    whole = browser.get(address)
    assert whole.content == MP4 and whole["Content-Type"] == "video/mp4" and whole["Accept-Ranges"] == "bytes"
    assert whole["Content-Disposition"].startswith("inline") and "Hofmann" not in whole["Content-Disposition"]
    assert browser.get(f"{address}?download")["Content-Disposition"].startswith("attachment")
    for asked, start, end in (("bytes=0-1", 0, 2), ("bytes=200-", 200, 208), ("bytes=-5", 203, 208),
                              ("bytes=100-9999", 100, 208)):
        part = browser.get(address, headers={"Range": asked})
        assert part.status_code == 206 and part.content == MP4[start:end]
        assert part["Content-Range"] == f"bytes {start}-{end - 1}/208"
    assert browser.get(address, headers={"Range": "bytes=208-"}).status_code == 416
    assert browser.get(address, headers={"Range": "lines=1-2"}).status_code == 200


def test_the_patient_sees_their_own_while_it_is_in_force(world: World):
    side, row = world.own, world.own.record.signed
    addresses = [f"/today/{row.pk}/{what}/" for what in ("video", "captions", "poster", "pictures/bottom")]
    addresses.append(f"/api/v1/exercises/{row.pk}/video/")
    browser = signed_in(side.patient)
    assert [browser.get(address).status_code for address in addresses] == [200] * 5
    assert f"/today/{row.pk}/video/" in browser.get("/today/").content.decode()
    other = signed_in(world.foreign.patient)
    assert {other.get(address).status_code for address in addresses} == {404}
    assert browser.get(f"/videos/{side.record.video.pk}/file/").status_code == 403
    services.prescription_hold(actor=side.clinician, prescription=row, reason="Pain.")
    assert {browser.get(address).status_code for address in addresses} == {404}
    assert signed_in(side.clinician).get(f"/videos/{side.record.video.pk}/file/").status_code == 200


def test_the_patient_is_told_without_anything_clinical(side: Side):
    video = side.record.video
    videos.video_send(actor=side.clinician, video=video)
    (sent,) = mail.outbox
    assert sent.to == [side.patient.email] and "/today/" in sent.body and not sent.attachments
    assert "knee" not in sent.body.lower() and "squat" not in sent.subject.lower()
    video.refresh_from_db()
    assert video.sent_at is not None
    services.prescription_hold(actor=side.clinician, prescription=side.record.signed, reason="Pain.")
    with pytest.raises(ServiceError, match="not in force"):
        videos.video_send(actor=side.clinician, video=MotionVideo.objects.get(pk=video.pk))


def test_an_email_that_is_refused_says_so(side: Side, monkeypatch):
    def refuse(self):
        raise ConnectionRefusedError

    monkeypatch.setattr("django.core.mail.EmailMessage.send", refuse)
    with pytest.raises(ServiceError, match="could not be sent"):
        videos.video_send(actor=side.clinician, video=side.record.video)
    side.record.video.refresh_from_db()
    assert side.record.video.sent_at is None


def test_the_document_that_is_drawn_is_the_candidates_own(queued: MotionVideo, monkeypatch):
    monkeypatch.undo()
    asked = {}

    def keep(document, words, options, progress, cancelled):
        asked.update(document=document, options=options, stop=cancelled())
        return drawn(queued, type("Quiet", (), {"report": lambda *_: None, "lost": lambda *_: False})())

    monkeypatch.setattr("prescriptions.rendering.video.render", keep)
    assert run(queued).is_ready
    stored = gzip.decompress(queued.prescription.candidate.playback_gzip)
    assert asked["document"]["frames"] == 61 and str(asked["document"]["frames"]).encode() in stored
    assert asked["options"].repetitions == DOSE["repetitions"] and asked["stop"] is False
