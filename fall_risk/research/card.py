"""The card of the study, written from its results and nothing else."""
from __future__ import annotations

from fall_risk.research.evaluation import THRESHOLDS

_GROUPS = (("older", "People of 60 and over"), ("everybody", "Everybody, 18 to 86 years"))


def card(results: dict) -> str:
    """`CARD.md` for the results of `balance.run`."""
    shipped = [name for name, found in results["verdict"].items() if found["ships"]]
    lines = [
        "# Fall-risk model from balance tests: a finding, not a model" if not shipped else "# Fall-risk model",
        "",
        "Made by `python -m fall_risk.research.balance RAW_FOLDER`, which writes this page and `results.json`. Data: "
        "Santos DA, Duarte M (2016), A public data set of human balance evaluations, PeerJ 4:e2648, CC BY 4.0 (doi "
        "10.13026/C2WW2W). The raw file does not ship; the figures below are derived from it.",
        "",
        "## What was asked",
        "",
        "Can people who fell in the last 12 months be told from the others by age, body, short FES-I, Mini-BESTest, "
        "Trail Making, number of drugs, activity, and the sway of their quiet standing (area, speed and frequency in "
        "four conditions)?",
        "",
        "**The falls lie before the test.** Nothing here predicts anything; at best it would describe. The "
        "guideline's category cannot be compared, because its first question (fallen in 12 months?) is the outcome "
        "itself. What could be compared of it: concern about falling, five drugs or more, and the literature-prior "
        "estimate without history and mobility.",
        "",
        f"Evaluation: {results['outer_folds']}-fold cross-validation by person, stratified, repeated "
        f"{results['repeats']} times; penalty or number of rounds chosen by 5-fold cross-validation inside each "
        "training part; medians, scales and imputation learned there too. Intervals: 95 %, bootstrap over people of "
        "each person's mean prediction.",
        "",
    ]
    for key, title in _GROUPS:
        lines += _group(title, results[key])
    lines += ["## Verdict", "", "A candidate ships only if, in people of 60 and over, it beats the prevalence in "
                                "Brier score, beats age alone in AUC with an interval above 0, and has a calibration "
                                "slope from 0.5 to 1.5.", ""]
    for name, found in results["verdict"].items():
        lines.append(f"- {name}: "
                     f"{'ships' if found['ships'] else 'does not ship: ' + '; '.join(found['reasons']) + '.'}")
    if not shipped:
        lines += ["", "No coefficients ship. The product's probability stays the literature-prior estimate "
                      "(docs/fall_risk.md)."]
    lines += ["", "## Why so weak", "",
              "Few people fell, and most of them once. Of those under 60 as many had fallen as of those over 60. "
              "Falls were remembered over a year, not noted day by day. The people were volunteers who could come to "
              "a laboratory and stand there for an hour: probably the steadier ones (our reading). None of this says "
              "that balance does not matter: it says that these 163 people cannot show it.", ""]
    return "\n".join(lines)


def _group(title: str, group: dict) -> list[str]:
    share = group["fallers"] / group["people"]
    lines = [f"## {title}: {group['people']} people, {group['fallers']} fell ({share:.0%})", "",
             "| model | AUC (95 %) | gain in AUC over age (95 %) | Brier | better than prevalence by | slope | "
             "intercept |",
             "|---|---|---|---|---|---|---|"]
    for name, model in group["models"].items():
        gain = model.get("auc_gain_interval")
        slope = "-" if model["slope"] is None else f"{model['slope']:.2f}"
        lines.append(f"| {name} | {model['auc']:.2f} ({_range(model['auc_interval'])}) | "
                     f"{_range(gain) if gain else '-'} | {model['brier']:.3f} | {model['brier_skill']:+.1%} | "
                     f"{slope} | {model['intercept']:+.2f} |")
    age = group["single_features"]["age"]
    lines += ["", "AUC compares people of the same test fold; the intervals do not hold the chance of training on "
                  "other people. Slope 1 and intercept 0 are ideal; a slope near 0 or below means that the "
                  f"predictions order nobody. Age by itself orders nobody (AUC {age:.2f} on all people at once); "
                  "cross-validation then puts it below 0.5, because the slope that chance gives in the training "
                  "people is reversed in the people left out. The gain over age is therefore flattering: compare "
                  "with 0.5, and with the shuffled outcomes below.", "",
              "Reliability: mean prediction and share who fell, in four groups of equal size from low to high "
              "prediction.", "",
              "| model | " + " | ".join(f"group {n}" for n in range(1, 5)) + " |", "|---|---|---|---|---|"]
    for name, model in group["models"].items():
        if name not in ("prevalence",):
            cells = [f"{one['predicted']:.0%} / {one['observed']:.0%}" for one in model["reliability"]]
            lines.append(f"| {name} | {' | '.join(cells)} |")
    thresholds = [f"{t:.2f}" for t in THRESHOLDS]
    everybody = [f"{share - (1 - share) * t / (1 - t):+.3f}" for t in THRESHOLDS]
    lines += ["", "Decision curve: net benefit for each person at a threshold of acting (to act for nobody is 0).", "",
              f"| | {' | '.join(thresholds)} |", "|---|" + "---|" * len(thresholds),
              f"| act for everybody | {' | '.join(everybody)} |"]
    for name, model in group["models"].items():
        if name != "prevalence":
            lines.append(f"| {name} | {' | '.join(format(model['net_benefit'][t], '+.3f') for t in thresholds)} |")
    lines += ["", "Rules without training:", "", "| rule | people chosen | sensitivity | specificity |",
              "|---|---|---|---|"]
    for name, rule in group["rules"].items():
        lines.append(f"| {name} | {rule['chosen']} | {rule['sensitivity']:.0%} | {rule['specificity']:.0%} |")
    best = sorted(group["single_features"].items(), key=lambda item: -abs(item[1] - 0.5))[:4]
    shuffled, leak = group["permutation"], group["leakage"]
    lines += ["", "Single features furthest from an AUC of 0.5, seen on all people at once (below 0.5: lower in "
                  "fallers): "
              + ", ".join(f"{name} {value:.2f}" for name, value in best) + ".", "",
              f"Chance: with the outcomes shuffled {shuffled['count']} times, the best of the four trained "
              f"candidates has a median AUC of {shuffled['shuffled_median']:.2f} (95th percentile "
              f"{shuffled['shuffled_95']:.2f}); with the true outcomes, in the same single repeat, "
              f"{shuffled['observed']:.2f} (p = {shuffled['p']:.2f}).", "",
              "A warning for readers of this data set: split by trial instead of by person, a nearest-neighbour "
              f"rule on sway, age and body mass index reaches an AUC of {leak['by_trial']:.2f}, because it "
              f"recognises the person; split by person it has {leak['by_person']:.2f}.", ""]
    return lines


def _range(interval: list[float]) -> str:
    return f"{interval[0]:.2f} to {interval[1]:.2f}"
