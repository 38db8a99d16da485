"""Run a command as another user when we are root: PostgreSQL refuses to work as root.

The checkout may lie under a folder that only root may enter (`/root` has mode 0700). Opening such folders to everybody
would be wrong, so the command gets one Linux capability instead: to read past folder permissions, and nothing else.
"""
from __future__ import annotations

import os
import pwd
import shutil
from pathlib import Path

# Bits of the capability sets, from linux/capability.h.
CAPABILITIES = {"dac_read_search": 2, "dac_override": 1}


class CannotDropRoot(RuntimeError):
    """Root cannot start the command as somebody else; the message says what to do."""


def unprivileged_user() -> tuple[int, int]:
    """The (uid, gid) that takes root's place: `nobody`, which every system has."""
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError as error:
        raise CannotDropRoot(
            "This system has no user 'nobody' to run PostgreSQL as. Work as an ordinary user or set DATABASE_URL."
        ) from error
    return entry.pw_uid, entry.pw_gid


def as_user(uid: int, gid: int, command: list[str]) -> list[str]:
    """The command line that runs `command` as uid:gid, able to enter root's private folders."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise CannotDropRoot(
            "PostgreSQL refuses to run as root and 'setpriv' is missing: install the package util-linux, "
            "work as an ordinary user, or set DATABASE_URL to a PostgreSQL server that already runs."
        )
    prefix = [setpriv, f"--reuid={uid}", f"--regid={gid}", "--clear-groups", "--no-new-privs"]
    capability = _folder_capability(Path(command[0]))
    if capability:
        # no_setuid_fixup: without it access(2) ignores capabilities, and PostgreSQL asks access(2) for its own files.
        prefix += [
            "--securebits=+no_setuid_fixup",
            f"--inh-caps=-all,+{capability}",
            f"--ambient-caps=+{capability}",
            f"--bounding-set=-all,+{capability}",
        ]
    return [*prefix, "--", *command]


def _folder_capability(program: Path) -> str | None:
    """The smallest capability of ours that lets another user reach `program`; None where we have none (a container)."""
    owned = _permitted_capabilities()
    # Reading past folders is enough unless the program itself was installed for root alone (umask 077).
    names = list(CAPABILITIES) if os.stat(program).st_mode & 0o001 else ["dac_override"]
    return next((name for name in names if owned >> CAPABILITIES[name] & 1), None)


def _permitted_capabilities() -> int:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    pairs = (line.partition(":") for line in lines)
    sets = {name: int(value, 16) for name, _, value in pairs if name.startswith("Cap")}
    return sets.get("CapPrm", 0) & sets.get("CapBnd", 0)
