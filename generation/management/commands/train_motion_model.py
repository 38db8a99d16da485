"""`python manage.py train_motion_model`: fits, measures and writes `models/motion_model/`. With `--compare` it also
trains the networks and flows that the model is compared with, and continues an interrupted run.
"""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Make the motion model from the shipped squats; --compare trains its baselines too."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser):
        parser.add_argument("--out", type=Path, help="folder to write (default: models/motion_model)")
        parser.add_argument("--compare", action="store_true",
                            help="train the baselines too and write COMPARISON.md and CODINGS.md")
        parser.add_argument("--steps", type=int, default=1500, help="of each baseline network (default: %(default)s)")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--device", choices=("cpu", "cuda"), help="default: cuda where there is one, else cpu")
        parser.add_argument("--threads", type=int, default=1, help="processor threads (default: %(default)s)")

    def handle(self, *args, out, steps, seed, device, threads, compare, **options):
        import torch

        from generation.engine.motion_data.dataset import DataError
        from generation.engine.motion_model import FOLDER
        from generation.engine.motion_model.publish import publish

        if steps < 1 or threads < 1:
            raise CommandError("--steps and --threads must be at least 1")
        if device is None:
            device = "cuda" if torch.cuda.is_available() else "cpu"
        if device == "cuda" and not torch.cuda.is_available():
            raise CommandError("--device cuda: this torch sees no CUDA device; use --device cpu")
        torch.set_num_threads(threads)
        out = out or FOLDER
        try:
            report = publish(out=out)
            for group, errors in report.errors.items():
                self.stdout.write(f"{group} people: {errors['angles']:.2f} deg, {report.likelihood[group]:.2f} nats")
            if compare:
                self.compare(out, steps, seed, device)
        except DataError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"written to {out}")

    def compare(self, out: Path, steps: int, seed: int, device: str) -> None:
        from generation.engine.motion_data import load_repetitions
        from generation.engine.motion_model.baselines import RESIDUAL_VQVAE, compare, train_networks
        from generation.engine.motion_model.codings import compare_codings, write_codings
        from generation.engine.motion_model.preparation import VALIDATION

        def progress(text: str, share: float) -> None:
            self.stdout.write(f"{100 * share:3.0f} %  {text}")

        networks = train_networks(out, steps=steps, seed=seed, device=device, progress=progress)
        for row in compare(networks, out, seed=seed, device=device, progress=progress):
            self.stdout.write(row.name)
        squats = load_repetitions()
        others = [r for r in load_repetitions(movement="all") if r.movement not in {s.movement for s in squats}]
        codings = compare_codings(squats, others, networks[RESIDUAL_VQVAE.name])
        write_codings(out / "CODINGS.md", codings, ", ".join(VALIDATION))
