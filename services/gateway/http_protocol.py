"""Answers that uvicorn gives by itself, in the form of the gateway's problems."""

from http import HTTPStatus

from services.gateway.problems import BAD_REQUEST, ProblemError, problem_response
from services.gateway.request_context import HEADER, request_id_of
from services.gateway.write_coalescing import CoalescingProtocol


class GatewayProtocol(CoalescingProtocol):
    """HTTP/1.1 and nothing else."""

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP. Of a head that cannot be read, no path is known."""
        request_id = request_id_of("")
        problem = ProblemError(
            BAD_REQUEST, msg, headers={HEADER: request_id, "Connection": "close"}
        )
        answer = problem_response(problem, instance="", request_id=request_id)
        status = HTTPStatus(answer.status_code)
        head = [f"HTTP/1.1 {status.value} {status.phrase}".encode()]
        head += [name + b": " + value for name, value in answer.raw_headers]
        self.transport.write(b"\r\n".join([*head, b"", bytes(answer.body)]))
        self.transport.close()

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: HTTP lets a server ignore an upgrade (RFC 9110, 7.8)."""
