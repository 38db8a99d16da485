"""The people and records that tests of this room work on."""
from tests.sockets import sockets_in_process  # noqa: F401
from tests.world import engine, shared_world, side, world  # noqa: F401 - fixtures
