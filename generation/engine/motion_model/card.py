"""The model card, `models/motion_model/CARD.md`."""

from pathlib import Path

from generation.engine.motion_data.card import markdown
from generation.engine.motion_data.sources import LICENCES
from generation.engine.motion_model.channels import BOTTOM, FRAMES, LEARNED_COORDINATES
from generation.engine.motion_model.linear_code import COSINES, SIZE
from generation.engine.motion_model.population import AS_INSTRUCTED, FLOOR_DEG, TOWARDS_PRODUCT
from generation.engine.motion_model.preparation import people
from generation.engine.motion_model.stances import DESCRIBED

TITLES = {"train": "training people", "validation": "validation people", "test": "people never seen (test)"}


def write_card(path: Path, report) -> None:
    """Write the card of a `publish.Report`. The checksum file must be there already."""
    blocks = [
        "# Motion model: squats as people do them",
        "`weights.safetensors` and `config.json` are made by `python manage.py train_motion_model` and loaded by "
        "`generation.engine.motion_model.load_motion_model()`, which refuses altered files. `held_out/` holds the same "
        "model fitted to the training people only: every figure below is its own and can be computed again. "
        "`residual_vqvae/`, `published_vqvae/` and `scalar_vqvae/` hold the networks it is compared with, trained on "
        "the same people.",
        f"What it is: {len(LEARNED_COORDINATES)} channels x {FRAMES} frames, relative to the person's standing pose, "
        f"lowest pelvis at frame {BOTTOM} (`channels.py` says why), written as {COSINES} cosines each "
        f"(`linear_code.py`); over these {SIZE} numbers, {len(DESCRIBED)} more of standing pose, stance and tempo, and "
        "three of the body, one normal distribution of people (`population.py`): every person counts the same, left "
        f"and right mirrored, covariance drawn by {TOWARDS_PRODUCT:g} towards a product of channels and cosines, "
        f"weight {AS_INSTRUCTED:g} on repetitions performed as instructed, floor {FLOOR_DEG:g} deg. A latent is these "
        "numbers in the distribution's own axes and deviations; decoding is one matrix product.",
        "**Why it is no VQ-VAE.** The project began as a VQ-VAE over OpenSim kinematics with guidance in its latents; "
        "guidance in latents it still is. The codes went: they cost a new person's squat 2.8 degrees that nothing "
        "gives back. Of the priors over a code without loss, no learned flow expected new people's squats better than "
        "the normal distribution does, and none drew squats that are clearly more like theirs. `COMPARISON.md` has the "
        "figures, on the validation people.",
        "## Data and split, by person",
        f"`models/motion_data/squats.npz`, sha256 `{report.data_sha256}`.",
        "\n".join(["| group | people | repetitions |", "|---|---|---|"]
                  + [_group_row(report.split, group) for group in reversed(TITLES)]),
        "Everything was chosen on the validation people. **The weights that ship were then fitted again to everybody, "
        "test people included: the figures below are those of their sibling in `held_out/`.**",
        "## Reconstruction: RMS error in degrees",
        _table(report.errors, ("angles", "knee", "hip", "ankle", "lumbar"),
               ("all angles", "knee", "hip", "ankle", "lumbar")),
        "## The distribution",
        "Log likelihood in nats for each of the numbers of a repetition performed as instructed. Drawn squats against "
        "these people's: fidelity is the mean over frames and angles of the squared differences of mean and of "
        "deviation (deg^2); spread the ratio of deviations; diversity the difference of the published entropy; nearest "
        "the median RMS distance (deg) of a real squat to the nearest of "
        "1,000 drawn ones. In brackets the same for the training people's own squats.",
        _distribution(report),
        "## Limits",
        "- All people are healthy and mostly young, 13 at most; nothing here knows how an injured or frail person "
        "squats.",
        "- With so few people, means and spreads over people are uncertain themselves: the validation people's squats "
        "differ from the training people's by more than drawn squats differ from the latter.",
        "- Of a body only leg length counts. Telling the distribution height and proportions made new people's squats "
        "hardly likelier (`COMPARISON.md`), and recorded bodies, fitted to markers, are proportioned otherwise than "
        "bodies predicted from height and mass: used, they narrowed every stance.",
        "- Depth beyond two standard deviations of what people did is reached by making the movement smaller or larger "
        "as a whole.",
        "- Tempo is drawn with the movement but does not change it: telling the model a tempo did not make new "
        "people's movements likelier.",
        "- Arms, toes and wrists are not learned; neither are movements other than squats (`COMPARISON.md` says what "
        "they add).",
        "- A drawn squat is not a prescription: guidance and the checks after it decide what is delivered.",
        "## Licence",
        "Weights: Apache-2.0, as the project. Trained on results derived from " + "; ".join(LICENCES.values()) + ".",
        "## Checksums",
        "\n".join("    " + line for line in (path.parent / "SHA256SUMS").read_text().splitlines()),
    ]
    path.write_text(markdown(blocks))


def _group_row(split, group: str) -> str:
    repetitions = getattr(split, group)
    return f"| {group} | {', '.join(s.name for s in people(repetitions))} | {len(repetitions)} |"


def _table(rows: dict[str, dict[str, float]], keys: tuple[str, ...], titles: tuple[str, ...]) -> str:
    lines = ["| group | " + " | ".join(titles) + " |", "|---" * (len(titles) + 1) + "|"]
    lines += [f"| {TITLES[group]} | " + " | ".join(f"{row[key]:.2f}" for key in keys) + " |"
              for group, row in rows.items()]
    return "\n".join(lines)


def _distribution(report) -> str:
    keys = ("fidelity", "spread", "diversity", "nearest")
    lines = ["| group | nats a number | fidelity | spread | diversity % | nearest deg |", "|---|---|---|---|---|---|"]
    for group, drawn in report.drawn.items():
        known = report.known[group]
        cells = [f"{drawn[key]:.2f}" + ("" if group == "train" else f" ({known[key]:.2f})") for key in keys]
        lines.append(f"| {TITLES[group]} | {report.likelihood[group]:.2f} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
