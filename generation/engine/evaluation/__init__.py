"""How good the generator is: the tables of `docs/evaluation.md`, on people whom its model has not seen.

`people.py` says who, `motions.py` what is compared, `published.py` by which definitions, `baselines.py` and
`published_guidance.py` against what, `delivered.py` makes and keeps the generator's own files, `random_profiles.py`
and `checker.py` ask for the hard limits, `realism.py` judges, `personal.py` starts from own squats, `evaluate.py`
measures all of it part by part, `table.py` compares with the bars and `page.py` writes.
"""
