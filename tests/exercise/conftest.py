"""The people and records that tests of this room work on."""
from tests.world import engine, shared_world, side, world  # noqa: F401 - fixtures
