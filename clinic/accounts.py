"""How allauth behaves here: accounts are made by the clinic, nobody signs up."""
from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter


class ClinicAccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request) -> bool:
        return False
