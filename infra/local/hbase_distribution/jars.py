"""Fetch the locked jars: in parallel, resumed where cut off, verified, and moved in whole."""

import errno
import fcntl
import hashlib
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias

import certifi
import httpx

from infra.local.errors import DownloadError
from infra.local.hbase_distribution.jar_lock import Jar, lock_digest

WORKERS = 8
ATTEMPTS = 5
FIRST_PAUSE_SECONDS = 0.5
_TIMEOUT = httpx.Timeout(30, connect=10)
# Worth another try; any other refusal is final.
_PASSING_STATUS = {408, 425, 429, 500, 502, 503, 504}

# Told how many bytes have come; a negative number takes back what had to be thrown away.
Progress: TypeAlias = Callable[[int], None]


class _TryAgain(Exception):
    """A failure that may pass: a cut connection, a busy server, a damaged body."""


@dataclass(frozen=True, slots=True)
class JarCache:
    """The folder of one locked set of jars, and where to fetch what it lacks."""

    jars: Sequence[Jar]
    root: Path
    maven_url: str
    first_pause_seconds: float = FIRST_PAUSE_SECONDS

    @property
    def folder(self) -> Path:
        """Holds exactly the jars of this lock, so that `folder/*` is a class path."""
        return self.root / f"hbase-{lock_digest(self.jars)}"

    @property
    def _stamp(self) -> Path:
        return self.folder / ".verified"

    def missing(self) -> list[Jar]:
        """The jars not there. Digests were checked on arrival, so sizes are enough from then on."""
        if not self._stamp.exists():
            return list(self.jars)
        return [jar for jar in self.jars if not _has_size(self.folder / jar.name, jar.size)]

    def fetch(self, progress: Progress = lambda _: None) -> Path:
        """Complete the folder and return it.

        Raises DownloadError when a jar cannot be had, is not what the lock says, or does not fit.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with _exclusive(self.folder / ".lock"):
                self._fetch_all(self.missing(), progress)
                self._stamp.touch()
        except OSError as error:
            raise _storage_error(self.folder, error) from error
        return self.folder

    def _fetch_all(self, jars: Sequence[Jar], progress: Progress) -> None:
        if not jars:
            return
        with _client(self.maven_url) as client, ThreadPoolExecutor(WORKERS) as pool:
            pending = [pool.submit(self._ensure, client, jar, progress) for jar in jars]
            try:
                for finished in as_completed(pending):
                    finished.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _ensure(self, client: httpx.Client, jar: Jar, progress: Progress) -> None:
        target = self.folder / jar.name
        if target.exists() and _digest(target) == jar.sha256:
            progress(jar.size)
            return
        for attempt in range(1, ATTEMPTS + 1):
            tally = _Tally(progress)
            try:
                _Download(client, jar, target, tally).run()
            except (_TryAgain, httpx.TransportError) as error:
                tally.take_back()
                if attempt == ATTEMPTS:
                    raise _gave_up(jar, client.base_url, error) from error
                time.sleep(self.first_pause_seconds * 2 ** (attempt - 1))
            else:
                return


class _Tally:
    """Progress of one attempt, which a failure takes back."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._total = 0

    def __call__(self, size: int) -> None:
        self._total += size
        self._progress(size)

    def take_back(self) -> None:
        self(-self._total)


@dataclass(frozen=True, slots=True)
class _Download:
    """One attempt at one jar. What arrives stays in `<jar>.part`, for the next attempt to go on."""

    client: httpx.Client
    jar: Jar
    target: Path
    tally: _Tally

    @property
    def part(self) -> Path:
        return self.target.with_name(self.target.name + ".part")

    def run(self) -> None:
        have = self._resumable_bytes()
        self.tally(have)
        if have < self.jar.size:
            self._receive(have)
        self._check()
        self.part.replace(self.target)

    def _resumable_bytes(self) -> int:
        if not self.part.exists():
            return 0
        size = self.part.stat().st_size
        if size > self.jar.size:
            self.part.unlink()
            return 0
        return size

    def _receive(self, have: int) -> None:
        headers = {"Range": f"bytes={have}-"} if have else {}
        with self.client.stream("GET", self.jar.path, headers=headers) as response:
            self._reject_refusal(response, have)
            resumed = response.status_code == httpx.codes.PARTIAL_CONTENT
            if not resumed:  # the server sends the whole, from the start
                self.tally.take_back()
            with self.part.open("ab" if resumed else "wb") as file:
                self._store(response, file)

    def _reject_refusal(self, response: httpx.Response, have: int) -> None:
        status = response.status_code
        expected_start = f"bytes {have}-"
        if status == httpx.codes.PARTIAL_CONTENT:
            if not response.headers.get("Content-Range", "").startswith(expected_start):
                self.part.unlink()
                raise _TryAgain("the server resumed at another byte than asked")
        elif status == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            self.part.unlink()
            raise _TryAgain("the server cannot resume the partial file")
        elif status in _PASSING_STATUS:
            raise _TryAgain(f"the server answered {status}")
        elif status != httpx.codes.OK:
            raise DownloadError(
                f"{response.url} answered {status} {response.reason_phrase}: "
                "check MAVEN_REPOSITORY_URL, it must be a full mirror of Maven Central"
            )

    def _store(self, response: httpx.Response, file: BinaryIO) -> None:
        for chunk in response.iter_bytes():
            file.write(chunk)
            self.tally(len(chunk))
            if file.tell() > self.jar.size:
                break  # not the jar: the digest will say so

    def _check(self) -> None:
        size = self.part.stat().st_size
        if size < self.jar.size:
            raise _TryAgain(f"only {size} of {self.jar.size} bytes came")
        digest = _digest(self.part)
        if digest != self.jar.sha256:
            self.part.unlink()
            raise _TryAgain(f"its sha256 is {digest}, the lock says {self.jar.sha256}")


def _client(maven_url: str) -> httpx.Client:
    # The system's certificates (or SSL_CERT_FILE), and Mozilla's where Python finds none.
    trust = ssl.create_default_context()
    trust.load_verify_locations(certifi.where())
    return httpx.Client(
        base_url=maven_url.rstrip("/") + "/",
        verify=trust,
        timeout=_TIMEOUT,
        follow_redirects=True,
        # A jar must come as it is: compressed in transfer it could not be resumed.
        headers={"Accept-Encoding": "identity"},
    )


def _gave_up(jar: Jar, base_url: httpx.URL, error: Exception) -> DownloadError:
    reason = str(error) or type(error).__name__
    return DownloadError(
        f"{jar.name} could not be fetched from {base_url} in {ATTEMPTS} attempts ({reason}). "
        "Check the network (HTTPS_PROXY and SSL_CERT_FILE are honoured), or set "
        "MAVEN_REPOSITORY_URL to a mirror; run again to go on where it stopped"
    )


def _storage_error(folder: Path, error: OSError) -> DownloadError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DownloadError(
            f"the disk of {folder} is full: make room, or set RECSYS_CACHE to another disk; "
            "run again to go on where it stopped"
        )
    return DownloadError(
        f"cannot write the jar cache ({error}): set RECSYS_CACHE to a writable folder"
    )


@contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    """Two stacks may fetch at once: the second waits, then finds the jars there."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _has_size(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except FileNotFoundError:
        return False


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
