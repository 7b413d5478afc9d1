"""Folder of a nightly run: what it read, for its later steps and for notebooks."""

from pathlib import Path

from recsys.core.domain import checked_tenant

EVENT_SNAPSHOT = "event_snapshot"
EVENTS = "events.parquet"
CATALOGUE = "catalogue.parquet"


def run_folder(model_store: Path, tenant: str) -> Path:
    """The files of a tenant's last run. Raises InvalidInput for a name that no tenant can have."""
    return model_store / ".runs" / checked_tenant(tenant)
