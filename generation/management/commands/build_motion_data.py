"""`python manage.py build_motion_data RAW_FOLDER`: raw recordings to `models/motion_data/`. Continues an interrupted
run.
"""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Build the shipped motion data from raw recordings by inverse kinematics (half an hour, resumable)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser):
        parser.add_argument(
            "raw_folder",
            type=Path,
            help="the folder that holds ui-prmd/, cmbbe2024/, kirsten-squat/ and opencap-squat/",
        )
        parser.add_argument("--out", type=Path, help="folder to write to (default: models/motion_data)")

    def handle(self, *args, raw_folder, out, **options):
        from generation.engine.motion_data.build import build
        from generation.engine.motion_data.dataset import FOLDER
        from generation.engine.motion_data.sources import SourceError

        try:
            found = build(
                raw_folder,
                out or FOLDER,
                progress=lambda text, share: self.stdout.write(f"{100 * share:3.0f} %  {text}"),
            )
        except SourceError as error:
            raise CommandError(str(error)) from error
        kept = sum(f.repetition is not None for f in found)
        self.stdout.write(
            f"{kept} repetitions kept, {len(found) - kept} left out; see CARD.md in {out or FOLDER}"
        )
