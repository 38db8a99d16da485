"""Fixtures of the tests of `<motion-player>`."""
from tests.browser.player_tab import open_player, server, tab  # noqa: F401
