"""The model card, `models/motion_model/CARD.md`."""

import csv
from pathlib import Path

from generation.engine.motion_data.card import markdown
from generation.engine.motion_data.sources import LICENCES
from generation.engine.motion_model.channels import BOTTOM, FRAMES, LEARNED_COORDINATES, TRANSLATIONS
from generation.engine.motion_model.preparation import people

COMPARISON = "comparison.csv"
GROUPS = (("test", "people never seen (test)"), ("validation", "validation people"), ("train", "training people"))


def write_card(path: Path, report) -> None:
    """Write the card of a `publish.Report`. The checksum file must be there already."""
    split, shape = report.split, report.shape
    used = ", ".join(f"{100 * share:.0f} %" for share in report.code_use)
    blocks = [
        "# Motion model: VQ-VAE of squats",
        "`weights.safetensors` and `config.json` are made by `python manage.py train_motion_model` and loaded by "
        "`generation.engine.motion_model.load_motion_model()`, which refuses altered files. `training.csv` is the "
        "curve "
        "of the measured run; `held_out/` holds the measured model, so that every figure below can be computed again.",
        f"Input: {len(LEARNED_COORDINATES)} channels x {FRAMES} frames, relative to the person's standing pose, lowest "
        f"pelvis at frame {BOTTOM} (`channels.py` says why). Network: width {shape.width}, {shape.down} halvings of "
        "time, "
        f"depth {shape.depth}, dilation growth {shape.dilation_growth}, latents {shape.code_dim} x "
        f"{FRAMES >> shape.down}, "
        f"residual quantiser of {shape.levels} levels x {shape.codes} codes (used by training people: {used}). "
        f"{report.steps} steps, seed {report.seed}.",
        "## Data and split, by person",
        f"`models/motion_data/squats.npz`, sha256 `{report.data_sha256}`.",
        "\n".join(
            ["| group | people | repetitions |", "|---|---|---|"] + [_group_row(split, group) for group, _ in GROUPS]
        ),
        "The shape was chosen on the validation people. **The weights that ship were then trained again on everybody "
        "with "
        "the same settings: the figures below are those of their sibling in `held_out/`.**",
        *_comparison(path.parent / COMPARISON),
    ]
    for group, title in GROUPS:
        if report.errors.get(group):
            blocks += [
                f"## Reconstruction error: {title}",
                "RMS in degrees (pelvis translations in mm). PCA: principal components of whole repetitions, fitted "
                "on the "
                "same training people and their mirror images.",
                _table(report.errors[group]),
            ]
    blocks += [
        "## Limits",
        "- All people are healthy and mostly young, 13 at most; nothing here knows how an injured or frail person "
        "squats.",
        "- The error on people never seen is larger than on known ones: few people is the limit, not few frames.",
        f"- The network spends {shape.levels} x {FRAMES >> shape.down} codes of {shape.codes} on a repetition, PCA "
        "its number "
        "of components at full precision: the tables compare errors, not compression.",
        "- `training_latents` hold the repetitions performed as instructed and their mirrors; the deliberate faults "
        "(knees "
        "that cave in, weight on one leg) taught the codes and the decoder only.",
        "- Arms, toes and wrists are not learned. Tempo is not learned: it is applied when a motion is re-timed.",
        "- A reconstruction is not a prescription: guidance and the checks after it decide what is delivered.",
        "## Licence",
        "Weights: Apache-2.0, as the project. Trained on results derived from " + "; ".join(LICENCES.values()) + ".",
        "## Checksums",
        "\n".join("    " + line for line in (path.parent / "SHA256SUMS").read_text().splitlines()),
    ]
    path.write_text(markdown(blocks))


def _comparison(file: Path) -> list[str]:
    if not file.is_file():
        return []
    with file.open() as stream:
        rows = list(csv.DictReader(stream))
    return [
        "## Shapes compared",
        "RMS over all angles in degrees after the same training (`train_motion_model --compare`); validation chooses.",
        "\n".join(
            ["| shape | parameters | validation | test |", "|---|---|---|---|"]
            + [" | ".join(["", *row.values(), ""]).strip() for row in rows]
        ),
    ]


def _group_row(split, group: str) -> str:
    repetitions = getattr(split, group)
    return f"| {group} | {', '.join(s.name for s in people(repetitions))} | {len(repetitions)} |"


def _table(errors: dict[str, dict[str, float]]) -> str:
    lines = ["| channel | " + " | ".join(errors) + " |", "|---" * (len(errors) + 1) + "|"]
    for name in (*LEARNED_COORDINATES, "angles"):
        unit = " (mm)" if name in LEARNED_COORDINATES and LEARNED_COORDINATES.index(name) in TRANSLATIONS else ""
        label = "**all angles**" if name == "angles" else name + unit
        lines.append(f"| {label} | " + " | ".join(f"{e[name]:.2f}" for e in errors.values()) + " |")
    return "\n".join(lines)
