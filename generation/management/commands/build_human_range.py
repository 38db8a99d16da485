"""Joint angles of recorded people through a squat, as pages draw them behind a motion."""
from __future__ import annotations

from pathlib import Path

from django.core.management.base import BaseCommand

from generation.engine.motion_data import load_repetitions
from generation.engine.motion_data.human_range import FILE, human_range, write
from generation.engine.motion_model.preparation import TEST, VALIDATION


class Command(BaseCommand):
    help = "Write the mean and spread of the held-out people's squats, phase by phase, from the shipped data set."

    def add_arguments(self, parser) -> None:
        parser.add_argument("--out", type=Path, default=FILE)

    def handle(self, *args, **options) -> None:
        found = human_range(load_repetitions(), (*VALIDATION, *TEST))
        write(options["out"], found)
        self.stdout.write(f"{options['out']}: {found.repetitions} repetitions of {found.people} people")
