"""What the settings read from the environment."""
from __future__ import annotations

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured


def env_bool(name: str, default: bool) -> bool:
    value = os.environ.get(name)
    return default if value is None else value.strip().lower() in {"1", "true", "yes", "on"}


def env_seconds(name: str, default: float) -> float:
    value = os.environ.get(name)
    try:
        seconds = default if value is None else float(value)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise ImproperlyConfigured(f"{name} must be a number of seconds above 0 (it is {value!r}).")
    return seconds


def env_port(name: str, default: int) -> int:
    value = os.environ.get(name)
    if value is None:
        return default
    if not value.isascii() or not value.isdigit() or not 0 <= int(value) <= 65535:
        raise ImproperlyConfigured(f"{name} must be a port number from 0 (any free one) to 65535 (it is {value!r}).")
    return int(value)


def env_list(name: str, default: list[str]) -> list[str]:
    value = os.environ.get(name)
    return default if value is None else [item.strip() for item in value.split(",") if item.strip()]


def local_folder(base: Path) -> Path:
    """The folder of this machine's own state, private to its user: database, generated key, logs."""
    folder = Path(os.environ.get("GENUFLEX_LOCAL_DIR") or base / ".genuflex").resolve()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        usable = os.access(folder, os.R_OK | os.W_OK | os.X_OK)
    except OSError:
        usable = False
    if not usable:
        raise ImproperlyConfigured(
            f"{folder} cannot be used by this user. Work as its owner, or name another folder by GENUFLEX_LOCAL_DIR."
        )
    return folder


def secret_key(folder: Path) -> str:
    """The key from GENUFLEX_SECRET_KEY, or one made on the first run and kept in the local folder."""
    if key := os.environ.get("GENUFLEX_SECRET_KEY"):
        return key
    path = folder / "secret_key"
    if not path.exists():
        # Written whole under another name: processes that start together must all read the same key.
        with tempfile.NamedTemporaryFile("w", dir=folder) as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            with suppress(FileExistsError):
                os.link(file.name, path)
    return path.read_text()


def database_from_url(url: str | None, local_dir: Path) -> dict:
    """Django's DATABASES entry. Without a URL: the project's own server, reached by its socket."""
    if not url:
        from clinic.local_postgres import LocalPostgres

        url = LocalPostgres(local_dir / "postgres").url
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured(f"DATABASE_URL must start with postgresql:// (it starts with {parts.scheme!r}).")
    options = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", parts.hostname or ""),
        "PORT": str(options.pop("port", parts.port or "")),
        "OPTIONS": options,
        "CONN_HEALTH_CHECKS": True,
    }


def email_from_url(url: str | None) -> tuple[str, str, int, str, str, bool, bool]:
    """(backend, host, port, user, password, STARTTLS, TLS). Without a URL, e-mails are written to the console."""
    if not url:
        return "django.core.mail.backends.console.EmailBackend", "localhost", 25, "", "", False, False
    parts = urlsplit(url)
    ports = {"smtp": 25, "smtp+tls": 587, "smtps": 465}
    try:
        port = parts.port or ports[parts.scheme]
    except (KeyError, ValueError):
        raise ImproperlyConfigured(
            "GENUFLEX_SMTP_URL must look like smtp+tls://user:password@host:587 (or smtps:// or smtp://)."
        ) from None
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    backend = "django.core.mail.backends.smtp.EmailBackend"
    tls = parts.scheme
    return backend, parts.hostname or "localhost", port, user, password, tls == "smtp+tls", tls == "smtps"
