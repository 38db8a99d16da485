"""The queue's doorway to prescriptions."""
from __future__ import annotations

from procrastinate.contrib.django import app

from generation.tasks import WHEN_DATABASE_IS_AWAY
from prescriptions import videos


@app.task(name="prescriptions.make_video", queue="videos", priority=videos.BEHIND_GENERATIONS,
          retry=WHEN_DATABASE_IS_AWAY)
def make_video(video_id: str) -> None:
    videos.motion_video_run(video_id=video_id)
