"""Smoothing and differentiation over time."""

import numpy as np
import pytest
import torch

from generation.engine.physics import differentiate

RATE = 60.0


def polynomial(degree, frames=120):
    t = torch.arange(frames, dtype=torch.float64) / RATE
    second = degree * (degree - 1) * t ** max(degree - 2, 0)
    return t**degree, degree * t ** (degree - 1), second


@pytest.mark.parametrize("cutoff", [None, 6.0])
@pytest.mark.parametrize("degree", [1, 2])
def test_constant_acceleration_is_exact_up_to_the_ends(degree, cutoff):
    exact = [series[:, None] for series in polynomial(degree)]
    for got, want in zip(differentiate(exact[0], RATE, cutoff), exact, strict=True):
        torch.testing.assert_close(got, want, rtol=0, atol=1e-8)


@pytest.mark.parametrize("degree", [3, 4, 5])
def test_quintics_are_exact_away_from_the_ends(degree):
    exact = [series[:, None] for series in polynomial(degree)]
    for got, want in zip(differentiate(exact[0], RATE, 6.0), exact, strict=True):
        torch.testing.assert_close(got[55:65], want[55:65], rtol=1e-4, atol=1e-4)


def test_the_derivatives_are_those_of_opensims_spline():
    opensim = pytest.importorskip("opensim")
    rng = np.random.default_rng(0)
    q = np.cumsum(rng.normal(size=40)) * 0.01
    times = np.arange(40) / RATE
    table = opensim.TimeSeriesTable(times)
    table.appendColumn("q", opensim.Vector(q.tolist()))
    splines = opensim.GCVSplineSet(table, ["q"], 5, 0.0)  # owns the spline
    spline = splines.get(0)
    orders = [opensim.StdVectorInt(), opensim.StdVectorInt()]
    for order, vector in enumerate(orders, 1):
        for _ in range(order):
            vector.append(0)
    want = [[spline.calcDerivative(order, opensim.Vector(1, float(t))) for t in times] for order in orders]
    _, first, second = differentiate(torch.tensor(q)[:, None], RATE, None)
    np.testing.assert_allclose(first[:, 0], want[0], atol=1e-6)
    np.testing.assert_allclose(second[:, 0], want[1], atol=1e-4)


def test_the_low_pass_is_a_double_third_order_butterworth():
    t = torch.arange(600, dtype=torch.float64) / RATE
    for frequency in (1.0, 3.0, 6.0, 12.0, 20.0):
        wave = torch.cos(2 * np.pi * frequency * (t - t[300]))[:, None]
        smooth, _, _ = differentiate(wave, RATE, 6.0)
        ratio = np.sin(np.pi * frequency / RATE) / np.sin(np.pi * 6.0 / RATE)
        assert smooth[300, 0] == pytest.approx(1 / (1 + (np.sqrt(2) - 1) * ratio**6), abs=2e-4)


def test_windows_of_a_long_record_join_without_a_seam():
    rng = np.random.default_rng(1)
    q = torch.tensor(np.cumsum(rng.normal(size=(1300, 2)), 0) * 0.01)
    long = differentiate(q, RATE, 6.0)
    assert all(part.shape == q.shape for part in long)
    for start in (0, 300, 420, 800):
        short = differentiate(q[start:start + 500], RATE, 6.0)
        inner = slice(0 if start == 0 else 200, 300)
        for a, b in zip(long, short, strict=True):
            torch.testing.assert_close(a[start:start + 500][inner], b[inner], rtol=0, atol=1e-6)
    for frames in range(505, 1300, 53):
        assert differentiate(q[:frames], RATE, 6.0)[2].shape == (frames, 2)


def test_a_frame_reaches_its_neighbours_and_no_other_motion():
    q = torch.randn(3, 50, 4, generator=torch.Generator().manual_seed(0)).cumsum(1) * 0.01
    base = differentiate(q, RATE)[2]
    changed = q.clone()
    changed[1, 25] += 0.1
    after = differentiate(changed, RATE)[2]
    assert (after[1, 24] - base[1, 24]).abs().min() > 1.0
    torch.testing.assert_close(after[[0, 2]], base[[0, 2]], rtol=0, atol=0)
    torch.testing.assert_close(differentiate(q[1], RATE)[2], base[1], rtol=1e-5, atol=1e-3)


def test_single_precision_is_enough():
    t = torch.arange(200, dtype=torch.float64) / RATE
    q = (torch.sin(2 * t) + 3.0)[:, None]
    exact, single = differentiate(q, RATE), differentiate(q.float(), RATE)
    for a, b, tolerance in zip(exact, single, (1e-6, 1e-5, 1e-3), strict=True):
        torch.testing.assert_close(b.double(), a, rtol=0, atol=tolerance)


def test_senseless_input_is_refused():
    with pytest.raises(ValueError, match="at least 6 frames"):
        differentiate(torch.zeros(5, 2), RATE)
    with pytest.raises(ValueError, match="frame_rate"):
        differentiate(torch.zeros(9, 2), 0.0)
    with pytest.raises(ValueError, match="cutoff_hz"):
        differentiate(torch.zeros(9, 2), RATE, -1.0)
