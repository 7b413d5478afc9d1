"""What the services, Spark and a developer's shell need to know of the stack."""

import sys
from pathlib import Path

from infra.local.java import spark_java_home
from infra.local.settings import LOOPBACK, Settings


def for_services(settings: Settings) -> dict[str, str]:
    """The variables by which the product's processes find the stores and each other."""
    ports = settings.ports
    return {
        "RECSYS_URL": settings.url,
        "RECSYS_API_KEYS": str(settings.api_keys),
        "RECSYS_MODEL_STORE": str(settings.models),
        "RECSYS_RECOMMENDER_TARGET": (
            f"ipv4:{LOOPBACK}:{ports.recommender_1},{LOOPBACK}:{ports.recommender_2}"
        ),
        "RECSYS_INGEST_TARGET": f"ipv4:{LOOPBACK}:{ports.ingest}",
        "REDIS_URL": settings.redis_url,
        "HBASE_THRIFT": settings.hbase_thrift,
    }


def for_jobs(settings: Settings, java: Path) -> dict[str, str]:
    """The same and what Spark needs; makes its JAVA_HOME where `java` alone does not do."""
    return {
        **for_services(settings),
        "RECSYS_STACK": settings.name,
        "JAVA_HOME": str(spark_java_home(java, settings.home / "java")),
        # Spark, too, listens on loopback only.
        "SPARK_LOCAL_IP": LOOPBACK,
        # Spark's workers run what its driver runs.
        "PYSPARK_PYTHON": sys.executable,
    }
