"""Videos and pictures as they come out: decoded again and held against the engine's numbers. Needs Chromium."""
from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time

import av
import numpy as np
import psutil
import pytest
from PIL import Image

from generation.engine.body import TorchBody, scale_body
from generation.engine.formats import playback_document
from prescriptions.rendering import chromium
from prescriptions.rendering.chromium import Page, RendererMissing, RenderingError
from prescriptions.rendering.film import FRAME_RATE, VIEWS, Layout, Options, Words, moments
from prescriptions.rendering.pictures import NAMES, SIZE
from prescriptions.rendering.studio import Studio
from prescriptions.rendering.video import Cancelled, Video, render
from scripts import bootstrap
from tests.browser.player_page import joint_centres
from tests.generation import plain_squat
from tests.processes import ROOT, wait_until

PHASES = [{"name": "descent", "start_s": 0.0, "end_s": 0.4}, {"name": "bottom", "start_s": 0.4, "end_s": 0.6},
          {"name": "ascent", "start_s": 0.6, "end_s": 1.0}]
BOTTOM_S = 0.5
WORDS = Words("Your squat", "3 sets of 8 repetitions.", ("Go down.", "Come up."), "Valid until 4 December 2026.",
              "Stop if it hurts.", "Not a medical device.")
# The directions of the player's views (static/src/motion-player/cameras.js), degrees from the front and above the
# floor, and its field of view.
DIRECTIONS, FIELD_OF_VIEW = {"front": (0, 8), "side": (90, 6)}, 28
DOT = np.array([24, 100, 171])      # of the player's joint centres on a light page
# Joints whose dots touch no other dot at the bottom.
APART = {"front": ["lumbar", *(f"{name}_{side}" for name in ("hip", "knee", "mtp", "shoulder") for side in "rl")],
         "side": ["lumbar", "subtalar_r", "subtalar_l", "wrist_r", "wrist_l"]}
PATIENCE_S = 60


@pytest.fixture(scope="module", autouse=True)
def bundle() -> None:
    if bootstrap.find_chromium() is None:
        pytest.fail("These tests need Chromium: `make test` installs one, or name it with GENUFLEX_CHROMIUM.")
    bootstrap.build_assets()


@pytest.fixture(scope="module")
def document() -> dict:
    body = TorchBody(scale_body("female", 30, 1.7, 65))
    return playback_document(body, plain_squat.squat(body, 80.0), PHASES)


@pytest.fixture(scope="module")
def video(document: dict) -> Video:
    """Two repetitions with the joint centres drawn in."""
    return render(document, WORDS, Options(repetitions=2, overlays=("joints",)))


@pytest.fixture(scope="module")
def decoded(video: Video) -> list[np.ndarray]:
    """The part of the video that shows the motion."""
    with av.open(io.BytesIO(video.mp4)) as file:
        pictures = [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]
    return pictures


def motion_start(video: Video) -> float:
    """When the first repetition begins, by the captions."""
    before = video.captions.split("\nRepetition 1 of 2")[0].splitlines()[-1]
    hours, minutes, seconds = before.split(" --> ")[0].split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def test_the_file_is_what_old_players_read(video: Video, decoded):
    assert video.mp4.index(b"moov") < video.mp4.index(b"mdat")       # plays before it is there as a whole
    with av.open(io.BytesIO(video.mp4)) as file:
        stream = file.streams.video[0]
        assert (stream.width, stream.height, stream.average_rate) == (1280, 720, FRAME_RATE)
        assert (stream.codec_context.name, stream.codec_context.profile) == ("h264", "Main")
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert file.duration / av.time_base == pytest.approx(video.duration_s, abs=0.05)
        assert file.streams.subtitles[0].codec_context.name == "mov_text"
    assert len(decoded) == round(video.duration_s * FRAME_RATE)
    assert motion_start(video) + 2 + 4 == pytest.approx(video.duration_s, abs=0.1)      # two repetitions, the last card


