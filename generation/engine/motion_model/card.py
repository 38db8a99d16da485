"""The model card, `models/motion_model/CARD.md`."""

from pathlib import Path

from generation.engine.motion_data.sources import LICENCES
from generation.engine.motion_model.channels import BOTTOM, FRAMES, LEARNED_COORDINATES, TRANSLATIONS
from generation.engine.motion_model.preparation import people


def write_card(path: Path, report) -> None:
    """Write the card of a `publish.Report`."""
    split, shape = report.split, report.shape
    checksums = (path.parent / "SHA256SUMS").read_text().splitlines()
    lines = [
        "# Motion model: VQ-VAE of squats",
        "",
        "`weights.safetensors` + `config.json`, made by `python manage.py train_motion_model`; loaded by",
        "`generation.engine.motion_model.load_motion_model()`, which refuses altered files. The curve of the measured run is",
        "`training.csv`; `held_out/` holds the measured model itself, so that every figure below can be computed again.",
        "",
        f"Input: {len(LEARNED_COORDINATES)} channels x {FRAMES} frames, relative to the person's standing pose, lowest pelvis at frame {BOTTOM}",
        f"(`channels.py` says why). Network: width {shape.width}, {shape.down} halvings of time, depth {shape.depth}, dilation growth",
        f"{shape.dilation_growth}, latents {shape.code_dim} x {FRAMES >> shape.down}, residual quantiser of {shape.levels} levels x {shape.codes} codes",
        f"(used on training people: {', '.join(f'{100 * u:.0f} %' for u in report.code_use)}). {report.steps} steps, seed {report.seed}.",
        "",
        "## Data and split, by person",
        "",
        f"`models/motion_data/squats.npz`, sha256 `{report.data_sha256}`.",
        "",
        "| group | people | repetitions |",
        "|---|---|---|",
    ]
    for group in ("train", "validation", "test"):
        repetitions = getattr(split, group)
        lines.append(f"| {group} | {', '.join(s.name for s in people(repetitions))} | {len(repetitions)} |")
    lines += [
        "",
        "The shape was chosen on the validation people; test people were measured once it was chosen. **The weights that ship were",
        "then trained again on everybody with the same settings: the figures are those of their sibling in `held_out/`.**",
        "",
    ]
    for group, title in (
        ("test", "People never seen (test)"),
        ("validation", "Validation people"),
        ("train", "Training people"),
    ):
        errors = report.errors.get(group)
        if errors:
            lines += [
                f"## Reconstruction error: {title}",
                "",
                "RMS in degrees (pelvis translations in mm). PCA is fitted on the same",
                "training people and their mirror images.",
                "",
                *_table(errors),
                "",
            ]
    lines += [
        "## Limits",
        "",
        "- All people are healthy and mostly young, 13 at most; nothing here knows how an injured or frail person squats.",
        "- The error on people never seen is several times that on known people: few people is the limit, not few frames.",
        "- Arms, toes and wrists are not learned. Tempo is not learned either: it is applied when a motion is re-timed.",
        "- A reconstruction is not a prescription: what is delivered is decided by guidance and by the checks after it.",
        "",
        "## Licence",
        "",
        "Weights: Apache-2.0, as the project. Trained on results derived from " + "; ".join(LICENCES.values()) + ".",
        "",
        "## Checksums",
        "",
        *[f"    {line}" for line in checksums],
    ]
    path.write_text("\n".join(lines) + "\n")


def _table(errors: dict[str, dict[str, float]]) -> list[str]:
    lines = ["| channel | " + " | ".join(errors) + " |", "|---" * (len(errors) + 1) + "|"]
    for name in (*LEARNED_COORDINATES, "angles"):
        unit = " (mm)" if name in LEARNED_COORDINATES and LEARNED_COORDINATES.index(name) in TRANSLATIONS else ""
        label = "**all angles**" if name == "angles" else name + unit
        lines.append(f"| {label} | " + " | ".join(f"{e[name]:.2f}" for e in errors.values()) + " |")
    return lines
