"""What a motion does to a body: one result for both routes, its measures, its files."""

from generation.engine.analysis.analyse import CUTOFF_HZ, analyse, motion_in
from generation.engine.analysis.files import report, tables, write_analysis
from generation.engine.analysis.plates import ground_from_plates
from generation.engine.analysis.result import Analysis, Route
from generation.engine.reference import Cancelled, Progress, ReferenceFailed

__all__ = [
    "CUTOFF_HZ", "Analysis", "Cancelled", "Progress", "ReferenceFailed", "Route", "analyse", "ground_from_plates",
    "motion_in", "report", "tables", "write_analysis",
]
