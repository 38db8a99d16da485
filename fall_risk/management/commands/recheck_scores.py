"""`manage.py recheck_scores`: compute every stored score again, in its own version from its own inputs, and compare."""
from __future__ import annotations

from django.core.management.base import BaseCommand, CommandError

from fall_risk.models import ScoreRecord
from fall_risk.scores import InputError, recompute

MOST_SHOWN = 50


class Command(BaseCommand):
    help = "Recompute all stored fall-risk scores; fails when one comes out differently."

    def handle(self, **options) -> None:
        checked, wrong = 0, 0
        for record in ScoreRecord.objects.order_by("pk").iterator(chunk_size=500):
            checked += 1
            if difference := self._difference(record):
                wrong += 1
                if wrong <= MOST_SHOWN:
                    self.stdout.write(f"{record.pk} {record.key} {record.version}: {difference}")
        if wrong:
            raise CommandError(f"{wrong} of {checked} stored scores come out differently.")
        self.stdout.write(f"{checked} stored scores, all the same when computed again.")

    def _difference(self, record: ScoreRecord) -> str:
        """Empty when everything that was stored comes out again."""
        asked = {"key": record.key, "version": record.version, "inputs": record.inputs["answers"],
                 "person": record.inputs["person"]}
        try:
            found = recompute(asked).document()
        except (KeyError, InputError) as error:
            return f"cannot be computed any more: {error}"
        names = sorted(name for name in {*found, *record.result} if found.get(name) != record.result.get(name))
        return "; ".join(f"{name} was {record.result.get(name)!r}, is {found.get(name)!r}" for name in names)
