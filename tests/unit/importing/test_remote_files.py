"""Files in object stores: pyarrow's own client, against a store of this test."""

import gzip
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

import pytest

from recsys.core.errors import ConfigurationError
from recsys.core.wording import pluralize
from recsys.importing.named_files import named_files
from tests.unit.importing.shop import take_in

EVENTS = b"user_id,item_id\nann,a\n"
OBJECTS = {
    "log/day=2024-01-29/part-0.csv": EVENTS,
    "log/day=2024-01-30/part-0.csv.gz": gzip.compress(EVENTS),
    "log/_SUCCESS": b"",
    "log/readme.txt": b"no data",
}


class Bucket(BaseHTTPRequestHandler):
    """The part of S3's protocol that reading takes: the bucket is `shop`."""

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self, *, with_body: bool) -> None:
        url = urlsplit(self.path)
        bucket, _, key = unquote(url.path).lstrip("/").partition("/")
        query = parse_qs(url.query)
        if bucket != "shop":
            self._send(404, b"", with_body=with_body)
        elif "list-type" in query:
            self._send(200, _listed(query.get("prefix", [""])[0]), with_body=with_body)
        elif key in OBJECTS or not key:
            self._send(200, OBJECTS.get(key, b""), with_body=with_body)
        else:
            self._send(404, b"", with_body=with_body)

    def _send(self, status: int, body: bytes, *, with_body: bool) -> None:
        start, part = 0, body
        if asked := self.headers.get("Range"):
            first, last = asked.removeprefix("bytes=").split("-")
            start, part, status = int(first), body[int(first) : int(last) + 1], 206
        self.send_response(status)
        self.send_header("Content-Length", str(len(part)))
        self.send_header("Content-Type", "application/octet-stream")
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{start + len(part) - 1}/{len(body)}")
        self.end_headers()
        if with_body:
            self.wfile.write(part)


def _listed(prefix: str) -> bytes:
    found = "".join(
        f"<Contents><Key>{escape(key)}</Key><Size>{len(content)}</Size>"
        "<LastModified>2024-01-30T00:00:00.000Z</LastModified></Contents>"
        for key, content in sorted(OBJECTS.items())
        if key.startswith(prefix)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>shop</Name><IsTruncated>false</IsTruncated>{found}</ListBucketResult>"
    ).encode()


@pytest.fixture
def options(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """What an address of the store ends with."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Bucket)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"?scheme=http&region=eu&endpoint_override=127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("s3://shop/log", ["day=2024-01-29/part-0.csv", "day=2024-01-30/part-0.csv.gz"]),
        ("s3://shop/log/day=2024-01-29/part-0.csv", ["day=2024-01-29/part-0.csv"]),
        ("s3://shop/log/*/part-*.csv", ["day=2024-01-29/part-0.csv"]),
    ],
)
def test_a_file_a_folder_and_a_pattern(options: str, address: str, expected: list[str]) -> None:
    said: list[str] = []
    with named_files([address + options], said.append) as paths:
        assert [str(path).rpartition("/log/")[2] for path in paths] == expected
        for path in paths:
            [event] = take_in(path, mapping=("day=timestamp",), event_type="view").events
            assert (event.user_id, event.item_id) == ("ann", "a")
    assert not any(path.exists() for path in paths)
    assert said[0].startswith(
        f"fetching {pluralize(len(expected), 'file')}, 0.0 MB, from s3://shop/log"
    )


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("s3://shop/log/none.csv", "none.csv"),
        ("s3://shop/log/*.parquet", "there is no such file"),
        ("s3://other/log", "other"),
        ("nowhere://shop/log", "nowhere"),
    ],
)
def test_what_cannot_be_had_is_said(options: str, address: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message), named_files([address + options]):
        pass


def test_any_file_system_of_arrow_will_do(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(EVENTS)
    with named_files([f"file://{tmp_path}/*.csv"]) as paths:
        assert [path.name for path in paths] == ["a.csv"]
        assert paths[0] != tmp_path / "a.csv"
        assert paths[0].read_bytes() == EVENTS


def test_a_key_cannot_lead_out_of_the_folder(options: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OBJECTS, "log/../../../up.csv", EVENTS)
    with pytest.raises(ConfigurationError), named_files(["s3://shop/log/*/*/*/up.csv" + options]):
        pass
