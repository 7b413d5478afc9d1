"""A browser without JavaScript: cookies, forms, redirects."""

import asyncio
from collections.abc import Mapping

import httpx
from starlette.types import ASGIApp


class Browser:
    """Calls an application on a given loop, from an address of its own."""

    def __init__(self, app: ASGIApp, runner: asyncio.Runner, address: str = "127.0.0.1") -> None:
        self._runner = runner
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app, client=(address, 1)),
            base_url="http://shop.example",
            follow_redirects=True,
        )

    @property
    def cookies(self) -> httpx.Cookies:
        return self._client.cookies

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self._runner.run(self._client.get(path, headers=headers))

    def send(self, method: str, path: str, body: bytes = b"") -> httpx.Response:
        return self._runner.run(self._client.request(method, path, content=body))

    def post(self, path: str, form: Mapping[str, str], follow: bool = True) -> httpx.Response:
        return self._runner.run(self._client.post(path, data=form, follow_redirects=follow))

    def close(self) -> None:
        self._runner.run(self._client.aclose())
