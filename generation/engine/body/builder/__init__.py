"""Makes the artefacts in `models/body/` from the public source files. Not used at run time."""
