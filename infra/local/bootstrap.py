"""Make .venv from the lock file, on a machine that has a Python and nothing else.

Run by `make setup`. Only the standard library, and nothing newer than Python 3.6 can read: an old
Python must get as far as saying that it is too old.
"""

import hashlib
import html
import os
import platform
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".local" / "tools"
REQUIREMENTS = Path(__file__).with_name("bootstrap-requirements.txt")
PYPI = "https://pypi.org/simple"
# What every locked wheel exists for; pyproject.toml says the same.
SUITABLE = ("3.13", "3.12", "3.11")
SYNC = ["--all-extras", "--all-groups"]
# CUDA's libraries are larger than all the rest together: only a machine with a GPU gets them.
NVIDIA_DRIVER = Path("/proc/driver/nvidia/version")
if not NVIDIA_DRIVER.exists():
    SYNC += ["--no-extra", "gpu"]


class SetupError(Exception):
    """Setup cannot go on; the message says what to do."""


def main() -> None:
    try:
        interpreter = find_interpreter()
        uv = ensure_uv()
        mirror = find_mirror()
        if mirror:
            sync_from_mirror(uv, interpreter, mirror)
        else:
            run_uv(uv, "sync", "--locked", *SYNC, "--python", interpreter)
        python = str(ROOT / ".venv" / "bin" / "python")
        subprocess.check_call([python, "-m", "infra.local.openmp"], cwd=str(ROOT))
    except (SetupError, OSError) as error:
        sys.exit("setup: " + str(error))


def find_interpreter() -> str:
    """This Python if it is suitable, else another on PATH, else a version for uv to fetch."""
    if version_of(sys.executable) in SUITABLE:
        return sys.executable
    for version in SUITABLE:
        path = shutil.which("python" + version)
        if path and version_of(path) == version:
            return path
    found = platform.python_version()
    print(f"setup: python3 is {found}, wanted is one of {', '.join(SUITABLE)}: asking uv for one")
    return SUITABLE[1]


