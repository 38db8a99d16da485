"""Settings from the environment, the headers of every answer, what the log may say."""
from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError
from django.test import RequestFactory

from clinic.environment import database_from_url, env_bool, env_list, env_port, env_seconds, local_folder, secret_key
from clinic.local_postgres import LocalPostgres
from clinic.logs import Formatter
from clinic.middleware import health
from tests.processes import ROOT

NAME = re.compile(r"\b(?:GENUFLEX_[A-Z_]+|DATABASE_URL|REDIS_URL)\b")


def names_in_code() -> set[str]:
    folders = ("clinic", "patients", "generation", "prescriptions", "fall_risk", "scripts")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return {name for path in files for name in NAME.findall(path.read_text())}


def test_every_setting_is_documented_and_every_documented_setting_exists():
    documented = {name for line in (ROOT / "docs" / "settings.md").read_text().splitlines() if line.startswith("| `")
                  for name in NAME.findall(line.split("|")[1])}
    assert documented == names_in_code()


def settings_with(tmp_path, **environment: str) -> dict:
    """The settings that a fresh process computes in this environment."""
    names = [
        "DEBUG", "DEMO", "ALLOWED_HOSTS", "SECRET_KEY", "DATABASES", "CHANNEL_LAYERS", "SESSION_COOKIE_SECURE",
        "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS", "SECURE_PROXY_SSL_HEADER",
    ]
    program = f"import json; from clinic import settings as s; print(json.dumps({{n: getattr(s, n) for n in {names}}}))"
    inherited = {name: value for name, value in os.environ.items() if not NAME.fullmatch(name)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True,
        env={**inherited, "GENUFLEX_LOCAL_DIR": str(tmp_path / "local"), **environment},
    )
    return json.loads(done.stdout)


def test_a_first_start_is_safe_by_itself(tmp_path):
    first, second = settings_with(tmp_path), settings_with(tmp_path)
    assert first["DEBUG"] is False
    assert first["DEMO"] is True
    assert first["SECRET_KEY"] == second["SECRET_KEY"] and len(first["SECRET_KEY"]) >= 50
    assert (tmp_path / "local").stat().st_mode & 0o077 == 0
    assert (tmp_path / "local" / "secret_key").stat().st_mode & 0o077 == 0
    assert first["SECURE_HSTS_SECONDS"] == 0 and first["SESSION_COOKIE_SECURE"] is False
    own = LocalPostgres(tmp_path / "local" / "postgres")
    assert first["DATABASES"]["default"]["HOST"] == str(own.socket_folder)


def test_https_and_other_servers(tmp_path):
    found = settings_with(
        tmp_path, GENUFLEX_HTTPS="1", REDIS_URL="redis://r:6379/0", GENUFLEX_ALLOWED_HOSTS="a.example, b.example",
        DATABASE_URL="postgresql://app:p%40ss@db:5433/clinic?sslmode=require",
    )
    assert found["SESSION_COOKIE_SECURE"] and found["CSRF_COOKIE_SECURE"] and found["SECURE_SSL_REDIRECT"]
    assert found["SECURE_HSTS_SECONDS"] >= 31_536_000
    assert found["SECURE_PROXY_SSL_HEADER"] == ["HTTP_X_FORWARDED_PROTO", "https"]
    assert found["ALLOWED_HOSTS"] == ["a.example", "b.example"]
    assert found["DEMO"] is False, "demo passwords are never put on somebody's server unasked"
    assert "redis" in found["CHANNEL_LAYERS"]["default"]["BACKEND"]
    database = found["DATABASES"]["default"]
    assert (database["USER"], database["PASSWORD"], database["HOST"], database["PORT"], database["NAME"]) == (
        "app", "p@ss", "db", "5433", "clinic"
    )
    assert database["OPTIONS"] == {"sslmode": "require"}


def test_djangos_own_deployment_check_finds_nothing(tmp_path):
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--tag", "security", "--fail-level", "WARNING"],
        cwd=ROOT, capture_output=True, text=True,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "clinic.settings", "GENUFLEX_HTTPS": "1",
             "GENUFLEX_LOCAL_DIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr


