"""The model store: one folder a version, readable by anyone who can read files. No pickle."""

import hashlib
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from recsys.core.domain import checked_tenant
from recsys.core.errors import FieldProblem, InvalidInput, InvalidModel, NotFound
from recsys.core.model import ItemModel, TrainedModel, UserModel
from recsys.files import errors_name, remove_drafts, remove_folder, write_folder, write_whole
from recsys.stores.manifest import Manifest
from recsys.stores.model_codec import pack_items, pack_users, read_users, unpack_items

MANIFEST = "manifest.json"
ITEMS = "items.safetensors"
USERS = "users.safetensors"
SERVING = "serving"
WITHDRAWN = "withdrawn"
# A folder that somebody copies from elsewhere may get its manifest last.
_COPYING_SECONDS = 86_400
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}")


class ModelFiles:
    """Model versions below `root`/<tenant>/<version>/, each complete or not there at all."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def versions(self, tenant: str) -> list[str]:
        """All versions of a tenant, oldest first (their names begin with their time).

        Raises:
            OSError: the tenant's folder may not be read; it is not taken for an empty one.
        """
        try:
            folders = list(self._tenant(tenant).iterdir())
        except FileNotFoundError:
            return []
        # A copy that somebody made beside them is none.
        return sorted(
            folder.name
            for folder in folders
            if is_version(folder.name) and _is_there(folder / MANIFEST)
        )

    def tenants(self) -> list[str]:
        """Tenants with a version, sorted."""
        found = self._root.glob(f"[!.]*/[!.]*/{MANIFEST}")
        return sorted({path.parent.parent.name for path in found})

    def no_model(self, tenant: str) -> str:
        """Message for a tenant without a version: its name, or the folder's, may be mistyped."""
        known = ", ".join(self.tenants()) or "none"
        return (
            f"tenant {tenant} has no model yet: run recsys nightly --tenant {tenant}"
            f" (tenants with models in {self._root}: {known})"
        )

    def save(self, manifest: Manifest, items: ItemModel, users: UserModel) -> Manifest:
        """Write a version whole, then give it its name; return the manifest with checksums.

        Raises:
            OSError: nothing of the version is left.
        """
        parts = {ITEMS: pack_items(items), USERS: pack_users(users)}
        sums = {name: hashlib.sha256(data).hexdigest() for name, data in parts.items()}
        manifest = manifest.model_copy(update={"sha256": sums})
        folder = self._folder(manifest.tenant, manifest.version)
        write_folder(folder, {**parts, MANIFEST: manifest.to_json()})
        return manifest

    def amend(self, manifest: Manifest, **entries: Any) -> Manifest:
        """Add entries to the manifest of a stored version; return the new manifest.

        Raises:
            OSError: the manifest is what it was.
        """
        manifest = manifest.model_copy(update=entries)
        path = self._folder(manifest.tenant, manifest.version) / MANIFEST
        write_whole(path, manifest.to_json())
        return manifest

    def manifest(self, tenant: str, version: str) -> Manifest:
        """
        Raises:
            NotFound: there is no such version.
            InvalidModel: it cannot be read, or is another version's, in a folder that was copied.
        """
        try:
            manifest = Manifest.from_json(self._read(tenant, version, MANIFEST))
            _check_name(manifest, tenant, version)
        except InvalidModel as error:
            path = self._folder(tenant, version) / MANIFEST
            raise InvalidModel(f"model {version} of {tenant}: {error} ({path})") from error
        return manifest

    def item_bytes(self, tenant: str, version: str) -> bytes:
        """The packed item model, checked against the manifest. Raises: NotFound, InvalidModel."""
        return self._checked(tenant, version, ITEMS)

    def items(self, tenant: str, version: str) -> ItemModel:
        """Raises: NotFound, InvalidModel."""
        return unpack_items(self._checked(tenant, version, ITEMS))

    def users(self, tenant: str, version: str) -> UserModel:
        """Raises: NotFound, InvalidModel."""
        path = self._check_file(self.manifest(tenant, version), USERS)
        with self._named_if_unreadable(path):
            return read_users(path)

    def check_files(self, manifest: Manifest) -> None:
        """Raises NotFound or InvalidModel where a file is not as it was written."""
        for name in (ITEMS, USERS):
            self._check_file(manifest, name)

    def model(self, tenant: str, version: str) -> TrainedModel:
        """Raises: NotFound, InvalidModel."""
        params = self.manifest(tenant, version).recipe.to_params()
        return TrainedModel(params, self.items(tenant, version), self.users(tenant, version))

    def mark_serving(self, tenant: str, version: str) -> None:
        """Keep in mind what is about to serve: the pointer is lost when Redis is.

        Called before the pointer moves, so that after a crash in between `rebuild` goes on to the
        version whose records are all there, and never back behind one that users have seen.
        """
        before = [other for other in self.last_two(tenant) if other != version]
        self._note(tenant, SERVING, [version, *before[:1]])

    def mark_again(self, tenant: str, versions: Sequence[str]) -> None:
        """Put back what `last_two` said before a mark whose pointer did not move."""
        self._note(tenant, SERVING, versions)

    def last_two(self, tenant: str) -> list[str]:
        """The version that was marked last and the one before it, as far as there are any."""
        names = self._noted(tenant, SERVING)
        return [name for name in names if is_version(name)]

    def last_serving(self, tenant: str) -> str:
        """The version that was marked last. Raises NotFound before the first."""
        for version in self.last_two(tenant):
            return version
        if not self.versions(tenant):
            raise NotFound(self.no_model(tenant))
        raise NotFound(
            f"no model of {tenant} has served from {self._root}: "
            f"run recsys nightly --tenant {tenant}, or recsys models serve VERSION"
        )

    def noted_since(self, tenant: str, serving: str | None) -> str | None:
        """Say that another version was marked last than the one that Redis names; None if not.

        An older backup of Redis was brought back, or a run killed before it moved the pointer.
        """
        last = self.last_two(tenant)[:1]
        if serving is None or last in ([], [serving]):
            return None
        return (
            f"Redis names {serving}, and not {last[0]}, which the model store noted since: it is"
            f" an older backup, or a run was killed; recsys rebuild {last[0]} lets that one serve"
        )

    def withdraw(self, manifest: Manifest) -> None:
        """Note that an operator went back from this version: equal data must not bring it back."""
        withdrawn = self.withdrawn(manifest.tenant) | {manifest.data.fingerprint}
        self.save_withdrawn(manifest.tenant, withdrawn)

    def readmit(self, manifest: Manifest) -> None:
        """Forget that a version was withdrawn."""
        withdrawn = self.withdrawn(manifest.tenant)
        if manifest.data.fingerprint in withdrawn:
            self.save_withdrawn(manifest.tenant, withdrawn - {manifest.data.fingerprint})

    def withdrawn(self, tenant: str) -> set[str]:
        """Fingerprints of the data of all versions that were withdrawn."""
        return set(self._noted(tenant, WITHDRAWN))

    def save_withdrawn(self, tenant: str, fingerprints: set[str]) -> None:
        """Note the data of which all versions are withdrawn, and of no others."""
        self._note(tenant, WITHDRAWN, sorted(fingerprints))

    def is_withdrawn(self, manifest: Manifest) -> bool:
        """Tell whether an operator went back from this version, or one of the same data."""
        return manifest.data.fingerprint in self.withdrawn(manifest.tenant)

    def remove(self, tenant: str, version: str) -> None:
        """Remove a version.

        Raises:
            OSError: when it cannot be removed.
        """
        folder = self._folder(tenant, version)
        with errors_name(folder):
            if folder.exists():
                remove_folder(folder)

    def remove_drafts(self, tenant: str, now_seconds: float) -> None:
        """Remove what runs that were killed have left.

        Args:
            now_seconds: since the epoch, by the clock of the file system.
        """
        remove_drafts(self._tenant(tenant))
        for folder in self._tenant(tenant).glob("[!.]*/"):
            if is_version(folder.name) and _is_half_removed(folder, now_seconds):
                shutil.rmtree(folder, ignore_errors=True)

    def _noted(self, tenant: str, name: str) -> list[str]:
        try:
            # What a disk has damaged is no name of ours: the next note replaces it.
            return (self._tenant(tenant) / name).read_text("utf-8", errors="replace").split()
        except FileNotFoundError:
            return []

    def _note(self, tenant: str, name: str, lines: Sequence[str]) -> None:
        folder = self._tenant(tenant)
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / name, "\n".join(lines))

    def _check_file(self, manifest: Manifest, name: str) -> Path:
        path = self._folder(manifest.tenant, manifest.version) / name
        with self._named_if_unreadable(path), path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        _compare_digests(manifest, name, digest)
        return path

    def _checked(self, tenant: str, version: str, name: str) -> bytes:
        data = self._read(tenant, version, name)
        check_digest(self.manifest(tenant, version), name, data)
        return data

    def _read(self, tenant: str, version: str, name: str) -> bytes:
        path = self._folder(tenant, version) / name
        with self._named_if_unreadable(path):
            return path.read_bytes()

    @contextmanager
    def _named_if_unreadable(self, path: Path) -> Iterator[None]:
        """Raises NotFound, with the versions that there are, for a file that is not there.

        One that cannot be read, such as a folder of that name, is InvalidModel: other versions
        can still be listed and served.
        """
        try:
            yield
        except FileNotFoundError as error:
            folder, tenant = path.parent.parent, path.parent.parent.name
            if not (versions := self.versions(tenant)):
                raise NotFound(self.no_model(tenant)) from error
            raise NotFound(
                f"no {path.name} of model {path.parent.name} in {folder};"
                f" known: {', '.join(versions)}"
            ) from error
        except OSError as error:
            raise InvalidModel(f"{path} cannot be read: {error.strerror}") from error

    def _folder(self, tenant: str, version: str) -> Path:
        if not is_version(version):
            raise InvalidInput([FieldProblem("version", f"{version!r} is not a version's name")])
        return self._tenant(tenant) / version

    def _tenant(self, tenant: str) -> Path:
        return self._root / checked_tenant(tenant)


