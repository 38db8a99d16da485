"""Any `.osim` of the understood families becomes the body that OpenSim has; anything else is refused in a sentence."""

import os
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import opensim
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.engine.body import COORDINATES, MODEL_FILE, TorchBody, foot_chain, load_body, scale_body, write_osim
from generation.engine.body import cache as cache_module
from generation.engine.body.cache import Cache
from generation.engine.body.functions import line, read_function
from generation.engine.body.osim_file import read_osim
from generation.engine.body.scaled import scaled_arrays
from generation.engine.formats.errors import FormatError
from generation.engine.formats.motion import Motion
from generation.engine.validation.kinematics import compare_with_opensim
from tests.engine.body.opensim_model import random_poses

GENERIC = MODEL_FILE.read_text()


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def generic(cache):
    return load_body(MODEL_FILE, cache)


def random_motion(body, count=4):
    """Poses over the joint ranges, copies left at the model's default as a file may have them."""
    rng = np.random.default_rng(0)
    lower, upper = np.maximum(body.packed["lower"], -2), np.minimum(body.packed["upper"], 2)
    return Motion(body.coordinates, rng.uniform(lower, upper, (count, len(lower))), 60.0)


def test_packed_model_is_the_scaled_generic_model(tmp_path, cache):
    scale = scale_body("female", 71, 1.52, 81)
    body = load_body(write_osim(scale, tmp_path / "woman.osim"), cache)
    ours = scaled_arrays(scale)
    assert body.coordinates == COORDINATES and body.mass_kg == pytest.approx(81)
    for name in ("parent_position", "child_position", "mass", "mass_centre", "inertia", "contact_offset", "lower",
                 "upper", "spline", "axis_slope", "axis_intercept", "bone_scale"):
        np.testing.assert_allclose(body.packed[name], ours[name], atol=1e-8, err_msg=name)
    assert len(body.muscles["muscle_names"]) == 80
    poses = torch.tensor(random_poses(5, ours["lower"], ours["upper"]))
    a, b = TorchBody(scale, dtype=torch.float64)(poses), TorchBody(body, dtype=torch.float64)(poses)
    torch.testing.assert_close(a.translations, b.translations, atol=1e-7, rtol=0)
    torch.testing.assert_close(a.com, b.com, atol=1e-7, rtol=0)


