"""python manage.py analyse_motion MOTION.mot --model MODEL.osim --route fast --out DIR: what a motion does to one."""
from __future__ import annotations

import sys
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from generation.engine.analysis import CUTOFF_HZ, ReferenceFailed, analyse, write_analysis
from generation.engine.analysis.markers import body_from_markers, motion_from_markers
from generation.engine.body import load_body, personal_body
from generation.engine.formats import FormatError, read_c3d, read_external_loads, read_mot, read_trc
from generation.engine.physics import calibrate
from generation.engine.profile import ProfileError, load_profile
from generation.management.folders import check_writable

MARKERS = {".trc": read_trc, ".c3d": read_c3d}
MASS_KG = (30, 220)  # as in a profile


class Command(BaseCommand):
    help = "Moments, muscles and loads of a motion, as OpenSim tables and report.json (docs/analysis.md)."
    requires_system_checks = []
    requires_migrations_checks = False

    def add_arguments(self, parser) -> None:
        parser.add_argument("motion", type=Path, metavar="MOTION",
                            help="joint angles (.mot, .sto) or markers (.trc, .c3d)")
        who = parser.add_mutually_exclusive_group(required=True)
        who.add_argument("--model", type=Path, metavar="MODEL.osim", help="the person's own scaled model")
        who.add_argument("--profile", type=Path, metavar="PROFILE.json", help="a profile to make the body from")
        parser.add_argument("--route", choices=("opensim", "fast"), required=True,
                            help="opensim: OpenSim's own tools, about 0.25 s a frame; fast: the same in torch")
        parser.add_argument("--out", type=Path, required=True, metavar="DIR",
                            help="folder to write to; made if it is not there; tables of the same name are replaced")
        parser.add_argument("--grf", type=Path, metavar="FILE", help="measured ground forces (.mot, .sto)")
        parser.add_argument("--grf-setup", type=Path, metavar="FILE",
                            help="OpenSim's external-loads set-up (.xml) that assigns them to bodies")
        parser.add_argument("--sex", choices=("female", "male", "other"),
                            help="with --model: this sex's published segment masses in place of the model's own")
        parser.add_argument("--mass", type=float, metavar="KG", help="with --model: the person's mass by a scale")
        parser.add_argument("--seat", action="store_true",
                            help="without measured forces: a seat may carry too (sit-to-stand)")
        parser.add_argument("--moco", action="store_true",
                            help="MocoInverse in place of static optimisation; minutes, opensim only")
        parser.add_argument("--every", type=int, default=1, metavar="N", help="analyse every N-th frame (default: all)")
        parser.add_argument("--cutoff", type=float, default=CUTOFF_HZ, metavar="HZ",
                            help="low-pass of motion and forces, 0 for none (default: %(default)s)")

    def handle(self, *args, **options) -> None:
        if options["moco"] and options["route"] != "opensim":
            raise CommandError("--moco: MocoInverse belongs to --route opensim", returncode=2)
        if options["grf_setup"] and not options["grf"]:
            raise CommandError("--grf-setup: give the forces too, with --grf", returncode=2)
        if options["seat"] and options["grf"]:
            raise CommandError("--seat: the seat's force is estimated only where forces are not measured", returncode=2)
        if options["profile"] and (options["sex"] or options["mass"] is not None):
            raise CommandError("--sex and --mass go with --model; a profile says them itself", returncode=2)
        if options["mass"] is not None and not MASS_KG[0] <= options["mass"] <= MASS_KG[1]:
            raise CommandError(f"--mass must be between {MASS_KG[0]} and {MASS_KG[1]} kg", returncode=2)
        if options["every"] < 1:
            raise CommandError("--every must be 1 or more", returncode=2)
        if not 0 <= options["cutoff"] <= 1000:
            raise CommandError("--cutoff must be between 0 and 1000 Hz", returncode=2)
        check_writable(options["out"])
        try:
            progress = self._progress(options["verbosity"])
            motion, body = self._motion_and_body(options, progress)
            calibration = _named("--model", _calibration, body, options)
            analysis = analyse(
                motion, body, route=options["route"], forces=_forces(options), every=options["every"],
                moco=options["moco"], cutoff_hz=options["cutoff"] or None, seat=options["seat"],
                calibration=calibration, progress=progress,
            )
        except (FormatError, ProfileError, ReferenceFailed) as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            raise CommandError("stopped; nothing was written", returncode=130) from None
        try:
            files = write_analysis(analysis, options["out"], {"input": {"motion": options["motion"].name}})
        except OSError as error:
            raise CommandError(f"--out: cannot write to {options['out']}: {error.strerror}") from None
        self.stdout.write(f"{int(analysis.trusted.sum())} of {len(analysis.time)} frames trusted; wrote {len(files)} "
                          f"files, see {options['out'] / 'report.json'}")
        for note in analysis.notes:
            self.stdout.write(note)

    def _motion_and_body(self, options, progress):
        """Markers become a motion in the person's model first; with a profile the model is made from them too."""
        path, name = options["motion"], options["motion"].name
        profile = load_profile(options["profile"]) if options["profile"] else None
        read = MARKERS.get(path.suffix.lower())
        if read is None:
            motion = _named(name, read_mot, path)
            return motion, personal_body(profile) if profile else _named("--model", load_body, options["model"])
        recording = _named(name, read, path)
        if profile and profile.model_osim is None:
            if progress:
                progress("scaling", 0.0, "fitting segment lengths to the markers, about a minute")
            body, person, positions = _named(name, body_from_markers, profile, recording)
        else:
            body = personal_body(profile) if profile else _named("--model", load_body, options["model"])
            person = positions = None
        return _named(name, motion_from_markers, recording, body, person, positions, progress=progress).motion, body

    def _progress(self, verbosity: int):
        if verbosity == 0:
            return None
        line = _Line(self.stderr)
        return line.tell


class _Line:
    """Progress on one line of a terminal; a line for each twentieth elsewhere."""

    def __init__(self, stream):
        self.stream, self.told = stream, None

    def tell(self, stage: str, fraction: float, detail: str) -> None:
        text = f"{100 * fraction:3.0f} % {stage}: {detail}"
        if sys.stderr.isatty():
            self.stream.write(f"\r{text:<70.70}", ending="\n" if fraction >= 1 else "")
        elif (stage, int(20 * fraction)) != self.told:
            self.told = (stage, int(20 * fraction))
            self.stream.write(text)


def _calibration(body, options):
    """The masses of a supplied model, where its person's are told."""
    if options["sex"] is None and options["mass"] is None:
        return None
    return calibrate(body, mass_kg=options["mass"], sex=options["sex"])


def _forces(options):
    if not options["grf"]:
        return None
    return _named("--grf", read_external_loads, options["grf"], options["grf_setup"])


def _named(what: str, read, *arguments, **options):
    """Read a file; an error says which of the files it is about."""
    try:
        return read(*arguments, **options)
    except FormatError as error:
        raise FormatError(f"{what}: {error}") from None
