"""Can fallers be told from a balance test? Training and honest evaluation, apart from the product: nothing imports
this.

`python -m fall_risk.research.balance RAW_FOLDER` reads the public balance data set and writes `models/fall_risk/`.
"""