def test_the_captions_are_in_the_file_and_beside_it(video: Video):
    with av.open(io.BytesIO(video.mp4)) as file:
        words = [bytes(packet)[2:].decode() for packet in file.demux(subtitles=0) if packet.size > 2]
    assert words == [line for line in video.captions.splitlines()[1:] if line and "-->" not in line]
    assert "Repetition 2 of 2. Hold" in words and WORDS.safety in words and words[0] == WORDS.title


def test_the_joint_centres_of_the_engine_are_where_the_video_shows_them(video: Video, decoded, document: dict):
    layout = Layout(720)
    width, height = layout.stage[0] // 2, layout.stage[1]
    shown = decoded[round((motion_start(video) + BOTTOM_S) * FRAME_RATE)]
    frame = round(BOTTOM_S * document["frame_rate"])
    centres = {name: places[frame] for name, places in joint_centres(document).items()}
    with Studio(document, VIEWS["both"], *layout.stage) as studio:
        cameras = [seen["camera"]["position"] for seen in studio.seen(BOTTOM_S)]
    for column, (view, position) in enumerate(zip(VIEWS["both"], cameras, strict=True)):
        part = shown[:height, column * width : (column + 1) * width].astype(int)
        for name in APART[view]:
            place = project(centres[name], np.array(position), *DIRECTIONS[view], width, height)
            assert dot_distance(part, place) < 1.0, (view, name)    # pixels; one is 3 mm here, the dot's radius is 4


def project(point, position, azimuth_deg, height_deg, width, height) -> np.ndarray:
    """A point in ground as a pixel (x, y) of a camera that looks at the body from that direction."""
    azimuth, above = np.radians([azimuth_deg, height_deg])
    back = np.array([np.cos(above) * np.cos(azimuth), np.sin(above), np.cos(above) * np.sin(azimuth)])
    right = np.cross([0, 1, 0], back)
    right /= np.linalg.norm(right)
    seen = np.array([right, np.cross(back, right), back]) @ (np.asarray(point) - position)
    reach = np.tan(np.radians(FIELD_OF_VIEW / 2)) * -seen[2]
    return np.array([width / 2 + seen[0] / reach * height / 2, height / 2 - seen[1] / reach * height / 2])


def dot_distance(picture: np.ndarray, place: np.ndarray, around: int = 9) -> float:
    """From a place to the middle of the dot around it, pixels; infinite where there is none."""
    x, y = np.round(place).astype(int)
    near = picture[max(0, y - around) : y + around + 1, max(0, x - around) : x + around + 1]
    rows, columns = np.nonzero(np.abs(near - DOT).sum(-1) < 90)
    if len(rows) < 10:
        return np.inf
    middle = np.array([columns.mean() + max(0, x - around), rows.mean() + max(0, y - around)]) + 0.5
    return float(np.linalg.norm(middle - place))


def test_the_body_is_inside_the_picture_and_apart_from_the_words(document: dict):
    with Studio(document, VIEWS["both"], *SIZE) as studio:
        for seen in studio.seen(0.0):
            assert seen["people"][0]["bones"]
            assert max(map(abs, seen["camera"]["inFrame"].values())) < 0.96
        assert studio._page.refused == [] and studio._page.said == []       # nothing is asked of any other address


def test_count_phase_and_mark_change_with_the_motion(video: Video, decoded):
    layout = Layout(720)
    first = round(motion_start(video) * FRAME_RATE)
    down, hold, again = (decoded[first + round(at * FRAME_RATE)] for at in (0.1, BOTTOM_S, 1.1))
    width, height = layout.stage
    top, _, tall = layout.count

    def differ(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.abs(a.astype(int) - b).mean())

    assert differ(down[height:], hold[height:]) > 3                              # another word, another arrow
    assert differ(down[top : top + tall, width:], hold[top : top + tall, width:]) < 1
    assert differ(down[top : top + tall, width:], again[top : top + tall, width:]) > 1.5     # "1 of 2", "2 of 2"
    assert differ(down[:height, :width], again[:height, :width]) < 1             # the same moment of the motion
    left, long = layout.track
    lines = [picture[height + 20 : height + 76, left : left + long].astype(int) for picture in (down, hold)]
    marks = [int((np.abs(line - 25).max(-1) < 30).sum(0).argmax()) for line in lines]
    assert marks == pytest.approx([0.1 * long, BOTTOM_S * long], abs=12)