def version_of(python: str) -> str:
    """ "3.11" of that executable; "" when it does not run, as with pyenv's shims."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        return (
            subprocess.check_output([python, "-c", code], stderr=subprocess.DEVNULL)
            .decode()
            .strip()
        )
    except (OSError, subprocess.CalledProcessError):
        return ""


def ensure_uv() -> Path:
    """The pinned uv, fetched on first use and checked against its digest."""
    version, digests = pinned(REQUIREMENTS.read_text())
    uv = TOOLS / ("uv-" + version) / "uv"
    if not uv.exists():
        print(f"setup: fetching uv {version}")
        uv.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=str(TOOLS)) as folder:
            wheel = download_with_pip(Path(folder)) or download(version, Path(folder))
            check_digest(wheel, digests)
            unpack(wheel, uv)
    return uv


def pinned(requirements: str) -> "tuple[str, set[str]]":
    """Version and accepted digests of uv."""
    match = re.search(r"^uv==(\S+)", requirements, re.MULTILINE)
    if match is None:
        raise SetupError(f"{REQUIREMENTS} pins no uv: restore it from the repository")
    return match.group(1), set(re.findall(r"--hash=sha256:([0-9a-f]{64})", requirements))


def download_with_pip(folder: Path) -> "Path | None":
    """By pip, which knows the machine's index, proxy and certificates; None if it cannot."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--only-binary=:all:", "--require-hashes", "-r", str(REQUIREMENTS)]
    done = subprocess.run(
        command, cwd=str(folder), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    return next(folder.glob("uv-*.whl"), None) if done.returncode == 0 else None


def download(version: str, folder: Path) -> Path:
    """Without pip, which some systems package apart from Python."""
    index = os.environ.get("PIP_INDEX_URL", PYPI).rstrip("/")
    try:
        page = fetch(index + "/uv/").decode()
        url = pick_wheel(page, index + "/uv/", version)
        wheel = folder / urllib.parse.urlparse(url).path.rsplit("/", 1)[1]
        wheel.write_bytes(fetch(url))
    except OSError as error:
        raise SetupError(
            f"uv cannot be fetched from {index} ({error}): check the network. HTTPS_PROXY, "
            "SSL_CERT_FILE and PIP_INDEX_URL are honoured"
        ) from error
    return wheel


def pick_wheel(page: str, base: str, version: str) -> str:
    """The URL, on an index page, of the wheel for this machine."""
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    system = "macosx" if sys.platform == "darwin" else "manylinux"
    for link in re.findall(r'href="([^"]+)"', page):
        url = urllib.parse.urljoin(base, html.unescape(link))
        name = urllib.parse.urlparse(url).path.rsplit("/", 1)[-1]
        if name.startswith(f"uv-{version}-") and system in name and name.endswith(machine + ".whl"):
            return url
        if name.startswith(f"uv-{version}-") and f"{system}_2_17_{machine}" in name:
            return url
    raise SetupError(f"there is no uv {version} for {sys.platform} on {machine} at {base}")


def fetch(url: str) -> bytes:
    trust = ssl.create_default_context(cafile=os.environ.get("PIP_CERT"))
    with urllib.request.urlopen(url, timeout=60, context=trust) as answer:  # noqa: S310 - the index
        return bytes(answer.read())


def check_digest(wheel: Path, accepted: "set[str]") -> None:
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if digest not in accepted:
        raise SetupError(
            f"{wheel.name} has sha256 {digest}, which {REQUIREMENTS.name} does not know: "
            "what the index serves is not what was released"
        )


def unpack(wheel: Path, target: Path) -> None:
    with zipfile.ZipFile(str(wheel)) as archive:
        member = next(name for name in archive.namelist() if name.endswith(".data/scripts/uv"))
        draft = target.with_name("uv.new")
        draft.write_bytes(archive.read(member))
    draft.chmod(0o755)
    draft.rename(target)


def find_mirror() -> str:
    """The package index that this machine is to use instead of PyPI; "" for PyPI."""
    for variable in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"):
        if os.environ.get(variable):
            return without_pypi(os.environ[variable])
    command = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return without_pypi(done.stdout.decode().strip()) if done.returncode == 0 else ""


def without_pypi(index: str) -> str:
    return "" if index.rstrip("/") == PYPI else index


def sync_from_mirror(uv: Path, interpreter: str, mirror: str) -> None:
    """The same packages, by the same digests, from another index than the one in the lock file."""
    requirements = TOOLS / "requirements.txt"
    exporting = ["--frozen", *SYNC, "--no-emit-project", "--quiet", "-o", str(requirements)]
    run_uv(uv, "export", *exporting)
    run_uv(uv, "venv", "--allow-existing", "--python", interpreter, str(ROOT / ".venv"))
    installing = ["--python", str(ROOT / ".venv"), "--default-index", mirror]
    run_uv(uv, "pip", "sync", "--require-hashes", *installing, str(requirements))
    run_uv(uv, "pip", "install", "--no-deps", *installing, "-e", str(ROOT))


def run_uv(uv: Path, *arguments: str) -> None:
    environment = dict(os.environ)
    # Ours is .venv, whatever is active; and the machine's certificates count, as they do for pip.
    environment.pop("VIRTUAL_ENV", None)
    environment["UV_PROJECT_ENVIRONMENT"] = str(ROOT / ".venv")
    environment.setdefault("UV_SYSTEM_CERTS", "true")
    if "PIP_CERT" in environment:
        environment.setdefault("SSL_CERT_FILE", environment["PIP_CERT"])
    if not os.access(os.environ.get("HOME", ""), os.W_OK):
        environment.setdefault("UV_CACHE_DIR", str(ROOT / ".local" / "cache" / "uv"))
    if subprocess.call([str(uv), *arguments], cwd=str(ROOT), env=environment):
        raise SetupError(
            "uv could not install the locked packages, see above. If it found no Python: install "
            f"one of {', '.join(SUITABLE)} (such as `apt install python3.12` or `brew install "
            "python@3.12`), so that it is on PATH"
        )


if __name__ == "__main__":
    main()
