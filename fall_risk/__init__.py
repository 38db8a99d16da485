"""Fall risk: forms, scores, reports. `scores/` and `research/` are pure; the rest of this app is Django."""
