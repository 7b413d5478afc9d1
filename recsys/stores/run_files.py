"""Where a nightly run keeps what it read: for its later steps, and for who looks at the data."""

from pathlib import Path

EVENTS = "events.parquet"
CATALOGUE = "catalogue.parquet"


def run_folder(model_store: Path, tenant: str) -> Path:
    """The files of a tenant's last run."""
    return model_store / ".runs" / tenant
