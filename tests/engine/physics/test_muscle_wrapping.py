"""A piece of path over a cylinder: lengths known in closed form, and when it wraps at all."""

import math

import pytest
import torch

from generation.engine.physics.wrapping import INSIDE, MAY, MISSES, MUST, wrap_cylinder

RADIUS = 0.03


def wrap(start, end, sign=0, axis=0, length=1.0, geodesic=True):
    points = (torch.tensor(point, dtype=torch.float64)[:, None] for point in (start, end))
    numbers = (torch.tensor([value], dtype=torch.float64) for value in (RADIUS, length))
    sides = (torch.tensor([value]) for value in (axis, sign))
    return wrap_cylinder(*points, *numbers, *sides, geodesic=geodesic)


def total(result, start, end):
    start, end = (torch.tensor(point, dtype=torch.float64)[:, None] for point in (start, end))
    return float((result.first - start).norm() + result.surface[0] + (result.second - end).norm())


def belt(start, end):
    """Length in the plane of a belt around a circle: two tangents and the arc between, for points it must pass."""
    reach = [math.hypot(*point[:2]) for point in (start, end)]
    between = math.acos((start[0] * end[0] + start[1] * end[1]) / (reach[0] * reach[1]))
    arc = between - sum(math.acos(RADIUS / r) for r in reach)
    return sum(math.sqrt(r**2 - RADIUS**2) for r in reach) + RADIUS * arc


@pytest.mark.parametrize("geodesic", [True, False])
def test_across_the_axis_the_length_is_that_of_a_belt(geodesic):
    start, end = (-0.1, 0.01, 0.02), (0.08, 0.012, 0.02)
    result = wrap(start, end, geodesic=geodesic)
    assert result.action.item() == MUST
    assert total(result, start, end) == pytest.approx(belt(start, end), abs=1e-12)


def test_a_geodesic_is_straight_when_the_cylinder_is_unrolled():
    start, end = (-0.1, 0.01, -0.04), (0.08, 0.012, 0.05)
    result = wrap(start, end)
    flat = belt(start, end)
    assert total(result, start, end) == pytest.approx(math.hypot(flat, 0.09), abs=1e-12)


def test_the_plane_construction_stays_on_the_tangents_and_is_never_shorter_than_the_geodesic():
    start, end = (-0.1, 0.01, -0.04), (0.08, 0.012, 0.05)
    short, plane = wrap(start, end), wrap(start, end, geodesic=False)
    assert torch.allclose(short.first[:2], plane.first[:2])
    assert total(short, start, end) < total(plane, start, end) < total(short, start, end) + 0.005


def test_what_passes_by_ends_inside_or_lies_beyond_the_cylinder_does_not_wrap():
    assert wrap((-0.1, 0.04, 0.0), (0.1, 0.04, 0.0)).action.item() == MISSES
    assert wrap((-0.1, 0.01, 0.0), (-0.05, 0.01, 0.0)).action.item() == MISSES  # it stops short of it
    assert wrap((-0.1, 0.01, 0.0), (0.01, 0.01, 0.0)).action.item() == INSIDE
    assert wrap((-0.1, 0.01, 0.3), (0.08, 0.01, 0.3), length=0.2).action.item() == MISSES


def test_a_sided_cylinder_is_wrapped_on_its_side():
    start, end = (-0.1, 0.01, 0.0), (0.08, 0.012, 0.0)
    up, down = wrap(start, end, axis=1, sign=1), wrap(start, end, axis=1, sign=-1)
    assert up.first[1].item() > 0 > down.first[1].item()
    assert up.action.item() == MUST
    assert down.action.item() == MAY  # both ends are off that side
    assert total(up, start, end) < total(down, start, end)
    assert wrap((-0.1, 0.05, 0.0), (0.08, 0.05, 0.0), axis=1, sign=1).action.item() == MISSES
    assert wrap((-0.1, 0.05, 0.0), (0.08, 0.05, 0.0), axis=1, sign=-1).action.item() == MAY


@pytest.mark.parametrize("geodesic", [True, False])
def test_gradients_are_those_of_the_length(geodesic):
    def length(start, end):
        numbers = (torch.tensor([value], dtype=torch.float64) for value in (RADIUS, 1.0))
        result = wrap_cylinder(start, end, *numbers, torch.tensor([0]), torch.tensor([0]), geodesic=geodesic)
        return (result.first - start).norm() + result.surface[0] + (result.second - end).norm()

    points = [torch.tensor(point, dtype=torch.float64)[:, None].requires_grad_()
              for point in ((-0.1, 0.01, -0.04), (0.08, 0.012, 0.05))]
    assert torch.autograd.gradcheck(length, points)
