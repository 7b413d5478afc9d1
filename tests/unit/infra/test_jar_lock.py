import pytest

from infra.local.hbase_distribution.jar_lock import (
    Jar,
    format_lock,
    lock_digest,
    parse_lock,
    read_lock,
)

JARS = (Jar("a/b/1/b-1.jar", "0" * 64, 12), Jar("a/c/2.1-x/c-2.1-x.jar", "f" * 64, 123456))


def test_what_is_written_is_read_back() -> None:
    assert parse_lock("# a comment\n\n" + format_lock(JARS)) == JARS


def test_the_committed_lock_names_hbase_and_its_thrift_server() -> None:
    names = {jar.name for jar in read_lock()}
    assert {"hbase-server-2.6.4-hadoop3.jar", "hbase-thrift-2.6.1.jar"} <= names
    assert len(names) == len(read_lock()) > 100


@pytest.mark.parametrize(
    "line",
    [
        "no jar",
        f"{'0' * 63} 12 a/b/1/b-1.jar",
        f"{'0' * 64} -1 a/b/1/b-1.jar",
        f"{'0' * 64} 12 /etc/b-1.jar",
        f"{'0' * 64} 12 a/../b-1.jar",
        f"{'0' * 64} 12 http://elsewhere/b-1.jar",
        f"{'0' * 64} 12 a/b/1/b-1.sh",
    ],
)
def test_a_line_that_is_no_jar_is_named(line: str) -> None:
    with pytest.raises(ValueError, match="line 2 is not"):
        parse_lock(f"# comment\n{line}\n")


def test_two_jars_of_one_file_name_would_overwrite_each_other() -> None:
    with pytest.raises(ValueError, match=r"line 2 names b-1\.jar a second time"):
        parse_lock(f"{'0' * 64} 1 a/b/1/b-1.jar\n{'1' * 64} 1 x/b/1/b-1.jar\n")


def test_another_set_of_jars_has_another_folder() -> None:
    assert lock_digest(JARS) != lock_digest(JARS[:1])
