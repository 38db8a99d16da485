"""`python -m fall_risk.research.balance RAW_FOLDER`: every figure about the balance data set, made again.

Writes `models/fall_risk/results.json` and, from it, `models/fall_risk/CARD.md`. No coefficients are written: the rule
of `verdict` was set before the figures were seen, and no candidate meets it.
"""
from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from fall_risk.research.candidates import boosted_stumps, folds, plain_logistic, prevalence, ridge_logistic
from fall_risk.research.card import card
from fall_risk.research.evaluation import OUTER_FOLDS, REPEATS, auc, evaluate, out_of_fold, pairs
from fall_risk.research.people import PERSON_FEATURES, SWAY_FEATURES, People, read_people
from fall_risk.scores.medication import POLYPHARMACY
from fall_risk.scores.prior_model import estimate

OUTPUT = Path(__file__).parents[2] / "models" / "fall_risk"
OLDER = 60.0
CANDIDATES: dict[str, tuple[tuple[str, ...], Callable]] = {
    "prevalence": (("age",), prevalence),
    "age alone": (("age",), plain_logistic),
    "questionnaires and tests, penalised logistic": (PERSON_FEATURES, ridge_logistic),
    "sway, penalised logistic": (SWAY_FEATURES, ridge_logistic),
    "everything, penalised logistic": (PERSON_FEATURES + SWAY_FEATURES, ridge_logistic),
    "everything, boosted stumps": (PERSON_FEATURES + SWAY_FEATURES, boosted_stumps),
}
TRAINED = tuple(CANDIDATES)[2:]
PERMUTATIONS = 100


def literature(people: People) -> np.ndarray:
    """The literature-prior estimate from what the file has of it: drugs, Parkinson's disease, dizziness. The history
    of falls is the outcome itself and the mobility term is not recorded: both are averaged over their prevalence.
    """
    return np.array([estimate(known, bool(drugs >= POLYPHARMACY)).probability
                     for known, drugs in zip(people.known, people.drugs, strict=True)])


def rule(chosen: np.ndarray, fell: np.ndarray) -> dict:
    """Sensitivity and specificity of a yes/no rule."""
    return {"chosen": int(chosen.sum()), "sensitivity": float(chosen[fell].mean()),
            "specificity": float((~chosen[~fell]).mean())}


def leakage(people: People) -> dict:
    """What a split by trial would have claimed: the nearest trial of training decides, split by trial and by person."""
    of_person = people.columns(("age", "bmi"))[people.trial_person]
    x = np.column_stack([people.trial_sway, of_person])
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    y = people.fell[people.trial_person]
    by_person = folds(people.fell, OUTER_FOLDS, seed=1)[people.trial_person]
    found = {}
    for name, fold in (("by_trial", folds(y, OUTER_FOLDS, seed=1)), ("by_person", by_person)):
        p = np.empty(len(y))
        for k in range(OUTER_FOLDS):
            train, test = fold != k, fold == k
            nearest = ((x[test][:, None] - x[train][None]) ** 2).sum(-1).argmin(axis=1)
            p[test] = y[train][nearest]
        found[name] = auc(y, p)
    return found


def permuted(people: People, count: int) -> dict:
    """Best AUC over the trained candidates, on the real outcomes and on shuffled ones (one repeat each)."""
    def best(y: np.ndarray) -> float:
        return max(float(pairs(y, out_of_fold(people.columns(names), y, fit, 1)).auc())
                   for names, fit in (CANDIDATES[name] for name in TRAINED))

    rng = np.random.default_rng(0)
    shuffled = [best(rng.permutation(people.fell)) for _ in range(count)]
    observed = best(people.fell)
    return {"count": count, "observed": observed, "shuffled_median": float(np.median(shuffled)),
            "shuffled_95": float(np.quantile(shuffled, 0.95)),
            "p": float((1 + sum(value >= observed for value in shuffled)) / (1 + count))}


def study(people: People, repeats: int, permutations: int) -> dict:
    """All figures of one group of people."""
    y = people.fell
    predictions = {name: out_of_fold(people.columns(names), y, fit, repeats) for name, (names,
        fit) in CANDIDATES.items()}
    age = predictions["age alone"]
    models = {name: evaluate(y, p, None if name == "age alone" else age) for name, p in predictions.items()}
    models["literature prior without history and mobility (not trained)"] = evaluate(
        y, np.tile(literature(people), (repeats, 1)), age)
    concern = np.array(people.concern)
    return {
        "people": len(y), "fallers": int(y.sum()), "models": models,
        "rules": {"moderate or high concern (short FES-I)": rule(concern != "Low Concern", y),
                  "high concern (short FES-I)": rule(concern == "High Concern", y),
                  f"{POLYPHARMACY} drugs or more": rule(people.drugs >= POLYPHARMACY, y)},
        "single_features": {name: _single(people, name) for name in people.names},
        "permutation": permuted(people, permutations),
        "leakage": leakage(people),
    }


def _single(people: People, name: str) -> float:
    x = people.columns((name,))[:, 0]
    there = ~np.isnan(x)
    return auc(people.fell[there], x[there])


def verdict(older: dict) -> dict:
    """May a trained candidate ship? Set beforehand: in people of 60 and over it must beat the prevalence in Brier
    score, beat age alone in AUC with an interval above 0, and have a calibration slope from 0.5 to 1.5.
    """
    found = {}
    for name in TRAINED:
        model, slope = older["models"][name], older["models"][name]["slope"]
        reasons = []
        if model["brier_skill"] <= 0:
            reasons.append("its Brier score is no better than the prevalence for everybody")
        if model["auc_gain_interval"][0] <= 0:
            reasons.append("its AUC is not surely above that of age alone")
        if slope is None or not 0.5 <= slope <= 1.5:
            reasons.append("its calibration slope is outside 0.5 to 1.5")
        found[name] = {"ships": not reasons, "reasons": reasons}
    return found


def rounded(value):
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    return [rounded(one) for one in value] if isinstance(value, list) else value


def run(folder: Path, repeats: int = REPEATS, permutations: int = PERMUTATIONS) -> dict:
    """The whole study as one JSON document."""
    people = read_people(folder)
    older = study(people.subset(people.age >= OLDER), repeats, permutations)
    everybody = study(people, repeats, permutations)
    return rounded({"repeats": repeats, "outer_folds": OUTER_FOLDS, "older": older, "everybody": everybody,
                    "verdict": verdict(older)})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="the folder that holds BDSinfoCOP.txt")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    arguments = parser.parse_args()
    if not (arguments.folder / "BDSinfoCOP.txt").is_file():
        parser.error(f"{arguments.folder} does not hold BDSinfoCOP.txt: get the balance data set (10.13026/C2WW2W).")
    results = run(arguments.folder)
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    (arguments.output / "CARD.md").write_text(card(results), encoding="utf-8")
    print(card(results))


if __name__ == "__main__":
    main()
