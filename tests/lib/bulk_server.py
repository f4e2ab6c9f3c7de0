"""A FHIR server that exports in bulk, written from the guides, for tests: it checks what a client must do and can be told to misbehave."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

CLIENT = "tellapart-tests"


@dataclass
class Server:
    """What the server holds, how it behaves, and what it was asked.

    Attributes:
        files: manifest section and type to the lines of each file.
        key: the client's key pair; the server looks at the public half.
        busy: how often it says that the export is under way.
        pages: give the list of files in so many parts.
        token_uses: after so many requests a token is no longer taken.
        break_off: names of files whose first delivery breaks off.
        busy_first: paths that answer 503 once.
        post_only: take a kick-off by POST alone.
        asked: every request: method and path.
        tokens: scope of each token given.
    """

    files: dict[tuple[str, str], list[list[str]]]
    key: Any = field(default_factory=lambda: ECKey.generate_key("P-384", private=True, auto_kid=True))
    busy: int = 2
    pages: int = 1
    token_uses: int = 1000
    break_off: set[str] = field(default_factory=set)
    busy_first: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    post_only: bool = False
    wrong_count: bool = False
    scopes: tuple[str, ...] = ("system/*.rs",)
    asked: list[tuple[str, str]] = field(default_factory=list)
    kick_offs: list[dict[str, Any]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    uses: int = 0
    let_go: bool = False
    url: str = ""

    def client(self) -> dict[str, Any]:
        return {"client_id": CLIENT, "jwk": self.key.as_dict(private=True)}

    def times(self, path: str) -> int:
        return sum(path in asked for _, asked in self.asked)

    def listed(self) -> list[tuple[str, dict[str, Any]]]:
        """Section and entry of every file."""
        made = []
        for (section, kind), parts in self.files.items():
            for n, lines in enumerate(parts):
                count = len(lines) + self.wrong_count
                made.append((section, {"type": kind, "url": f"{self.url}/file/{section}/{kind}/{n}", "count": count}))
        return made


class Handler(BaseHTTPRequestHandler):
    server: Any
    protocol_version = "HTTP/1.1"

    @property
    def world(self) -> Server:
        return self.server.world  # type: ignore[no-any-return]

    def log_message(self, format: str, *arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def do_DELETE(self) -> None:
        self._answer("DELETE")

    def _answer(self, method: str) -> None:
        world, place = self.world, urlsplit(self.path)
        world.asked.append((method, place.path))
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if place.path in world.busy_first:
            world.busy_first.discard(place.path)
            return self._send(503, {}, **{"Retry-After": "3"})
        if place.path == "/fhir/.well-known/smart-configuration":
            return self._send(200, {
                "token_endpoint": f"{world.url}/token", "scopes_supported": list(world.scopes),
                "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"]})  # fmt: skip
        if place.path == "/token":
            return self._token({k: v[0] for k, v in parse_qs(body.decode()).items()})
        if not self._allowed():
            return self._send(
                401, {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "diagnostics": "no token"}]}
            )
        if place.path.endswith("$export"):
            return self._kick_off(method, place.query, body)
        if place.path.startswith("/status"):
            return self._status(method, place.path)
        if place.path.startswith("/file/"):
            return self._file(place.path)
        self._send(
            404, {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "diagnostics": "nothing here"}]}
        )

    def _token(self, form: dict[str, str]) -> None:
        world = self.world
        try:
            token = jwt.decode(form["client_assertion"], world.key, algorithms=["RS384", "ES384"])
            claims, now = token.claims, time.time()
            good = (
                form["grant_type"] == "client_credentials"
                and form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
                and claims["iss"] == claims["sub"] == CLIENT and claims["aud"] == f"{world.url}/token"
                and now < claims["exp"] <= now + 300 and claims["jti"] not in world.seen
                and token.header["kid"] == world.key.kid and token.header["typ"] == "JWT"
            )  # fmt: skip
            world.seen.add(claims["jti"])
        except (JoseError, KeyError, ValueError):
            good = False
        if not good:
            return self._send(400, {"error": "invalid_client", "error_description": "the assertion is not valid"})
        world.tokens.append(form["scope"])
        world.uses = 0
        self._send(200, {"access_token": f"t{len(world.tokens)}", "token_type": "bearer", "expires_in": 300})

    def _allowed(self) -> bool:
        world = self.world
        world.uses += 1
        return self.headers.get("authorization") == f"Bearer t{len(world.tokens)}" and world.uses <= world.token_uses

    def _kick_off(self, method: str, query: str, body: bytes) -> None:
        world = self.world
        if world.post_only and method == "GET":
            return self._send(405, {})
        assert "respond-async" in self.headers["prefer"] and self.headers["accept"] == "application/fhir+json"
        world.kick_offs.append({"query": parse_qs(query), "body": json.loads(body) if body else None})
        self._send(202, {}, **{"Content-Location": f"{world.url}/status/0"})

    def _status(self, method: str, path: str) -> None:
        world = self.world
        if method == "DELETE":
            world.let_go = True
            return self._send(202, {})
        if path in world.gone:
            return self._send(
                404, {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "diagnostics": "expired"}]}
            )
        if world.busy:
            world.busy -= 1
            return self._send(202, {}, **{"Retry-After": "2", "X-Progress": "half of it"})
        page = int(path.rsplit("/", 1)[1])
        manifest: dict[str, Any] = {"transactionTime": "2026-01-01T00:00:00Z", "request": "r", "requiresAccessToken": True,
                                    "output": [], "error": [], "deleted": []}  # fmt: skip
        for n, (section, entry) in enumerate(world.listed()):
            if n % world.pages == page:
                manifest[section].append(entry)
        if page + 1 < world.pages:
            manifest["link"] = [{"relation": "next", "url": f"{world.url}/status/{page + 1}"}]
        self._send(200, manifest)

    def _file(self, path: str) -> None:
        world = self.world
        if path in world.gone:
            return self._send(404, {})
        _, _, section, kind, number = path.split("/")
        text = "".join(line + "\n" for line in world.files[section, kind][int(number)]).encode()
        if path in world.break_off:
            world.break_off.discard(path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text[: len(text) // 2])
            self.close_connection = True
            return
        packed = gzip.compress(text)
        self.send_response(200)
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(packed)))
        self.end_headers()
        self.wfile.write(packed)

    def _send(self, code: int, content: Any, **headers: str) -> None:
        body = json.dumps(content).encode()
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serving(world: Server) -> Iterator[Server]:
    """Run the server for a while."""
    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.world = world  # type: ignore[attr-defined]
    world.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield world
    finally:
        http.shutdown()
        http.server_close()


def rsa_key() -> RSAKey:
    return RSAKey.generate_key(2048, private=True, auto_kid=True)