def test_values_that_make_no_sense_are_refused_by_name(monkeypatch, tmp_path):
    for reader, name, value in (
        (env_port, "GENUFLEX_PORT", "70000"), (env_port, "GENUFLEX_PORT", "-1"), (env_port, "GENUFLEX_PORT", "²"),
        (env_seconds, "GENUFLEX_WORKER_STALLED_SECONDS", "0"), (env_seconds, "GENUFLEX_WORKER_STALLED_SECONDS", "nan"),
        (env_seconds, "GENUFLEX_WORKER_STALLED_SECONDS", "soon"),
    ):
        monkeypatch.setenv(name, value)
        with pytest.raises(ImproperlyConfigured, match=name):
            reader(name, 1)
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL"):
        database_from_url("sqlite:///db", tmp_path)


def test_processes_that_start_together_share_one_key(tmp_path):
    program = (
        "import sys, pathlib; from clinic.environment import secret_key; print(secret_key(pathlib.Path(sys.argv[1])))"
    )
    environment = {name: value for name, value in os.environ.items() if name != "GENUFLEX_SECRET_KEY"}
    starters = [
        subprocess.Popen([sys.executable, "-c", program, tmp_path], cwd=ROOT, env=environment, stdout=subprocess.PIPE)
        for _ in range(4)
    ]
    keys = {starter.communicate()[0] for starter in starters}
    assert len(keys) == 1 and len(keys.pop()) > 50
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600


def test_a_local_folder_that_cannot_be_made_is_a_sentence(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GENUFLEX_LOCAL_DIR", str(tmp_path / "file" / "folder"))
    with pytest.raises(ImproperlyConfigured, match="GENUFLEX_LOCAL_DIR"):
        local_folder(tmp_path)


def test_switches_lists_and_keys(monkeypatch, tmp_path):
    monkeypatch.setenv("GENUFLEX_DEBUG", "Yes")
    assert env_bool("GENUFLEX_DEBUG", False)
    monkeypatch.setenv("GENUFLEX_DEBUG", "")
    assert not env_bool("GENUFLEX_DEBUG", True)
    monkeypatch.setenv("GENUFLEX_ALLOWED_HOSTS", " , ")
    assert env_list("GENUFLEX_ALLOWED_HOSTS", ["x"]) == []
    monkeypatch.setenv("GENUFLEX_SECRET_KEY", "given")
    assert secret_key(tmp_path) == "given" and not (tmp_path / "secret_key").exists()


@pytest.mark.django_db
def test_pages_carry_the_policy_and_are_not_cached(client):
    answer = client.get("/account/login/")
    assert answer.status_code == 200
    policy = answer["Content-Security-Policy"]
    assert "script-src 'self' 'wasm-unsafe-eval'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe-inline" not in policy.split("script-src")[1].split(";")[0]
    assert "no-store" in answer["Cache-Control"] and "private" in answer["Cache-Control"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["X-Frame-Options"] == "DENY"


@pytest.mark.django_db
def test_health_needs_no_host_name_and_no_https(client, settings):
    settings.SECURE_SSL_REDIRECT = True
    answer = client.get("/healthz", headers={"host": "10.1.2.3"})
    assert (answer.status_code, answer.json()) == (200, {"database": "well"})


def test_health_without_a_database_is_a_503(monkeypatch):
    class Gone:
        def cursor(self):
            raise OperationalError("gone")

    monkeypatch.setattr("clinic.middleware.connection", Gone())
    answer = health(lambda request: None)(RequestFactory().get("/healthz"))
    assert answer.status_code == 503


def test_the_log_leaves_out_rows_that_database_errors_quote():
    try:
        raise OperationalError(
            'duplicate key value violates unique constraint "user_email_unique"\n'
            "DETAIL:  Key (lower(email))=(jane@example.org) already exists."
        )
    except OperationalError:
        record = logging.LogRecord("clinic", logging.ERROR, __file__, 1, "It failed.", (), sys.exc_info())
    text = Formatter().format(record)
    assert "user_email_unique" in text and "It failed." in text
    assert "jane" not in text
