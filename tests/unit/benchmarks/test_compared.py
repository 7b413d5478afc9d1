"""Another way to balance, beside the one that is shipped."""

from pathlib import Path

import pytest

from benchmarks.serving.compared import choose
from infra.local.settings import REPOSITORY


def test_all_else_stays_as_it_is_shipped(tmp_path: Path) -> None:
    shipped = (REPOSITORY / "infra" / "haproxy" / "haproxy.cfg").read_text(encoding="utf-8")
    config = tmp_path / "haproxy.cfg"
    config.write_text(shipped, encoding="utf-8")

    choose(config, "roundrobin")

    found = config.read_text(encoding="utf-8").splitlines()
    changed = [
        (before.strip(), after.strip())
        for before, after in zip(shipped.splitlines(), found, strict=True)
        if before != after
    ]
    assert changed == [("balance leastconn", "balance roundrobin")]


def test_a_configuration_that_balances_otherwise_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "haproxy.cfg"
    config.write_text("backend gateways\n    balance random\n", encoding="utf-8")

    with pytest.raises(SystemExit, match="does not say once"):
        choose(config, "roundrobin")
