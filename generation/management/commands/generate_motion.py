"""python manage.py generate_motion PROFILE.json --out DIR: generate squats without the web and without a database."""
from __future__ import annotations

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from generation.engine.generate import MOST_CANDIDATES, LimitConflict, ProfileError, generate
from generation.engine.motion_model import ModelError
from generation.engine.profile import load_profile
from generation.management.folders import check_writable


class Command(BaseCommand):
    help = "Generate squat motions for PROFILE.json (docs/profile.md): candidate_000.mot ..., model.osim, report.json."
    requires_system_checks = []
    requires_migrations_checks = False

    def add_arguments(self, parser) -> None:
        parser.add_argument("profile", type=Path, metavar="PROFILE.json", help="who squats and what the squat may do")
        parser.add_argument("--out", type=Path, required=True,
                            help="folder to write to; made if it is not there; candidate_*.mot in it are replaced")
        parser.add_argument("--candidates", type=int, default=16,
                            help=f"how many motions to make, 1 to {MOST_CANDIDATES} (default: %(default)s)")
        parser.add_argument("--seed", type=int, default=0,
                            help="same seed, same machine: same motions (default: %(default)s)")
        parser.add_argument("--device", choices=("cpu", "cuda"), help="default: cuda where there is one, else cpu")

    def handle(self, *args, **options) -> None:
        try:
            profile = load_profile(options["profile"])
            check_writable(options["out"])
            result = generate(profile, candidates=options["candidates"], seed=options["seed"],
                              device=options["device"], progress=self._progress(options["verbosity"]))
        except (ProfileError, LimitConflict, ModelError) as error:
            raise CommandError(str(error)) from None
        try:
            result.write(options["out"])
        except OSError as error:
            raise CommandError(f"--out: cannot write to {options['out']}: {error.strerror}") from None
        accepted = sum(candidate.accepted for candidate in result.candidates)
        self.stdout.write(f"{accepted} of {len(result.candidates)} candidates accepted; see "
                          f"{options['out'] / 'report.json'}")
        for blocker in result.report["summary"]["blocking"]:
            self.stdout.write(blocker["text"])

    def _progress(self, verbosity: int):
        if verbosity == 0:
            return None
        return lambda stage, fraction, detail: self.stderr.write(f"{100 * fraction:3.0f} % {stage}: {detail}")
