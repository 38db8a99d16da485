"""The people and records that tests of this room work on."""
from tests.world import engine, side, world  # noqa: F401 - fixtures
