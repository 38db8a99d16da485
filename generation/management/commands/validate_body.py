"""python manage.py validate_body [--data RAW_FOLDER] [--only ROW]: the figures of docs/validation.md, once more."""
from __future__ import annotations

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from generation.engine.validation.report import (
    UnknownRow,
    detail_section,
    lines,
    measure,
    table_section,
    write_rows,
    write_section,
)
from generation.engine.validation.rows import TABLE


class Command(BaseCommand):
    help = "Compare the body and the fast route with OpenSim, force plates and published figures (docs/validation.md)."
    requires_system_checks = []
    requires_migrations_checks = False

    def add_arguments(self, parser) -> None:
        parser.add_argument("--data", type=Path, metavar="RAW_FOLDER",
                            help="folder with the raw recordings; without it, rows that need them say so")
        parser.add_argument("--only", metavar="ROW", help=f"one of: {', '.join(TABLE)}")
        parser.add_argument("--write", action="store_true",
                            help="write the results into docs/validation.md; with --only, these rows")

    def handle(self, *args, **options) -> None:
        data, only = options["data"], options["only"]
        if data is not None and not data.is_dir():
            raise CommandError(f"--data: {data} is not a folder")
        try:
            rows = measure(data, only, tell=lambda text: self.stderr.write(text),
                           show=lambda row: self.stdout.write("\n".join(lines(row))))
        except UnknownRow as error:
            raise CommandError(f"--only: {error}", returncode=2) from None
        counts = {state: sum(row.state == state for row in rows) for state in ("met", "missed", "not available")}
        self.stdout.write(", ".join(f"{count} {state}" for state, count in counts.items()))
        if options["write"] and only:
            try:
                write_rows(rows)
            except ValueError as error:
                raise CommandError(f"--write: {error}; write all rows, without --only") from None
        elif options["write"]:
            write_section("table", table_section(rows))
            write_section("detail", detail_section(rows))
