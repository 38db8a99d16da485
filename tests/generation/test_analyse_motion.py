"""The command: files out, one sentence for what cannot be used, the status that scripts rely on."""
from __future__ import annotations

import json

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from generation.engine.body import COORDINATES, MODEL_FILE
from generation.engine.formats import Motion, PlateForce, read_storage, write_external_loads, write_mot
from tests.engine.reference.squat import RATE, squat


@pytest.fixture
def files(tmp_path):
    write_mot(tmp_path / "m.mot", Motion(COORDINATES, squat()["q"], RATE))
    return tmp_path


def run(folder, *extra, motion="m.mot", model=MODEL_FILE):
    call_command("analyse_motion", str(folder / motion), "--model", str(model), "--route", "fast",
                 "--out", str(folder / "out"), *extra, verbosity=0)
    return json.loads((folder / "out" / "report.json").read_text())


def test_measured_forces_are_used(files):
    s = squat()
    time = s["time"]
    soles = s["torch_body"].foot_contacts(s["torch_body"](s["torch_body"].neutral()[None]))[0].mean(1).numpy()
    forces = [PlateForce(f"plate_{side}", f"calcn_{side}", np.tile([0, 370.0, 0], (31, 1)),
                         np.tile(soles[i], (31, 1)), np.zeros((31, 3))) for i, side in enumerate("rl")]
    write_external_loads(files, "grf", time, forces)
    report = run(files, "--every", "15", "--grf", str(files / "grf.mot"), "--grf-setup", str(files / "grf.xml"))
    assert report["ground_reaction"]["source"] == "plates" and report["motion"]["frames"] == 3
    ground = read_storage(files / "out" / "ground_reaction.sto")
    np.testing.assert_allclose(ground.values[:, ground.labels.index("ground_force_l_vy")], 370, atol=0.5)
    assert set(report["files"]) == {path.name for path in (files / "out").iterdir()} - {"report.json"}


def test_masses_of_a_supplied_model_are_replaced_on_request(files):
    plain, told = run(files, "--every", "15"), run(files, "--every", "15", "--sex", "female", "--mass", "60")
    assert told["body"]["mass_kg"] == pytest.approx(60) != plain["body"]["mass_kg"]
    assert told["ground_reaction"]["uncertainty"]["known_of_the_person"] == "published masses"
    assert any("de Leva" in note and "female" in note for note in told["notes"])


@pytest.mark.parametrize(("extra", "where"), [
    (("--grf-setup", "x.xml"), "--grf-setup"), (("--moco",), "--moco"), (("--every", "0"), "--every"),
    (("--cutoff", "-1"), "--cutoff"), (("--mass", "5"), "--mass"), (("--seat", "--grf", "x.mot"), "--seat"),
])
def test_arguments_that_do_not_go_together(files, extra, where):
    with pytest.raises(CommandError, match=where) as raised:
        run(files, *extra)
    assert raised.value.returncode == 2 and not (files / "out").exists()


@pytest.mark.parametrize(("name", "content", "where"), [
    ("bad.mot", "nothing", "bad.mot: No line 'endheader'"),
    ("bad.mot", "inDegrees=no\nendheader\ntime pelvis_ty\n0 0.9\n0.1 x\n", "bad.mot: Line 5, column pelvis_ty"),
    ("bad.trc", "PathFileType", "bad.trc: Line 1"),
    ("bad.c3d", "PathFileType", "bad.c3d: "),
    ("none.mot", None, "none.mot is not a file"),
])
def test_files_that_cannot_be_used(files, name, content, where):
    if content is not None:
        (files / name).write_text(content)
    with pytest.raises(CommandError) as raised:
        run(files, motion=name)
    assert where in str(raised.value) and "\n" not in str(raised.value) and raised.value.returncode == 1
    assert not (files / "out").exists()


def test_models_that_cannot_be_used(files):
    for content, where in (("<a/>", "<OpenSimDocument>"), ("<!DOCTYPE a [<!ENTITY b 'c'>]><a/>", "DOCTYPE")):
        (files / "bad.osim").write_text(content)
        with pytest.raises(CommandError, match="--model: Line 1") as raised:
            run(files, model=files / "bad.osim")
        assert where in str(raised.value)


def test_a_marker_file_names_what_it_misses(files):
    names = ["LASI", "RASI", "LPSI", "RPSI", "RKNE", "LKNE"]
    head = ["PathFileType\t4\t(X/Y/Z)\tm.trc", "DataRate\tUnits\tNumMarkers\tNumFrames", f"100\tmm\t{len(names)}\t1",
            "Frame#\tTime\t" + "\t\t\t".join(names) + "\t\t", 
            "\t\t" + "\t".join(f"{axis}{i}" for i in range(6) for axis in "XYZ")]
    (files / "m.trc").write_text("\n".join([*head, "1\t0.0\t" + "\t".join(["1"] * 18)]) + "\n")
    (files / "p.json").write_text('{"sex": "male", "age_years": 40.0, "height_m": 1.8, "mass_kg": 80.0}')
    with pytest.raises(CommandError, match="plug-in-gait.*RANK.*LHEE"):
        call_command("analyse_motion", str(files / "m.trc"), "--profile", str(files / "p.json"), "--route", "fast",
                     "--out", str(files / "out"), verbosity=0)
    with pytest.raises(CommandError, match="Only 4 of the model's markers"):
        run(files, motion="m.trc")
