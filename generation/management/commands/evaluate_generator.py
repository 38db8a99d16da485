"""python manage.py evaluate_generator [--profiles N] [--only ROW]: the tables of docs/evaluation.md, once more."""
from __future__ import annotations

from pathlib import Path

import torch
from django.core.management.base import BaseCommand, CommandError

from generation.engine.evaluation.evaluate import OPENSIM_MOTIONS, PROFILES, Evaluation
from generation.engine.evaluation.page import merged, write
from generation.engine.evaluation.published_guidance import ITERATIONS
from generation.engine.evaluation.store import WORK
from generation.engine.evaluation.table import MET, MISSED, SO_FAR, UNMEASURED, rows
from generation.engine.motion_model import ModelError


class Command(BaseCommand):
    help = ("Measure the generator on people whom its model has not seen and write docs/evaluation.md and "
            "docs/evaluation.json. Goes on where an earlier run was stopped.")
    requires_system_checks = []
    requires_migrations_checks = False

    def add_arguments(self, parser) -> None:
        parser.add_argument("--profiles", type=int, default=PROFILES, metavar="N",
                            help=f"how many random profiles (default {PROFILES}; fewer are named in the table)")
        parser.add_argument("--iterations", type=int, default=ITERATIONS, metavar="N",
                            help=f"of the published guidance (default {ITERATIONS}, as published; 0 leaves it out)")
        parser.add_argument("--opensim", type=int, default=OPENSIM_MOTIONS, metavar="N",
                            help=f"how many motions OpenSim judges, twice (default {OPENSIM_MOTIONS})")
        parser.add_argument("--only", metavar="ROW", help=f"one of: {', '.join(Evaluation.names())}")
        parser.add_argument("--device", choices=("cpu", "cuda"), help="of the generations; default: CUDA, if any")
        parser.add_argument("--work", type=Path, default=WORK, metavar="FOLDER", help="where finished parts are kept")
        parser.add_argument("--dry-run", action="store_true", help="measure and print, write no page")

    def handle(self, *args, **options) -> None:
        if min(options["profiles"], options["opensim"]) < 1 or options["iterations"] < 0:
            raise CommandError("--profiles and --opensim: at least 1; --iterations: at least 0")
        if options["only"] not in (None, *Evaluation.names()):
            raise CommandError(f"--only: there is no {options['only']!r}; choose from {', '.join(Evaluation.names())}",
                               returncode=2)
        evaluation = Evaluation(options["work"], options["profiles"], options["iterations"], options["opensim"],
                                options["device"], lambda text: self.stderr.write(text))
        try:
            results = merged(evaluation.run(options["only"])) if options["only"] else evaluation.run()
        except ModelError as error:
            raise CommandError(str(error)) from error
        found = rows(results)
        for row in found:
            self.stdout.write(f"[{row.state}] {row.what}\n    bar: {row.bar}\n    ours: {row.ours}")
        counts = {state: sum(row.state == state for row in found) for state in (MET, SO_FAR, MISSED, UNMEASURED)}
        self.stdout.write(", ".join(f"{count} {state}" for state, count in counts.items()))
        if not options["dry_run"]:
            facts = {"motion model": evaluation.model.version, "code of the generator": evaluation.store.folder.name,
                     "random profiles": options["profiles"],
                     "iterations of the published guidance": options["iterations"], "torch": torch.__version__}
            write(results, facts)