def test_the_poster_is_the_bottom(video: Video, decoded):
    poster = np.asarray(Image.open(io.BytesIO(video.poster)).convert("RGB")).astype(int)
    bottom, standing = (decoded[round((motion_start(video) + at) * FRAME_RATE)] for at in (BOTTOM_S, 0.0))
    assert np.abs(poster - bottom).mean() < 2 < np.abs(poster - standing).mean()


def test_five_pictures_and_a_poster_come_with_it(video: Video):
    assert [picture.name for picture in video.pictures] == list(NAMES)
    assert [picture.seconds for picture in video.pictures] == pytest.approx([0, 0.2, 0.5, 0.8, 1.0])
    sizes = {Image.open(io.BytesIO(picture.jpeg)).size for picture in video.pictures}
    assert sizes == {SIZE} and Image.open(io.BytesIO(video.poster)).size == (1280, 720)
    assert video.facts["memory_mb"] > 50 and video.facts["seconds"] > 0 and "Chrome" in video.facts["browser"]


def test_full_hd_has_its_size_and_one_view_alone(document: dict):
    with Studio(document, VIEWS["three-quarter"], *Layout(1080).stage) as studio:
        size = Image.open(io.BytesIO(studio.picture(BOTTOM_S))).size
        (seen,) = studio.seen(BOTTOM_S)
    assert size == (1260, 936)
    assert max(map(abs, seen["camera"]["inFrame"].values())) < 0.96


def browsers_of(parent: int) -> list[psutil.Process]:
    return [child for child in psutil.Process(parent).children(recursive=True)
            if child.status() != psutil.STATUS_ZOMBIE and "chrom" in child.name().lower()]


def test_a_cancelled_video_leaves_no_browser_behind(document: dict):
    looks = []

    def cancelled() -> bool:
        looks.append(len(browsers_of(os.getpid())))
        return len(looks) > 4

    with pytest.raises(Cancelled):
        render(document, WORDS, Options(), cancelled=cancelled)
    assert max(looks) > 0 and browsers_of(os.getpid()) == []


def test_a_page_that_hangs_is_stopped():
    files = {"/": ("text/html", b"<script src='/a.js'></script>"), "/a.js": ("text/javascript", b"window.film = 1")}
    with Page(files, 100, 100) as page, pytest.raises(RenderingError, match="in time"):
        page.wait_for("film")
        page._ask("Runtime.evaluate", limit_s=1.0, expression="for (;;) {}")
    assert browsers_of(os.getpid()) == []


def test_a_page_reaches_no_other_address():
    script = b"""window.tried = (async () => {
      const found = [];
      for (const url of ["https://example.com/", "http://127.0.0.1:1/", "/other.json"]) {
        try { await fetch(url); found.push(url); } catch { found.push(""); }
      }
      return found.join("");
    })(); window.film = 1;"""
    files = {"/": ("text/html", b"<script src='/a.js'></script>"), "/a.js": ("text/javascript", script)}
    with Page(files, 100, 100) as page:
        page.wait_for("film")
        found = page._ask("Runtime.evaluate", expression="window.tried", awaitPromise=True, returnByValue=True)
        assert found["result"]["value"] == ""


def test_a_killed_worker_takes_its_browser_with_it():
    code = ("import sys, time; from prescriptions.rendering.chromium import Page\n"
            "with Page({'/': ('text/html', b'x')}, 100, 100): print('open', flush=True); time.sleep(100)")
    worker = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert worker.stdout.readline() == "open\n"
    browsers = browsers_of(worker.pid)
    assert browsers
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    worker.stdout.close()

    def gone() -> bool:
        return not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in browsers)

    wait_until(gone, PATIENCE_S, "for the browser to end")


def test_without_chromium_a_sentence_says_what_to_install(document: dict, monkeypatch):
    monkeypatch.setattr(chromium, "find_chromium", lambda: None)
    start = time.monotonic()
    with pytest.raises(RendererMissing, match="apt-get install chromium"):
        render(document, WORDS, Options())
    assert time.monotonic() - start < PATIENCE_S
    assert len(moments(document, 1)) == FRAME_RATE
