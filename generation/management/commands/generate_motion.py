"""python manage.py generate_motion PROFILE.json --out DIR: generate squats without the web and without a database."""
from __future__ import annotations

import os
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from generation.engine.generate import MOST_CANDIDATES, LimitConflict, ProfileError, generate
from generation.engine.motion_model import ModelError
from generation.engine.profile import load_profile


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
            _check_writable(options["out"])
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


def _check_writable(folder: Path) -> None:
    """Before the work, not after it. Raises CommandError."""
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    if not existing.is_dir():
        raise CommandError(f"--out: {existing} is a file; name a folder")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise CommandError(f"--out: no permission to write in {existing}; name another folder")
