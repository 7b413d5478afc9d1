"""Make the model of one format, by the code of a commit that wrote it.

    git worktree add --detach /tmp/of_format COMMIT
    cd /tmp/of_format && PYTHONPATH=. python .../tests/data/formats/make.py .../tests/data/formats/N

| format | commit   |                                                               |
|--------|----------|---------------------------------------------------------------|
| 2      | 5e6f03a  | before the order of behaviour                                 |
| 3      | ae886f6  | order; the last one without a least reader                    |
| 4      | e49a9a5  | a least reader; what is unknown to a reader may be left out   |
| 5      | 7a9df48  | what is bought together, what is rising                       |
| 6      | 30a19f8  | what is bought again                                          |
| 7      | 73caa2f  | event types with ratings                                      |
| 8      | db3d56e  | what was popular within windows of days                       |
| 9      | 51d854d  | how many items have behaviour, beside how many there are      |
| 10     | 2fcb03a  | what items that came after training are known by              |
| 11     | this one | how many bought an item before each window                    |

It takes whatever the builders of that commit's tests are called, and changes nothing by hand. A new
format is a new row, a new folder, and no change of the folders that are there.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from recsys.core.behaviour import StoredUser
from recsys.core.repurchases import UserRepurchases
from recsys.stores.model_files import ModelFiles
from recsys.stores.redis.byte_runs import join
from recsys.stores.redis.user_record import record_parts
from tests import builders

VERSION = "20260101T000000Z-aaaaaaaa"


def builder(*names: str):  # of whichever commit
    return next(getattr(builders, name) for name in names if hasattr(builders, name))


def main() -> None:
    folder = Path(sys.argv[1])
    history = builders.a_history([1, 2], [1.5, 0.5])
    items = builder("an_item_model", "an_item_side")(n=6, k=3)
    users = builder("a_user_model", "a_user_side")([history])
    repurchases = builders.repurchases([(1, 3, 10, 30)])
    users = replace(users, repurchases=UserRepurchases(np.array([0, 1]), repurchases))
    ModelFiles(folder).save(builders.a_manifest(VERSION), items, users)
    listed = StoredUser(np.array([3, 5], np.int32), np.array([2.0, 1.0], np.float32), history)
    listed = replace(listed, repurchases=repurchases)
    batch = builder("a_user_batch", "a_user_block")({"u0": listed})
    (folder / "user.record").write_bytes(join(record_parts(batch))[0].tobytes())


if __name__ == "__main__":
    main()
