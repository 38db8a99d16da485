"""Settings of a test run: the site's own, on a throwaway local server where DATABASE_URL is unset.

The server starts with the first test that asks for it (`tests/conftest.py`). Several runs in one checkout share it;
each has a database of its own.
"""
import os
from pathlib import Path

from clinic.environment import local_folder
from clinic.local_postgres import LocalPostgres

# The processes of a parallel run (pytest-xdist) inherit the URL that the first one set: it is still this server.
OURS = "TESTS_RUN_ON_LOCAL_SERVER"
LOCAL_SERVER = None
if OURS in os.environ or not os.environ.get("DATABASE_URL"):
    LOCAL_SERVER = LocalPostgres(local_folder(Path(__file__).parent.parent) / "postgres-test", durable=False)
    os.environ["DATABASE_URL"], os.environ[OURS] = LOCAL_SERVER.url, "1"

from clinic.settings import *  # noqa: E402, F403
from clinic.settings import DATABASES, STORAGES  # noqa: E402

DATABASES["default"]["TEST"] = {"NAME": f"test_genuflex_{os.getpid()}"}
# Tests that render pages in this process need no built bundle; the live site of the process tests has the real storage.
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
# A slow hash would be paid at every sign-in of every test.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
