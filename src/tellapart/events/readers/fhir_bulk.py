"""A FHIR Bulk Data export fetched from a server into a folder, which is then read like any other (`audit https://... --client`).

Written from the guides: HL7 Bulk Data Access 2.0 and 3.0 (kick-off, polling, manifest, files) and SMART Backend Services 2.2
(signed assertion, access token). https://hl7.org/fhir/uv/bulkdata, https://hl7.org/fhir/smart-app-launch/backend-services.html
"""

from __future__ import annotations

import email.utils
import json
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from tellapart.errors import InputError, UsageError
from tellapart.events.readers.fhir_export import DELETED, ERRORS, STATE

if TYPE_CHECKING:
    import httpx2

Json = dict[str, Any]
SCHEMA = "tellapart.export/1"
EXPORT = "$export"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_LIVES = 240  # seconds; the guide allows five minutes at most
RENEW_BEFORE = 30  # seconds before a token ends
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0  # seconds between two questions, doubled each time, where the server names none
TRIES = 6  # of one request that fails in a way that may pass
PASSING = (408, 429, 500, 502, 503, 504)
CONNECT, READ = 30.0, 300.0  # seconds
NOT_FOUND, UNAUTHORIZED, NOT_ALLOWED, ACCEPTED = 404, 401, 405, 202


@dataclass
class Client:
    """Who asks, registered with the server beforehand.

    Attributes:
        client_id: as registered.
        key: private key as a JWK (RSA, or EC on the curve P-384); never printed, never stored.
        scope: what to ask for; by default all that may be read.
        token_endpoint: where tokens are given; by default what the server's `.well-known/smart-configuration` says.
    """

    client_id: str
    key: Any = field(repr=False)
    scope: str | None = None
    token_endpoint: str | None = None

    @property
    def algorithm(self) -> str:
        return "RS384" if self.key.key_type == "RSA" else "ES384"


def read_client(path: Path) -> Client:
    """Read a client file: JSON with `client_id`, and the private key as `jwk` (or as the first private key of `jwks`).

    Raises:
        InputError: it cannot be read, or has not what is needed; the message holds nothing of the key.
    """
    _libraries()
    from joserfc.errors import JoseError
    from joserfc.jwk import JWKRegistry

    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"--client {path}: cannot be read ({error.strerror}). Check the path.") from None
    except ValueError:
        raise InputError(f"--client {path}: this is not JSON.") from None
    keys = content.get("jwks", {}).get("keys", []) if isinstance(content, dict) else []
    private = (
        [k for k in [content.get("jwk"), *keys] if isinstance(k, dict) and "d" in k]
        if isinstance(content, dict)
        else []
    )
    if not private or not content.get("client_id"):
        raise InputError(
            f'--client {path}: expected {{"client_id": "...", "jwk": {{...}}}} with the private key (RSA, or EC P-384) as a JWK.'
        )
    try:
        key = JWKRegistry.import_key(private[0])
    except (JoseError, ValueError, KeyError, TypeError):
        raise InputError(f"--client {path}: the key is no JWK. Write it again with a tool for JSON Web Keys.") from None
    if key.key_type != "RSA" and private[0].get("crv") != "P-384":
        raise InputError(
            f"--client {path}: the key is neither RSA nor EC on the curve P-384, the two kinds that the guide names."
        )
    return Client(str(content["client_id"]), key, content.get("scope"), content.get("token_endpoint"))