def other_family(tmp_path):
    """The generic model with the parts that only other families have: polynomials and multiplied functions in the knee,
    a constant rotation before a moving one, a coupler with slope and offset, welded wrists, contact spheres."""
    text = re.sub(r'<UniversalJoint name="(radius_hand_.)">(.*?)<coordinates>.*?</coordinates>(.*?)</UniversalJoint>',
                  r'<WeldJoint name="\1">\2\3</WeldJoint>', GENERIC, flags=re.S)
    text = re.sub(r'<CoordinateActuator name="wrist_.*?</CoordinateActuator>', "", text, flags=re.S)
    points = ((0, 0.01), (0.15, -0.02), (0.15, 0.03))
    spheres = "".join(
        f"<ContactSphere name='s{number}_{side}'><socket_frame>/bodyset/calcn_{side}</socket_frame>"
        f"<location>{x} -0.01 {sign * z}</location><radius>0.02</radius></ContactSphere>"
        for side, sign in (("r", 1), ("l", -1)) for number, (x, z) in enumerate(points))
    before, found, after = text.partition('<ContactGeometrySet name="contactgeometryset">')
    text = before + found + after.replace("<objects />", f"<objects>{spheres}</objects>", 1)
    (tmp_path / "welded.osim").write_text(text)
    model = opensim.Model(str(tmp_path / "welded.osim"))
    joints = model.updJointSet()
    for side, sign in (("r", 1.0), ("l", -1.0)):
        knee = opensim.CustomJoint.safeDownCast(joints.get(f"walker_knee_{side}")).updSpatialTransform()
        coefficients = opensim.Vector(5, 0.0)
        for i, value in enumerate((0.0108, -0.0252, -0.0328, 0.0791, 0.01)):
            coefficients[i] = value * sign
        knee.updTransformAxis(1).set_function(opensim.PolynomialFunction(coefficients))
        points = opensim.PiecewiseLinearFunction()
        for x, y in ((0.0, 0.0), (0.83, 0.002), (1.9, 0.007)):
            points.addPoint(x, y)
        knee.updTransformAxis(3).set_function(points)
        hip = opensim.CustomJoint.safeDownCast(joints.get(f"hip_{side}")).updSpatialTransform()
        patella = opensim.CustomJoint.safeDownCast(joints.get(f"patellofemoral_{side}")).updSpatialTransform()
        turns = [patella.updTransformAxis(k) for k in (0, 1)]
        turns[1].set_function(turns[0].getFunction())
        turns[1].setCoordinateNames(turns[0].getCoordinateNamesInArray())
        turns[0].setCoordinateNames(opensim.ArrayStr())
        turns[0].set_function(opensim.Constant(0.3 * sign))
        hip.updTransformAxis(4).set_function(opensim.Constant(0.004))
        coupler = opensim.CoordinateCouplerConstraint.safeDownCast(
            model.updConstraintSet().get(f"patellofemoral_knee_angle_{side}_con"))
        coupler.setFunction(opensim.LinearFunction(0.9, 0.05))
    markers = model.updMarkerSet()
    for i in reversed(range(markers.getSize())):
        if markers.get(i).getName().startswith("contact_"):
            markers.remove(i)
    model.finalizeConnections()
    scales = opensim.ScaleSet()  # wraps the functions in MultiplierFunctions
    for name, factors in (("femur_r", (1.1, 0.9, 1.05)), ("femur_l", (0.95, 1.02, 0.9)), ("pelvis", (1.0, 1.1, 0.9))):
        one = opensim.Scale()
        one.setSegmentName(name)
        one.setScaleFactors(opensim.Vec3(*factors))
        one.setApply(True)
        scales.cloneAndAppend(one)
    assert model.scale(model.initSystem(), scales, True, 70.0)
    model.finalizeConnections()
    model.printToXML(str(tmp_path / "other.osim"))
    assert "MultiplierFunction" in (tmp_path / "other.osim").read_text()
    return tmp_path / "other.osim"


def test_other_families_are_where_opensim_puts_them(tmp_path, cache):
    body = load_body(other_family(tmp_path), cache)
    assert "wrist_flex_r" not in body.coordinates
    motion = random_motion(body, 8)
    for dtype, bound in ((torch.float64, 1e-9), (torch.float32, 5e-6)):
        compared = compare_with_opensim(body, motion, dtype)
        assert compared.joint_centre_m < bound and compared.com_m < bound and not compared.missing
    np.testing.assert_allclose(body.packed["contact_offset"], [
        [0, -0.03, 0.01], [0.15, -0.03, -0.02], [0.15, -0.03, 0.03],
        [0, -0.03, -0.01], [0.15, -0.03, 0.02], [0.15, -0.03, -0.03]])
    assert TorchBody(body).foot_contacts(TorchBody(body)(TorchBody(body).neutral())).shape == (2, 3, 3)
    placed = TorchBody(body, dtype=torch.float64)
    beta, knee = (body.coordinates.index(f"knee_angle_r{end}") for end in ("_beta", ""))
    assert body.packed["upper"][beta] == pytest.approx(0.9 * body.packed["upper"][knee] + 0.05)
    q = torch.tensor(motion.values[0], requires_grad=True)
    assert torch.autograd.gradcheck(lambda q: placed(q).com, (q,))


