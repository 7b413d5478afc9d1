"""`python -m infra.docker.fetch_jars FOLDER`: HBase's locked jars, verified, into FOLDER.

The same lock and the same downloader as the local stack's, at the time an image is built.
"""

import os
import sys
import tempfile
from pathlib import Path

from infra.local.errors import StackError
from infra.local.hbase_distribution.jar_lock import read_lock
from infra.local.hbase_distribution.jars import JarCache

_MAVEN_CENTRAL = "https://repo1.maven.org/maven2"


def fetch(target: Path, maven_url: str) -> None:
    """Make the folder `target`, holding exactly the locked jars. Raises StackError if it cannot."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as root:
        folder = JarCache(read_lock(), Path(root), maven_url).fetch()
        target.mkdir()
        for jar in read_lock():
            (folder / jar.name).rename(target / jar.name)


def main() -> None:
    try:
        fetch(Path(sys.argv[1]), os.environ.get("MAVEN_REPOSITORY_URL") or _MAVEN_CENTRAL)
    except StackError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
