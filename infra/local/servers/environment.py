"""Environment variables by which services, Spark and a developer's shell find the stack."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from infra.local.replicas import Service
from infra.local.servers.java import spark_java_home
from infra.local.settings import LOOPBACK, Settings


def for_services(settings: Settings) -> dict[str, str]:
    """The variables by which the product's processes find the stores and each other."""
    return {
        "RECSYS_URL": settings.url,
        "RECSYS_API_KEYS": str(settings.api_keys),
        "RECSYS_MODEL_STORE": str(settings.models),
        "RECSYS_RECOMMENDER_TARGET": _target(settings, Service.RECOMMENDER),
        "RECSYS_INGEST_TARGET": _target(settings, Service.INGEST),
        "REDIS_URL": settings.redis_url,
        "HBASE_THRIFT": settings.hbase_thrift,
    }


def for_jobs(settings: Settings, java: Path) -> dict[str, str]:
    """The same and what jobs need; makes Spark's JAVA_HOME where `java` alone does not do."""
    thrift2 = settings.hbase_thrift2
    return {
        **for_services(settings),
        **({"HBASE_THRIFT2": thrift2} if thrift2 else {}),
        "RECSYS_STACK": settings.name,
        "JAVA_HOME": str(spark_java_home(java, settings.home / "java")),
        # Spark, too, listens on loopback only.
        "SPARK_LOCAL_IP": LOOPBACK,
        # Spark's workers run what its driver runs.
        "PYSPARK_PYTHON": sys.executable,
    }


def command_path(environ: Mapping[str, str]) -> str:
    """The PATH with the folder of this interpreter first: `recsys` is there, activated or not."""
    own, path = str(Path(sys.executable).parent), environ.get("PATH", os.defpath)
    return path if path.split(os.pathsep)[0] == own else os.pathsep.join([own, path])


def _target(settings: Settings, service: Service) -> str:
    """Every replica that can run: those that do not are asked again and again until they do."""
    ports = settings.ports.of_all(service)
    return "ipv4:" + ",".join(f"{LOOPBACK}:{port}" for port in ports)
