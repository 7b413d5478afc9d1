"""`python -m services.gateway`."""

from recsys.runtime.grpc.poller import choose_plain_poller

choose_plain_poller()

from services.gateway.main import main  # noqa: E402  # imports grpc

main()