def test_foot_jacobian_of_another_family_is_the_gradient(tmp_path, cache):
    body = TorchBody(load_body(other_family(tmp_path), cache), dtype=torch.float64)
    pose = torch.tensor(random_motion(load_body(tmp_path / "other.osim", cache)).values[0])
    jacobian = body.foot_jacobian(body(pose))
    for s, side in enumerate("rl"):
        foot = body.bodies.index(f"calcn_{side}")
        columns = [body.coordinates.index(name) for name in foot_chain(body.coordinates, side)]
        linear = torch.autograd.functional.jacobian(lambda q, i=foot: body(q).translations[i], pose)[:, columns]
        torch.testing.assert_close(jacobian[s, 3:], linear, atol=1e-9, rtol=0)


def test_soles_without_contacts_are_the_generic_ones_stretched(tmp_path, cache):
    scale = scale_body("male", 30, 1.9, 90)
    text = write_osim(scale, tmp_path / "man.osim").read_text()
    bare = re.sub(r'<Marker name="contact_.*?</Marker>', "", text, flags=re.S)
    body = load_body(bare.encode(), cache)
    assert any("soles" in note for note in body.notes)
    np.testing.assert_allclose(body.packed["contact_offset"], scaled_arrays(scale)["contact_offset"], atol=2e-4)


@pytest.mark.parametrize("function", [
    opensim.LinearFunction(2.0, -0.3), opensim.PolynomialFunction(opensim.Vector(4, 0.7)), opensim.Constant(0.4),
])
@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (-0.5, 0.2)])
def test_functions_of_a_line(function, slope, intercept):
    pieces = read_function(function).of_line(slope, intercept)
    for x in np.linspace(-1, 2, 7):
        expected = function.calcValue(opensim.Vector(1, slope * x + intercept))
        assert np.polynomial.polynomial.polyval(x, pieces.coefficients[0]) == pytest.approx(expected)


def test_spline_of_a_line_with_other_breaks():
    spline = opensim.SimmSpline()
    for x, y in ((-1.0, 0.2), (0.0, 0.5), (0.7, -0.4), (1.5, 0.1)):
        spline.addPoint(x, y)
    pieces = read_function(spline).of_line(-0.8, 0.1)
    breaks = np.union1d(pieces.breaks, [-0.33, 0.4, 5.0])
    rows = pieces.at_breaks(breaks, 3)
    left = np.concatenate([breaks[:1], breaks])
    for x in np.linspace(-3, 6, 41):
        row = np.searchsorted(breaks, x, side="right")
        value = np.polynomial.polynomial.polyval(x - left[row], rows[row])
        assert value == pytest.approx(spline.calcValue(opensim.Vector(1, -0.8 * x + 0.1)), abs=1e-12)
    assert line(1.0, 2.0).is_line and not pieces.is_line


# ---- refusals -------------------------------------------------------------------------------------------------------

BOMB = ('<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
        "<OpenSimDocument><Model>&b;</Model></OpenSimDocument>")


