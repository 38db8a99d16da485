"""How the processes log: one line each, and no patient data."""
from __future__ import annotations

import logging
import re

# PostgreSQL repeats the offending row in these lines of its errors.
ROW_DETAIL = re.compile(r"^(DETAIL|CONTEXT|HINT|LINE \d+): .*(\n\s+\^)?$", re.MULTILINE)


class Formatter(logging.Formatter):
    """Time, process, level, where, what; tracebacks without the rows that a database error quotes."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        return ROW_DETAIL.sub("(row details left out)", super().format(record))


LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"()": "clinic.logs.Formatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "django": {"handlers": [], "propagate": True, "level": "WARNING"},
        **{name: {"level": "INFO"} for name in ("clinic", "patients", "generation", "prescriptions")},
    },
}
