import subprocess
from pathlib import Path

import pytest

from infra.local.errors import JavaError
from infra.local.servers.java import java_home, major_version, spark_java_home

BUNDLED = java_home(None)


def fake_java(home: Path, body: str) -> Path:
    java = home / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    java.chmod(0o755)
    return home


@pytest.mark.parametrize(
    ("text", "major"),
    [
        ('openjdk version "21.0.8" 2025-07-15 LTS\nOpenJDK Runtime', 21),
        ('openjdk version "17" 2021-09-14', 17),
        ('java version "1.8.0_392"\nJava(TM)', 8),
        ('openjdk version "25-ea" 2025-09-16', 25),
        ('Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nopenjdk version "17.0.1"', 17),
        ("no java", None),
    ],
)
def test_the_version_is_read_from_what_java_prints(text: str, major: int | None) -> None:
    assert major_version(text) == major


def test_without_java_home_the_bundled_one_is_used() -> None:
    assert (BUNDLED / "bin" / "java").is_file()


@pytest.mark.parametrize("version", ["1.8.0_392", "11.0.2", "25.0.1"])
def test_a_java_on_which_hbase_fails_is_refused(version: str, tmp_path: Path) -> None:
    home = fake_java(tmp_path, f"echo 'openjdk version \"{version}\"' >&2")
    with pytest.raises(JavaError, match="unset it to use the bundled Java 21"):
        java_home(home)


@pytest.mark.parametrize("body", ["exit 1", "echo hello"])
def test_what_is_no_java_is_refused(body: str, tmp_path: Path) -> None:
    with pytest.raises(JavaError, match="JAVA_HOME="):
        java_home(fake_java(tmp_path, body))


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JavaError, match="has no bin/java that runs"):
        java_home(tmp_path / "nowhere")


def test_a_java_with_the_vector_module_needs_no_shim(tmp_path: Path) -> None:
    java = fake_java(tmp_path / "jdk", "echo java.base@21; echo jdk.incubator.vector@21")
    assert spark_java_home(java, tmp_path / "shim") == java


def test_the_shim_drops_only_the_module_that_is_missing(tmp_path: Path) -> None:
    java = fake_java(tmp_path / "my jdk", 'for a do echo "<$a>"; done')
    shim = spark_java_home(java, tmp_path / "shim")
    arguments = ["-cp", "a b", "--add-modules=jdk.incubator.vector", "", "Main", "it's", "$HOME *"]
    printed = subprocess.check_output([shim / "bin/java", *arguments], text=True)
    assert printed.splitlines() == [f"<{a}>" for a in arguments if "vector" not in a]


def test_a_shim_in_java_home_leads_to_the_java_behind_it(tmp_path: Path) -> None:
    shim = spark_java_home(BUNDLED, tmp_path / "shim")
    assert java_home(shim) == BUNDLED.resolve()
    assert spark_java_home(java_home(shim), tmp_path / "shim") == shim
