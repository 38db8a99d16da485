"""File formats: OpenSim motions and tables, measured forces, marker files, the playback document."""

from generation.engine.formats.c3d import read_c3d
from generation.engine.formats.errors import FormatError
from generation.engine.formats.external_loads import (
    ExternalLoads,
    PlateForce,
    read_external_loads,
    write_external_loads,
)
from generation.engine.formats.mot import read_mot, write_mot
from generation.engine.formats.motion import Motion
from generation.engine.formats.playback import playback_document
from generation.engine.formats.storage import Storage, read_storage, write_storage
from generation.engine.formats.trc import MarkerRecording, read_trc

__all__ = [
    "ExternalLoads", "FormatError", "MarkerRecording", "Motion", "PlateForce", "Storage", "playback_document",
    "read_c3d", "read_external_loads", "read_mot", "read_storage", "read_trc", "write_external_loads", "write_mot",
    "write_storage",
]
