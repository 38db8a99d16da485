"""`python manage.py train_motion_model`: trains, measures and writes `models/motion_model/`. Continues an interrupted
run.
"""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Train the motion model on the shipped squats; uses a GPU when there is one."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser):
        parser.add_argument("--data", type=Path, help="data file (default: models/motion_data/squats.npz)")
        parser.add_argument("--out", type=Path, help="folder to write (default: models/motion_model)")
        parser.add_argument(
            "--steps", type=int, default=1500, help="steps of each of the two runs (default: %(default)s)"
        )
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--compare", action="store_true", help="first train the other shapes too, for the card")
        parser.add_argument("--codings", action="store_true", help="train nothing: compare ways of coding a squat")
        parser.add_argument("--device", choices=("cpu", "cuda"), help="default: cuda where there is one, else cpu")
        parser.add_argument("--threads", type=int, default=1, help="processor threads (default: %(default)s)")

    def handle(self, *args, data, out, steps, seed, device, threads, compare, codings, **options):
        import torch

        from generation.engine.motion_data.dataset import DATA_FILE, DataError
        from generation.engine.motion_model.model import FOLDER
        from generation.engine.motion_model.publish import compare as compare_shapes
        from generation.engine.motion_model.publish import publish

        if steps < 1 or threads < 1:
            raise CommandError("--steps and --threads must be at least 1")
        if device is None:
            device = "cuda" if torch.cuda.is_available() else "cpu"
        if device == "cuda" and not torch.cuda.is_available():
            raise CommandError("--device cuda: this torch sees no CUDA device; use --device cpu")
        torch.set_num_threads(threads)
        if codings:
            return self.compare_codings(out or FOLDER)
        settings = {
            "steps": steps,
            "seed": seed,
            "device": device,
            "progress": lambda text, share: self.stdout.write(f"{100 * share:3.0f} %  {text}"),
        }
        try:
            if compare:
                for row in compare_shapes(data or DATA_FILE, out or FOLDER, **settings):
                    self.stdout.write(f"{row['shape']}: {row['validation_angles_deg']} deg on validation people")
            report = publish(data or DATA_FILE, out or FOLDER, **settings)
        except DataError as error:
            raise CommandError(str(error)) from error
        for method, errors in report.errors.get("test", {}).items():
            self.stdout.write(f"test people, all angles: {method} {errors['angles']:.2f} deg")
        self.stdout.write(f"written to {out or FOLDER}")

    def compare_codings(self, folder: Path) -> None:
        """Write CODINGS.md into the folder from the shipped data and the measured model in `held_out/`."""
        from generation.engine.motion_data import DataError, load_repetitions
        from generation.engine.motion_model.codings import compare_codings, write_codings
        from generation.engine.motion_model.model import ModelError, load_motion_model
        from generation.engine.motion_model.preparation import VALIDATION
        from generation.engine.motion_model.publish import HELD_OUT

        try:
            every = load_repetitions(movement="all")
            squats = load_repetitions()
            others = [r for r in every if r.movement not in {s.movement for s in squats}]
            found = compare_codings(squats, others, load_motion_model(folder / HELD_OUT))
        except (DataError, ModelError) as error:
            raise CommandError(str(error)) from error
        write_codings(folder / "CODINGS.md", found, ", ".join(VALIDATION))
        for coding in found:
            self.stdout.write(f"{coding.name}: {coding.errors['angles']:.2f} deg")
