"""The downloader against a real HTTP server on loopback that misbehaves on demand."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from infra.local.errors import DownloadError
from infra.local.hbase_distribution.jar_lock import Jar
from infra.local.hbase_distribution.jars import JarCache

BODY = bytes(range(256)) * 2000
JAR = Jar("org/x/1/x-1.jar", hashlib.sha256(BODY).hexdigest(), len(BODY))


class Repository(ThreadingHTTPServer):
    """Serves BODY under every path.

    Attributes:
        faults: what to do to the next requests, one each: "503", "404", "cut" (half of the body,
            then close), "corrupt", "whole" (ignores Range), "416".
        ranges: the Range header of each request so far.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.faults: list[str] = []
        self.ranges: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/maven2/"


class _Handler(BaseHTTPRequestHandler):
    server: Repository

    def do_GET(self) -> None:
        wanted = self.headers["Range"]
        self.server.ranges.append(wanted)
        fault = self.server.faults.pop(0) if self.server.faults else ""
        if fault.isdigit():
            self.send_error(int(fault))
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        self._send(b"\0" * len(BODY) if fault == "corrupt" else BODY, start, fault)

    def _send(self, body: bytes, start: int, fault: str) -> None:
        resumed = start and fault != "whole"
        part = body[start:] if resumed else body
        self.send_response(206 if resumed else 200)
        if resumed:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        with suppress(ConnectionError):
            self.wfile.write(part[: len(part) // 2] if fault == "cut" else part)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def repository() -> Iterator[Repository]:
    with Repository() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def cache(repository: Repository, tmp_path: Path) -> JarCache:
    return JarCache([JAR], tmp_path / "jars", repository.url, first_pause_seconds=0.001)


def test_a_jar_arrives_whole_and_the_next_time_nothing_is_asked(
    cache: JarCache, repository: Repository
) -> None:
    folder = cache.fetch()
    assert (folder / "x-1.jar").read_bytes() == BODY
    assert cache.missing() == []
    cache.fetch()
    assert len(repository.ranges) == 1
    assert [path.name for path in folder.glob("*.part")] == []


def test_a_cut_download_goes_on_where_it_stopped(cache: JarCache, repository: Repository) -> None:
    repository.faults = ["cut"]
    assert (cache.fetch() / "x-1.jar").read_bytes() == BODY
    assert repository.ranges == [None, f"bytes={len(BODY) // 2}-"]


@pytest.mark.parametrize("faults", [["cut", "whole"], ["cut", "416"], ["503", "503"], ["corrupt"]])
def test_what_passes_is_tried_again(
    faults: list[str], cache: JarCache, repository: Repository
) -> None:
    repository.faults = faults
    assert (cache.fetch() / "x-1.jar").read_bytes() == BODY


def test_a_partial_file_of_an_earlier_run_is_used(cache: JarCache, repository: Repository) -> None:
    cache.folder.mkdir(parents=True)
    (cache.folder / "x-1.jar.part").write_bytes(BODY[:1000])
    assert (cache.fetch() / "x-1.jar").read_bytes() == BODY
    assert repository.ranges == ["bytes=1000-"]


@pytest.mark.parametrize("part", [b"?" * 1000, b"?" * (len(BODY) + 1), b"?" * len(BODY)])
def test_a_damaged_partial_file_does_no_harm(part: bytes, cache: JarCache) -> None:
    cache.folder.mkdir(parents=True)
    (cache.folder / "x-1.jar.part").write_bytes(part)
    assert (cache.fetch() / "x-1.jar").read_bytes() == BODY


def test_progress_ends_at_the_size_whatever_happened(
    cache: JarCache, repository: Repository
) -> None:
    repository.faults = ["cut", "503", "whole", "corrupt", "cut"]
    seen: list[int] = []
    with suppress(DownloadError):
        cache.fetch(seen.append)
    cache.fetch(seen.append)
    assert sum(seen) == len(BODY)


def test_a_jar_that_is_not_the_locked_one_is_never_used(
    cache: JarCache, repository: Repository
) -> None:
    repository.faults = ["corrupt"] * 5
    with pytest.raises(DownloadError, match=f"the lock says {JAR.sha256}"):
        cache.fetch()
    assert not (cache.folder / "x-1.jar").exists()
    assert cache.missing() == [JAR]


def test_a_mirror_without_the_jar_is_named_at_once(cache: JarCache, repository: Repository) -> None:
    repository.faults = ["404"]
    with pytest.raises(DownloadError, match=r"answered 404.*MAVEN_REPOSITORY_URL"):
        cache.fetch()
    assert len(repository.ranges) == 1


def test_without_network_the_message_says_what_can_be_done(tmp_path: Path) -> None:
    nobody = JarCache([JAR], tmp_path, "http://127.0.0.1:9", first_pause_seconds=0.001)
    with pytest.raises(DownloadError, match=r"Check the network .*MAVEN_REPOSITORY_URL"):
        nobody.fetch()


def test_a_removed_or_shortened_jar_is_fetched_again(cache: JarCache) -> None:
    jar = cache.fetch() / "x-1.jar"
    jar.write_bytes(BODY[:5])
    assert cache.missing() == [JAR]
    assert (cache.fetch() / "x-1.jar").read_bytes() == BODY


def test_an_unwritable_cache_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DownloadError, match="RECSYS_CACHE"):
        JarCache([JAR], tmp_path / "file", "http://127.0.0.1:9").fetch()