@pytest.mark.parametrize(("text", "says"), [
    (BOMB, "DOCTYPE"),
    ("not a model", "not well-formed XML"),
    ("", "not well-formed XML"),
    (GENERIC[: len(GENERIC) // 2], "not well-formed XML"),
    ("<html><body/></html>", "no OpenSim model"),
    ('<OpenSimDocument Version="40000"><Storage/></OpenSimDocument>', "not a <Model>"),
    ("<OpenSimDocument Version='40000'><Model>" + "<a>" * 100 + "</a>" * 100 + "</Model></OpenSimDocument>", "deep"),
    ('<OpenSimDocument Version="40000"><Model><BodySet file="other.xml"/></Model></OpenSimDocument>', "another file"),
    ('<OpenSimDocument Version="40000"><Model name="m"><Ground name="ground"/></Model></OpenSimDocument>',
     "JointSet"),
    (GENERIC.replace("hip_flexion_r", "hip_bending_r"), "hip_flexion_r"),
    (GENERIC.replace("knee_angle_l", "kneeangle_l"), "knee_angle_l"),
    (re.sub(r"<mass>[^<]*</mass>", "<mass>9000</mass>", GENERIC), "kg"),
    (re.sub(r"<mass>[^<]*</mass>", "<mass>0</mass>", GENERIC), "massless"),
    (re.sub(r"<mass>[^<]*</mass>", "<mass>nan</mass>", GENERIC, count=1), "mass"),
    (re.sub(r"<default_value>[^<]*<", "<default_value>nan<", GENERIC, count=1), "pelvis_tilt"),
    (re.sub(r"<max_isometric_force>[^<]*<", "<max_isometric_force>nan<", GENERIC), "max"),
    (re.sub(r"UniversalJoint", "BallJoint", GENERIC), "BallJoint"),
], ids=["bomb", "text", "empty", "cut", "html", "storage", "deep", "includes", "no joints", "no hip", "no knee",
        "heavy", "weightless", "nan", "nan angle", "nan force", "ball"])
def test_what_is_no_body_is_refused_in_a_sentence(text, says, cache):
    with pytest.raises(FormatError, match=re.escape(says)) as caught:
        load_body(text.encode(), cache)
    assert "\n" not in str(caught.value) and str(caught.value).rstrip().endswith((".", ")"))


@given(st.binary(max_size=300) | st.text(alphabet="<>/= \"'!&;[]aModelOpenSimDocument", max_size=200).map(str.encode))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_a_format_error_before_opensim_sees_them(raw):
    with pytest.raises(FormatError):
        read_osim(raw)


def test_folders_are_taken_off_the_names_of_meshes():
    text = GENERIC.replace("<mesh_file>", "<mesh_file>/etc/../secret/", 1).encode()
    assert b"secret" in text and read_osim(text) == GENERIC.encode()


# ---- cache ----------------------------------------------------------------------------------------------------------

def test_damaged_entries_are_made_again(tmp_path, generic):
    load_body(MODEL_FILE, tmp_path)
    entry, = (tmp_path / "bodies").iterdir()
    whole = entry.read_bytes()
    for damaged in (b"", whole[:1000], whole[:-50] + bytes(50)):
        entry.write_bytes(damaged)
        body = load_body(MODEL_FILE, tmp_path)
        assert body.key == generic.key
        np.testing.assert_array_equal(body.packed["mass"], generic.packed["mass"])
        assert len(entry.read_bytes()) == len(whole)


def test_a_folder_that_cannot_be_written_costs_only_time(tmp_path, generic):
    (tmp_path / "file").write_text("")
    assert load_body(MODEL_FILE, tmp_path / "file").key == generic.key


def test_the_cache_lies_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.setenv("GENUFLEX_CACHE", str(tmp_path / "here"))
    load_body(MODEL_FILE)
    assert len(list((tmp_path / "here" / "bodies").iterdir())) == 1


def test_the_oldest_entries_go_first(tmp_path, monkeypatch):
    monkeypatch.setattr(cache_module, "MOST_ENTRIES", 3)
    store = Cache(tmp_path, "things", ("cache",))
    for number in range(5):
        store.arrays(f"key{number}", lambda: {"a": np.zeros(2)})
        newest, = (tmp_path / "things").glob(f"key{number}-*")
        os.utime(newest, (number, number))
    assert sorted(path.name[:4] for path in (tmp_path / "things").iterdir()) == ["key2", "key3", "key4"]


def test_several_writers_share_a_folder(tmp_path):
    """Each writes under a name of its own and moves the whole entry into place: no reader ever sees half of one."""
    arrays = {"a": np.arange(200_000.0), "b": np.array(["x", "yz"])}

    def use(number):
        kept = Cache(tmp_path, "things", ("cache",)).arrays("key" if number % 2 else f"key{number}", lambda: arrays)
        return all(np.array_equal(kept[name], arrays[name]) for name in arrays)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(use, range(24)))
    assert {path.suffix for path in (tmp_path / "things").iterdir()} == {".npz"}