def fetch(
    address: str,
    client: Client | None,
    folder: Path,
    types: list[str],
    *,
    resume: bool = False,
    tell: Callable[[str], None] = lambda text: None,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Fetch an export into `folder`.

    Args:
        address: base of a FHIR server (all its patients), a Group of it, or an `$export` of your own with parameters.
        client: None for a server that asks for no token.
        folder: made if missing; an earlier export in it is replaced, anything else refused.
        types: resource types to ask for.
        resume: go on with what an interrupted fetch had begun, if it was of the same address.
        tell: called with each thing done.

    Raises:
        UsageError: the address is none, or `folder` holds something else.
        InputError: the server cannot be reached, refuses, or breaks off.
    """
    httpx = _libraries()
    _check(address)
    state = _State(folder, address)
    if not (resume and state.load()):
        state.begin()
    with httpx.Client(timeout=httpx.Timeout(READ, connect=CONNECT), follow_redirects=True) as http:
        _Fetch(http, address, client, state, types, tell, sleep).run()


def _libraries() -> Any:
    try:
        import httpx2
        import joserfc  # noqa: F401
    except ImportError as error:
        raise UsageError(f"{error.name} is needed to ask a server: pip install 'tellapart[bulk]'") from None
    return httpx2


def _check(address: str) -> None:
    place = urlsplit(address)
    if place.scheme != "https" and place.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise UsageError(f"{address}: records and tokens travel over https only.")
    if place.username or place.password:
        raise UsageError("The address holds a password. Leave it out; name the client's key with --client.")


class _State:
    """What is known of an export, kept in its folder so that an interrupted fetch can go on."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder, self.address = folder, address
        self.file = folder / STATE
        self.status: str | None = None
        self.manifests: list[Json] = []

    def load(self) -> bool:
        """Take up an earlier fetch; False if there is none, or it was of another address."""
        try:
            kept = json.loads(self.file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        if kept.get("schema") != SCHEMA or kept.get("address") != self.address:
            return False
        self.status, self.manifests = kept["status"], kept["manifests"]
        return True

    def begin(self) -> None:
        """Make the folder ready: new, empty, or an earlier export, which goes."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if any(self.folder.iterdir()) and not self.file.exists():
                raise UsageError(f"{self.folder}: holds files that are no export's. Name another --out, or move them.")
            for held in self.folder.iterdir():
                shutil.rmtree(held) if held.is_dir() else held.unlink()
        except OSError as error:
            raise InputError(f"{self.folder}: cannot be used ({error.strerror}).") from error
        self.save()

    def save(self) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        part = self.file.with_suffix(".part")
        kept = {"schema": SCHEMA, "address": self.address, "status": self.status, "manifests": self.manifests}
        part.write_text(json.dumps(kept, indent=2), encoding="utf-8")
        part.replace(self.file)

    @property
    def whole(self) -> bool:
        """Is the list of files known to its end?"""
        return bool(self.manifests) and _next(self.manifests[-1]) is None

    def files(self) -> Iterator[tuple[Json, Path, bool]]:
        """Every file of the export: its entry, where it is kept, whether it asks for a token."""
        for name, place in (
            ("output", self.folder),
            ("deleted", self.folder / DELETED),
            ("error", self.folder / ERRORS),
        ):
            number: dict[str, int] = {}
            for manifest in self.manifests:
                for entry in manifest.get(name) or (manifest.get("outcome") if name == "error" else None) or []:
                    kind = "".join(c for c in str(entry.get("type", "resources")) if c.isalnum()) or "resources"
                    number[kind] = number.get(kind, 0) + 1
                    yield entry, place / f"{kind}.{number[kind]:04d}.ndjson", bool(manifest.get("requiresAccessToken"))


class _Fetch:
    """One fetch: kick-off, polling, files."""

    def __init__(
        self, http: httpx2.Client, address: str, client: Client | None, state: _State, types: list[str],
        tell: Callable[[str], None], sleep: Callable[[float], None],
    ) -> None:  # fmt: skip
        self.http, self.client, self.state, self.types, self.tell, self.sleep = http, client, state, types, tell, sleep
        path, _, self.query = address.partition("?")
        path = path.rstrip("/")
        asked = path.removesuffix(f"/{EXPORT}")
        self.base = asked.partition("/Group/")[0].removesuffix("/Patient")
        self.export = (
            path if path.endswith(EXPORT) else f"{path}/{EXPORT}" if asked != self.base else f"{path}/Patient/{EXPORT}"
        )
        self.server = urlsplit(address).hostname
        self.token: tuple[str, float] | None = None

    def run(self) -> None:
        if self.state.status is None and not self.state.whole:
            self.state.status = self._kick_off()
            self.state.save()
        while not self.state.whole:
            self._manifest()
        files = list(self.state.files())
        for number, (entry, place, guarded) in enumerate(files, 1):
            if not place.exists():
                self._file(entry, place, guarded)
                self.tell(f"file {number} of {len(files)}: {place.name}")
        if self.state.status:
            self._let_go(self.state.status)
            self.state.status = None
            self.state.save()

    # --- asking -------------------------------------------------------------------------------------------------------

    def _kick_off(self) -> str:
        """Begin the export; where to ask how far it is."""
        parameters = {} if self.query else {"_type": ",".join(self.types), "_outputFormat": "application/fhir+ndjson"}
        asked = self.export + (f"?{self.query}" if self.query else "")
        headers = {"Prefer": "respond-async, handling=lenient"}
        answer = self._ask("GET", asked, headers=headers, params=parameters or None)
        if answer.status_code == NOT_ALLOWED:  # 4.0 takes parameters by POST alone
            body = {
                "resourceType": "Parameters",
                "parameter": [{"name": k, "valueString": v} for k, v in parameters.items()],
            }
            answer = self._ask("POST", asked, headers=headers, json=body)
        if answer.status_code != ACCEPTED or "content-location" not in answer.headers:
            raise self._refused(
                answer, "did not begin an export", "Check the address and what the client is allowed to read."
            )
        self.tell("export begun")
        return urljoin(asked, answer.headers["content-location"])

    def _manifest(self) -> None:
        """Wait for the list of files, or for its next page."""
        where = (_next(self.state.manifests[-1]) if self.state.manifests else None) or self.state.status
        wait = FIRST_WAIT
        while True:
            answer = self._ask("GET", str(where), headers={"Accept": "application/json"})
            if answer.status_code != ACCEPTED:
                break
            self.tell(f"export under way {answer.headers.get('x-progress', '')}".rstrip())
            self.sleep(_told_to_wait(answer) or wait)
            wait = min(wait * 2, LONGEST_WAIT)
        if answer.status_code == NOT_FOUND:
            self.state.begin()
            raise self._refused(answer, "no longer knows the export", "Run it again without --resume.")
        if answer.status_code != 200:
            raise self._refused(answer, "broke the export off", "Run it again; if it goes on, ask who runs the server.")
        try:
            manifest = answer.json()
            assert isinstance(manifest["output"], list)
        except (ValueError, KeyError, TypeError, AssertionError):
            raise self._refused(answer, "sent no list of files", "Ask who runs the server.") from None
        self.state.manifests.append(manifest)
        self.state.save()

    def _file(self, entry: Json, place: Path, guarded: bool) -> None:
        """Fetch one file; under its name only when it is whole."""
        place.parent.mkdir(parents=True, exist_ok=True)
        part = place.with_suffix(".part")
        url = urljoin(f"{self.base}/", str(entry.get("url", "")))
        import httpx2

        _check(url)
        renewed = False
        for attempt in range(TRIES):
            try:
                with self.http.stream(
                    "GET", url, headers=self._headers(guarded) | {"Accept": "application/fhir+ndjson"}
                ) as answer:
                    if answer.status_code == 200:
                        lines = _write(answer, part)
                        self._count(entry, lines, place)
                        part.replace(place)
                        return
                    answer.read()
                    if answer.status_code == UNAUTHORIZED and guarded and self.token and not renewed:
                        self.token, renewed = None, True
                        continue
                    if answer.status_code not in PASSING:
                        raise self._refused(
                            answer,
                            f"did not give {place.name}",
                            "Links end after a while: run it again without --resume.",
                        )
                    self._pause(attempt, answer)
            except httpx2.HTTPError as error:
                self._pause(attempt, error)
            except OSError as error:
                raise InputError(
                    f"{part}: cannot be written ({error.strerror}). Free space; then go on with --resume."
                ) from error
        raise InputError(f"{self.server}: {place.name} broke off {TRIES} times. Go on later with --resume.")

    def _count(self, entry: Json, lines: int, place: Path) -> None:
        told = entry.get("count")
        if isinstance(told, int) and told != lines:
            raise InputError(
                f"{self.server}: {place.name} has {lines} rows where the server's list says {told}. Run it again; if it stays so, "
                "ask who runs the server."
            )

    def _let_go(self, status: str) -> None:
        """Tell the server that it may delete the files. Whatever it says, they are here."""
        import httpx2

        with suppress(httpx2.HTTPError, InputError):
            self.http.request("DELETE", status, headers=self._headers(True))

    def _ask(self, method: str, url: str, headers: dict[str, str], **more: Any) -> httpx2.Response:
        """One request, again after a pause where it may pass; with a new token where the old one is not taken."""
        import httpx2

        _check(url)
        renewed = False
        for attempt in range(TRIES):
            try:
                sent = {"Accept": "application/fhir+json"} | self._headers(True) | headers
                answer = self.http.request(method, url, headers=sent, **more)
            except httpx2.HTTPError as error:
                trouble = error
                self._pause(attempt, error)
                continue
            if answer.status_code == UNAUTHORIZED and self.token and not renewed:
                self.token, renewed = None, True
            elif answer.status_code in PASSING and attempt < TRIES - 1:
                self._pause(attempt, answer)
            else:
                return answer
        raise InputError(
            f"{self.server}: cannot be reached ({_words(trouble)}). Check the address and the network; then --resume."
        )

    def _pause(self, attempt: int, why: httpx2.Response | Exception) -> None:
        if attempt == TRIES - 1:
            return
        told = None if isinstance(why, Exception) else _told_to_wait(why)
        self.sleep(told or min(FIRST_WAIT * 2**attempt, LONGEST_WAIT))

    # --- who asks -----------------------------------------------------------------------------------------------------

    def _headers(self, guarded: bool) -> dict[str, str]:
        """The access token where the request asks for one; links to files elsewhere must not see it."""
        if self.client is None or not guarded:
            return {}
        if self.token is None or self.token[1] < time.time():
            self.token = self._new_token(self.client)
        return {"Authorization": f"Bearer {self.token[0]}"}

    def _new_token(self, client: Client) -> tuple[str, float]:
        from joserfc import jwt

        configuration = self._configuration()
        endpoint = client.token_endpoint or configuration.get("token_endpoint")
        if not endpoint:
            raise InputError(
                f"{self.server}: does not say where tokens are given (.well-known/smart-configuration). Put token_endpoint into the "
                "client file."
            )
        _check(str(endpoint))
        takes = configuration.get("token_endpoint_auth_signing_alg_values_supported") or [client.algorithm]
        if client.algorithm not in takes:
            raise InputError(
                f"{self.server}: takes keys for {', '.join(takes)}, not {client.algorithm}. Register a key of that kind."
            )
        now = int(time.time())
        claims = {"iss": client.client_id, "sub": client.client_id, "aud": endpoint, "exp": now + ASSERTION_LIVES, "iat": now,
                  "jti": str(uuid.uuid4())}  # fmt: skip
        header = {"alg": client.algorithm, "typ": "JWT"} | ({"kid": client.key.kid} if client.key.kid else {})
        supported = configuration.get("scopes_supported") or []
        by_default = (
            "system/*.read" if "system/*.read" in supported and "system/*.rs" not in supported else "system/*.rs"
        )
        answer = self._form(str(endpoint), {
            "grant_type": "client_credentials", "scope": client.scope or by_default, "client_assertion_type": ASSERTION,
            "client_assertion": jwt.encode(header, claims, client.key, algorithms=[client.algorithm]),
        })  # fmt: skip
        if answer.status_code != 200:
            raise self._refused(
                answer, "refused the client", "Check client_id, and that the public key is registered there."
            )
        try:
            given = answer.json()
            return str(given["access_token"]), time.time() + float(
                given.get("expires_in", ASSERTION_LIVES)
            ) - RENEW_BEFORE
        except (ValueError, KeyError, TypeError):
            raise self._refused(answer, "sent no token", "Ask who runs the server.") from None

    def _form(self, endpoint: str, form: dict[str, str]) -> httpx2.Response:
        import httpx2

        try:
            return self.http.post(endpoint, data=form, headers={"Accept": "application/json"})
        except httpx2.HTTPError as error:
            raise InputError(f"{urlsplit(endpoint).hostname}: cannot be reached ({_words(error)}).") from None

    def _configuration(self) -> Json:
        import httpx2

        try:
            answer = self.http.get(
                f"{self.base}/.well-known/smart-configuration", headers={"Accept": "application/json"}
            )
            content = answer.json() if answer.status_code == 200 else {}
        except httpx2.HTTPError as error:
            raise InputError(
                f"{self.server}: cannot be reached ({_words(error)}). Check the address and the network."
            ) from None
        except ValueError:
            content = {}
        return content if isinstance(content, dict) else {}

    def _refused(self, answer: httpx2.Response, what: str, advice: str) -> InputError:
        return InputError(f"{self.server}: {what} ({answer.status_code}{_outcome(answer)}). {advice}")


def _next(manifest: Json) -> str | None:
    """The next page of the list of files, where the server gives it in parts."""
    for link in manifest.get("link") or []:
        if link.get("relation") == "next" and link.get("url"):
            return str(link["url"])
    return None


def _write(answer: httpx2.Response, part: Path) -> int:
    """Write a body to a file; how many lines hold something."""
    lines, filled = 0, False
    with part.open("wb") as out:
        for piece in answer.iter_bytes():
            out.write(piece)
            for n, line in enumerate(piece.split(b"\n")):
                lines, filled = (lines + filled, False) if n else (lines, filled)
                filled = filled or bool(line.strip())
    return lines + filled


def _told_to_wait(answer: httpx2.Response) -> float | None:
    """Seconds of Retry-After, which is a number or a date."""
    told = answer.headers.get("retry-after", "")
    if told.isdigit():
        return float(told)
    try:
        return max(email.utils.parsedate_to_datetime(told).timestamp() - time.time(), 0.0) if told else None
    except ValueError:
        return None


def _outcome(answer: httpx2.Response) -> str:
    """What the server says of it, from an OperationOutcome or an OAuth error."""
    try:
        content = answer.json()
        issues = content.get("issue") or [{}]
        told = (
            issues[0].get("diagnostics")
            or (issues[0].get("details") or {}).get("text")
            or content.get("error_description")
        )
        told = told or content.get("error")
    except (ValueError, AttributeError, IndexError, TypeError):
        told = None
    return f": {' '.join(str(told).split())[:200]}" if told else ""


def _words(error: Exception) -> str:
    return str(error).split("\n", 1)[0] or type(error).__name__
