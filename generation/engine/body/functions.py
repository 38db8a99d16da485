"""The functions of an OpenSim joint as piecewise polynomials, exactly."""

from dataclasses import dataclass

import numpy as np
from numpy.polynomial import polynomial

SAME_KNOT = 1e-9  # knots closer than this are one (E; the models repeat the same angles in all their splines)


@dataclass(frozen=True)
class Pieces:
    """breaks (S,) ascending; coefficients (S + 1, D + 1), lowest power first, of x - left, where left is the break on
    the left of the piece and breaks[0] for the first one. Without breaks left is 0."""

    breaks: np.ndarray
    coefficients: np.ndarray

    @property
    def is_line(self) -> bool:
        return not len(self.breaks) and not self.coefficients[0, 2:].any()

    def left(self) -> np.ndarray:
        """(S + 1,) the origin of each piece."""
        return np.concatenate([self.breaks[:1], self.breaks]) if len(self.breaks) else np.zeros(1)

    def scaled(self, gain: float) -> "Pieces":
        return Pieces(self.breaks, self.coefficients * gain)

    def of_line(self, slope: float, intercept: float) -> "Pieces":
        """The function of slope * x + intercept, slope not zero."""
        breaks, left = (self.breaks - intercept) / slope, self.left()
        coefficients, origins = self.coefficients, (left - intercept) / slope
        if slope < 0:
            breaks, coefficients, origins = breaks[::-1], coefficients[::-1], origins[::-1]
        stretched = coefficients * slope ** np.arange(coefficients.shape[1])
        moved = Pieces(breaks, stretched)
        return Pieces(breaks, _shifted(stretched, moved.left() - origins))

    def at_breaks(self, breaks: np.ndarray, degree: int) -> np.ndarray:
        """(S + 1, degree + 1) coefficients of the same function cut at other `breaks`, which hold its own."""
        target = Pieces(breaks, np.zeros((len(breaks) + 1, 1)))
        edges = np.concatenate([breaks[:1] - 1, (breaks[:-1] + breaks[1:]) / 2, breaks[-1:] + 1])
        piece = np.searchsorted(self.breaks, edges)
        rows = self.coefficients[piece]
        rows = np.pad(rows, ((0, 0), (0, degree + 1 - rows.shape[1])))
        return _shifted(rows, target.left() - self.left()[piece])


def _shifted(rows: np.ndarray, by: np.ndarray) -> np.ndarray:
    """Coefficients of p(x + by), row by row."""
    result = rows.copy()
    for row, step in enumerate(by):
        if step:
            moved = np.zeros(1)
            for coefficient in rows[row][::-1]:
                moved = polynomial.polyadd(polynomial.polymul(moved, [step, 1.0]), [coefficient])
            result[row] = np.pad(moved, (0, rows.shape[1]))[: rows.shape[1]]
    return result


def line(slope: float, intercept: float) -> Pieces:
    return Pieces(np.zeros(0), np.array([[intercept, slope]]))


def read_function(function) -> Pieces | None:
    """The pieces of an OpenSim function of one variable, or None for a kind that is not understood."""
    import opensim

    kind = function.getConcreteClassName()
    if kind == "Constant":
        return line(0.0, opensim.Constant.safeDownCast(function).getValue())
    if kind == "LinearFunction":
        linear = opensim.LinearFunction.safeDownCast(function)
        return line(linear.getSlope(), linear.getIntercept())
    if kind == "MultiplierFunction":
        multiplier = opensim.MultiplierFunction.safeDownCast(function)
        inner = read_function(multiplier.getFunction())
        return inner and inner.scaled(multiplier.getScale())
    if kind == "PolynomialFunction":
        given = opensim.PolynomialFunction.safeDownCast(function).getCoefficients()  # highest power first
        rows = np.array([given[i] for i in range(given.size())])[::-1]
        return Pieces(np.zeros(0), np.pad(rows, (0, max(0, 2 - len(rows))))[None])
    if kind in ("SimmSpline", "PiecewiseLinearFunction"):
        points = getattr(opensim, kind).safeDownCast(function)
        knots = np.array([points.getX(i) for i in range(points.getSize())])
        if len(knots) < 2 or np.any(np.diff(knots) <= SAME_KNOT):
            return None
        if kind == "SimmSpline":
            return _cubics(points, knots)
        values = np.array([points.getY(i) for i in range(points.getSize())])
        slope = np.diff(values) / np.diff(knots)
        rows = np.column_stack([values[[0, *range(len(values))]], slope[[0, *range(len(slope)), -1]]])
        return Pieces(knots, rows)
    return None


def _cubics(spline, breaks: np.ndarray) -> Pieces:
    """Two values and two slopes fix each cubic piece of a SimmSpline exactly; its ends go on straight."""
    import opensim

    first = opensim.StdVectorInt()
    first.append(0)
    value = np.array([spline.calcValue(opensim.Vector(1, float(x))) for x in breaks])
    slope = np.array([spline.calcDerivative(first, opensim.Vector(1, float(x))) for x in breaks])
    width, rise = np.diff(breaks), np.diff(value)
    second = (3 * rise / width - 2 * slope[:-1] - slope[1:]) / width
    third = (slope[:-1] + slope[1:] - 2 * rise / width) / width**2
    inner = np.stack([value[:-1], slope[:-1], second, third], axis=1)
    ends = [[value[i], slope[i], 0.0, 0.0] for i in (0, -1)]
    return Pieces(breaks, np.concatenate([ends[:1], inner, ends[1:]]))


def common_breaks(functions: list[Pieces]) -> np.ndarray:
    """All breaks of the functions, ascending, those within SAME_KNOT as one."""
    breaks = np.unique(np.concatenate([np.zeros(0), *(f.breaks for f in functions)]))
    return breaks[np.concatenate([[True], np.diff(breaks) > SAME_KNOT])] if len(breaks) else breaks
