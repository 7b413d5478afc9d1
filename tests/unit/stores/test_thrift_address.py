import pytest

from recsys.core.errors import ConfigurationError
from recsys.stores.hbase.address import thrift_address


@pytest.mark.parametrize("text", ["hbase:9090", "[::1]:9090"])
def test_a_server_is_named_as_everywhere(text: str) -> None:
    assert str(thrift_address(text)) == text


def test_an_ipv6_host_is_connected_to_without_its_brackets() -> None:
    assert thrift_address("[::1]:9090").host == "::1"


@pytest.mark.parametrize("text", ["", "hbase", "hbase:", ":9090", "hbase:0", "hbase:70000"])
def test_what_names_no_port_of_a_server_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="expected HOST:PORT"):
        thrift_address(text)
