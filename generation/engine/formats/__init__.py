"""File formats: OpenSim motions, marker files, the playback document."""

from generation.engine.formats.errors import FormatError
from generation.engine.formats.mot import read_mot, write_mot
from generation.engine.formats.motion import Motion
from generation.engine.formats.playback import playback_document
from generation.engine.formats.trc import MarkerRecording, read_trc

__all__ = ["FormatError", "MarkerRecording", "Motion", "playback_document", "read_mot", "read_trc", "write_mot"]