def is_version(name: str) -> bool:
    """Whether a version can have this name."""
    return _VERSION.fullmatch(name) is not None


def _is_there(path: Path) -> bool:
    """Whether there is such a file, as far as that can be known: who reads it is told why not."""
    try:
        return path.exists()
    except OSError:
        return True


def _is_half_removed(folder: Path, now_seconds: float) -> bool:
    """Whether all that a folder has, if anything, are arrays that no manifest belongs to."""
    is_old = folder.stat().st_mtime < now_seconds - _COPYING_SECONDS
    return is_old and {each.name for each in folder.iterdir()} <= {ITEMS, USERS}


def _check_name(manifest: Manifest, tenant: str, version: str) -> None:
    if (manifest.tenant, manifest.version) != (tenant, version):
        raise InvalidModel(f"it is of {manifest.version} of {manifest.tenant}")


def check_digest(manifest: Manifest, name: str, data: bytes) -> None:
    """Raises InvalidModel when the bytes are not the ones the manifest was written with."""
    _compare_digests(manifest, name, hashlib.sha256(data).hexdigest())


def _compare_digests(manifest: Manifest, name: str, digest: str) -> None:
    if digest != manifest.sha256.get(name):
        raise InvalidModel(f"{name} of model {manifest.version} does not match its checksum")
