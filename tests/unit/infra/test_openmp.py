from pathlib import Path

from infra.local.openmp import RUNTIME, bring_runtime, is_loadable, package_folder


def test_the_runtime_lies_beside_extensions_that_look_for_it_there(tmp_path: Path) -> None:
    extensions, bundled, cache = (tmp_path / name for name in ("cpu", "libs", "cache"))
    for folder in (extensions, bundled, cache):
        folder.mkdir()
    (bundled / "libgomp-1a2b.so.1.0.0").write_bytes(b"runtime")
    (cache / "_als.so").write_bytes(b"extension")
    (extensions / "_als.so").hardlink_to(cache / "_als.so")

    bring_runtime(extensions, bundled, lambda path: path.write_bytes(b"patched"))

    assert (extensions / RUNTIME).read_bytes() == b"runtime"
    assert (extensions / "_als.so").read_bytes() == b"patched"
    assert (cache / "_als.so").read_bytes() == b"extension"
    assert sorted(path.name for path in extensions.iterdir()) == ["_als.so", RUNTIME]


def test_a_library_that_is_not_there_is_not_loadable() -> None:
    assert not is_loadable("libsurely-not-there.so.9")


def test_a_package_is_found_without_being_imported() -> None:
    folder = package_folder("implicit")
    assert folder is not None
    assert (folder / "implicit" / "cpu").is_dir()
    assert package_folder("surely_not_there") is None
