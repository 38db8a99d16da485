"""`manage.py local_database start|stop|status|url`: the project's own PostgreSQL by hand."""
from __future__ import annotations

import os

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from clinic.local_postgres import LocalPostgres, LocalPostgresError


class Command(BaseCommand):
    help = "Start, stop or find the project's own PostgreSQL server (used when DATABASE_URL is unset)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser) -> None:
        parser.add_argument("action", choices=["start", "stop", "status", "url"])

    def handle(self, *, action: str, **options) -> None:
        server = LocalPostgres(settings.LOCAL_DIR / "postgres")
        if os.environ.get("DATABASE_URL"):
            self.stderr.write("DATABASE_URL is set: the site uses that server, not this one.")
        try:
            if action == "start":
                self.stdout.write("Started." if server.start() else "Already running.")
            elif action == "stop":
                self.stdout.write("Stopped." if server.stop() else "Not running.")
            elif action == "status":
                self.stdout.write(f"{'Running' if server.running() else 'Not running'}: {server.folder}")
            else:
                self.stdout.write(server.url)
        except LocalPostgresError as error:
            raise CommandError(str(error)) from error
