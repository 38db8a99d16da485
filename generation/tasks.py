"""The queue's doorway to generation."""
from __future__ import annotations

from procrastinate.contrib.django import app

from generation import services


@app.task(name="generation.run", queue="generation")
def run_generation(request_id: str) -> None:
    services.generation_request_run(request_id=request_id)
