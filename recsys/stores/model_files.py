"""The model store: one folder a version, readable by anyone who can read files. No pickle."""

import hashlib
import os
import re
import shutil
from pathlib import Path

from recsys.core.domain import checked_tenant
from recsys.core.errors import FieldProblem, InvalidInput, InvalidModel, NotFound
from recsys.core.model import ItemSide, TrainedModel, UserSide
from recsys.stores.manifest import Evaluation, Manifest
from recsys.stores.model_codec import pack_items, pack_users, unpack_items, unpack_users

MANIFEST = "manifest.json"
ITEMS = "items.safetensors"
USERS = "users.safetensors"
SERVING = "serving"
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}")


class ModelFiles:
    """Model versions below `root`/<tenant>/<version>/, each complete or not there at all."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def versions(self, tenant: str) -> list[str]:
        """All versions of a tenant, oldest first (their names begin with their time)."""
        folder = self._root / checked_tenant(tenant)
        return sorted(path.parent.name for path in folder.glob(f"[!.]*/{MANIFEST}"))

    def save(self, manifest: Manifest, items: ItemSide, users: UserSide) -> Manifest:
        """Write a version whole, then give it its name; return the manifest with checksums."""
        folder = self._folder(manifest.tenant, manifest.version)
        unfinished = folder.with_name(f".{folder.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        parts = {ITEMS: pack_items(items), USERS: pack_users(users)}
        sums = {name: hashlib.sha256(data).hexdigest() for name, data in parts.items()}
        manifest = manifest.model_copy(update={"sha256": sums})
        for name, data in {**parts, MANIFEST: manifest.to_json()}.items():
            _write_durably(unfinished / name, data)
        shutil.rmtree(folder, ignore_errors=True)
        unfinished.rename(folder)
        return manifest

    def save_evaluation(self, manifest: Manifest, evaluation: Evaluation) -> None:
        """Add how good a stored version is to its manifest."""
        path = self._folder(manifest.tenant, manifest.version) / MANIFEST
        beside = path.with_suffix(".unfinished")
        _write_durably(beside, manifest.model_copy(update={"evaluation": evaluation}).to_json())
        beside.rename(path)

    def manifest(self, tenant: str, version: str) -> Manifest:
        """Raises: NotFound, InvalidModel."""
        return Manifest.from_json(self._read(tenant, version, MANIFEST))

    def item_bytes(self, tenant: str, version: str) -> bytes:
        """The packed item side, checked against the manifest. Raises: NotFound, InvalidModel."""
        return self._checked(tenant, version, ITEMS)

    def items(self, tenant: str, version: str) -> ItemSide:
        """Raises: NotFound, InvalidModel."""
        return unpack_items(self._checked(tenant, version, ITEMS))

    def users(self, tenant: str, version: str) -> UserSide:
        """Raises: NotFound, InvalidModel."""
        return unpack_users(self._checked(tenant, version, USERS))

    def model(self, tenant: str, version: str) -> TrainedModel:
        """Raises: NotFound, InvalidModel."""
        recipe = self.manifest(tenant, version).recipe.to_recipe()
        return TrainedModel(recipe, self.items(tenant, version), self.users(tenant, version))

    def mark_serving(self, tenant: str, version: str) -> None:
        """Keep in mind what serves: the pointer is lost when Redis is."""
        path = self._root / checked_tenant(tenant) / SERVING
        beside = path.with_suffix(".unfinished")
        _write_durably(beside, version.encode())
        beside.rename(path)

    def last_serving(self, tenant: str) -> str:
        """The version that was marked last. Raises NotFound before the first."""
        try:
            return (self._root / checked_tenant(tenant) / SERVING).read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise NotFound(
                f"no model of {tenant} has served from {self._root}: "
                f"run recsys nightly --tenant {tenant}, or recsys models serve VERSION"
            ) from error

    def remove(self, tenant: str, version: str) -> None:
        shutil.rmtree(self._folder(tenant, version), ignore_errors=True)

    def _checked(self, tenant: str, version: str, name: str) -> bytes:
        data = self._read(tenant, version, name)
        check_digest(self.manifest(tenant, version), name, data)
        return data

    def _read(self, tenant: str, version: str, name: str) -> bytes:
        folder = self._folder(tenant, version)
        try:
            return (folder / name).read_bytes()
        except FileNotFoundError as error:
            none = f"none, run recsys nightly --tenant {tenant}"
            known = ", ".join(self.versions(tenant)) or none
            raise NotFound(
                f"no {name} of model {version} in {folder.parent}; known: {known}"
            ) from error

    def _folder(self, tenant: str, version: str) -> Path:
        if not _VERSION.fullmatch(version):
            raise InvalidInput([FieldProblem("version", f"{version!r} is not a version's name")])
        return self._root / checked_tenant(tenant) / version


def check_digest(manifest: Manifest, name: str, data: bytes) -> None:
    """Raises InvalidModel when the bytes are not the ones the manifest was written with."""
    if hashlib.sha256(data).hexdigest() != manifest.sha256.get(name):
        raise InvalidModel(f"{name} of model {manifest.version} does not match its checksum")


def _write_durably(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
