"""The line to a Label Studio server: authorisation, patience, bounds, faults in one sentence; it does not know what is asked.

A question (GET) is repeated while the server is away; what writes goes out once, and an answer that is lost is told as such.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from ufine_kit.errors import KitError, need

# A page of tasks with their pictures inside is some tens of megabytes; more is a broken or hostile server.
MOST_BYTES = 128 * 1024 * 1024
PASSING = frozenset({429, 500, 502, 503, 504})
# A personal token's short-lived companion lasts five minutes; it is renewed well before.
RENEW_SECONDS = 240.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.25, 10.0
# What a server may need to take 500 tasks with their pictures inside.
WRITE_SECONDS = 300.0
# How long an answer may take from its first byte to its last: a page comes whole in seconds, and nobody may hold us for ever.
ANSWER_SECONDS = 300.0
LOOPBACK = ("localhost", "127.0.0.1", "::1")
LOST = "look at the server's log, then run the same command again: it finds out what arrived"


class NotThere(KitError):
    """The server answers 404: what was asked for is gone, or not this token's to see."""


class LostAnswer(KitError):
    """Something was sent to be written and no answer came: it may have been done or not."""


class TooLarge(KitError):
    """An answer is larger than any that is taken."""


@dataclass(frozen=True)
class Answer:
    """What came back whole."""

    status: int
    kind: str
    body: bytes

    def json(self) -> Any:
        """The value of the body. Raises KitError where it is no JSON."""
        try:
            return json.loads(self.body, parse_constant=lambda _: None)  # NaN could be written nowhere
        except (ValueError, RecursionError):
            raise KitError(
                "the answer is not Label Studio's", "look at UFINE_LS_URL: another program answers there"
            ) from None


class Line:
    """One server and one token. Both kinds of token: the old one is sent as it is, a personal one is exchanged first.

    `patience_seconds` bounds how long a question is repeated; `most_bytes` is the largest answer taken. The token goes to this
    server's address alone and stands in no message. Raises KitError for an address or a token that can be none.
    """

    def __init__(self, url: str, token: str, patience_seconds: float = 90.0, most_bytes: int = MOST_BYTES) -> None:
        self._httpx: Any = need("httpx", "campaign")
        self.url = _address(url)
        self._token = token.strip()
        if not self._token or not self._token.isascii() or not self._token.isprintable():
            raise KitError("LABEL_STUDIO_API_KEY is no token", "copy it from the account page of Label Studio")
        self.patience_seconds, self.most_bytes = patience_seconds, most_bytes
        self.clock: str | None = None  # the server's own time, as of its last answer
        self._personal = _is_personal(self._token)
        self._access, self._renew_at, self._answered = "", 0.0, False
        self._client: Any = self._opened(self.url)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _opened(self, url: str) -> Any:
        parts = urlsplit(url)
        return self._httpx.Client(
            timeout=self._httpx.Timeout(60.0, connect=10.0),
            trust_env=parts.hostname not in LOOPBACK,  # a proxy of the company knows no loopback
            verify=parts.scheme == "https",  # loading certificates takes longer than a request to loopback
        )

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Answer:
        """Ask. What may pass is asked again with growing pauses, for `patience_seconds` at most."""
        return self._patiently(lambda: self._told(self._once("GET", path, params=params), path))

    def look(self, path: str) -> Answer:
        """Ask once and give whatever came, also a refusal. An address of another host is asked without the token."""
        try:
            if not path.startswith(("http://", "https://")) or _origin(path) == _origin(self.url):
                return self._once("GET", path)
            with self._opened(path) as elsewhere:
                return self._exchange("GET", path, {}, client=elsewhere)
        except (self._httpx.RequestError, self._httpx.InvalidURL) as error:
            return Answer(0, type(error).__name__, b"")
        except _Passing as passing:  # the token could not be exchanged
            return Answer(passing.status, "", b"")

    def write(self, verb: str, path: str, **content: Any) -> Answer:
        """Send something to be written, once. Only what surely never arrived (no connection) is tried again.

        Raises LostAnswer where it may have been done although no good answer came.
        """

        def act() -> Answer:
            try:
                answer = self._once(verb, path, timeout=WRITE_SECONDS, **content)
            except (self._httpx.ConnectError, self._httpx.ConnectTimeout):
                raise
            except self._httpx.RequestError as error:
                raise LostAnswer(f"no answer to `{verb} {path}` ({type(error).__name__})", LOST) from None
            if answer.status >= 500 or answer.status == 408:
                raise LostAnswer(f"the server answers {answer.status} to `{verb} {path}`", LOST)
            return self._told(answer, path)

        return self._patiently(act)

    def _patiently(self, act: Callable[[], Answer]) -> Answer:
        # Who never answered yet is most likely not there at all.
        until = time.monotonic() + (self.patience_seconds if self._answered else min(self.patience_seconds, 3.0))
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                return act()
            except self._httpx.RequestError as error:
                fault = KitError(f"no Label Studio answers at `{self.url}` ({type(error).__name__})", _start(self.url))
            except _Passing as passing:
                fault = KitError(f"the server keeps answering {passing.status} to `{passing.path}`", LOST)
            if time.monotonic() + pause > until:
                raise fault
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def _once(self, verb: str, path: str, **rest: Any) -> Answer:
        answer = self._exchange(verb, path, {"Authorization": self._authorisation()}, **rest)
        if answer.status == 401 and self._access:
            self._access = ""  # it ended early: the server was started anew
            answer = self._exchange(verb, path, {"Authorization": self._authorisation()}, **rest)
        return answer

    def _exchange(self, verb: str, path: str, headers: dict[str, str], client: Any = None, **rest: Any) -> Answer:
        self._client.cookies.clear()  # a session beside the token would ask for more
        url = path if path.startswith(("http://", "https://")) else self.url + path
        body, until = bytearray(), time.monotonic() + ANSWER_SECONDS + rest.get("timeout", 0.0)
        with (client or self._client).stream(verb, url, headers=headers, **rest) as response:
            for piece in response.iter_bytes():
                body += piece
                if time.monotonic() > until:
                    raise self._httpx.ReadTimeout("the answer comes in drops")
                if len(body) > self.most_bytes:
                    raise TooLarge(
                        f"an answer of more than {self.most_bytes >> 20} MiB to `{path}`", "ask for less: smaller pages"
                    )
            self._answered = True
            self.clock = _time(response.headers.get("Date")) or self.clock
            return Answer(response.status_code, response.headers.get("Content-Type", ""), bytes(body))

    def _authorisation(self) -> str:
        if not self._personal:
            return f"Token {self._token}"
        if not self._access or time.monotonic() >= self._renew_at:
            answer = self._exchange("POST", "/api/token/refresh/", {}, json={"refresh": self._token})
            access = self._told(answer, "/api/token/refresh/").json().get("access")
            if not isinstance(access, str):
                raise KitError("the server gives no access for this token", "make a new one on the account page")
            self._access, self._renew_at = access, time.monotonic() + RENEW_SECONDS
        return f"Bearer {self._access}"

    def _told(self, answer: Answer, path: str) -> Answer:
        """The answer where it is a good one; else what is wrong with it, in one line."""
        if answer.status in PASSING:
            raise _Passing(answer.status, path)
        if answer.status < 300:
            return answer
        words = self._words(answer)
        if answer.status == 401 and "legacy" in words:
            raise KitError(
                f"`{self.url}` takes no legacy tokens (401)",
                "set LABEL_STUDIO_API_KEY to a personal access token, or allow legacy tokens in the organisation's settings",
            )
        if answer.status in (401, 403):
            raise KitError(
                f"`{self.url}` does not take this token ({answer.status}): {words}",
                "set LABEL_STUDIO_API_KEY to a token of the account page",
            )
        if answer.status == 404:
            raise NotThere(f"`{path}` is not there on `{self.url}` (404)", "see `ufine-kit campaign status`")
        if answer.status < 400:
            raise KitError(
                f"`{self.url}` sends elsewhere ({answer.status})", "set UFINE_LS_URL to the address it sends to"
            )
        raise KitError(f"the server refuses `{path}` ({answer.status}): {words}", "mend what it says, then run again")

    def _words(self, answer: Answer) -> str:
        """The server's own words in one short line, without any token."""
        try:
            body = json.loads(answer.body)
        except (ValueError, RecursionError):
            return "no reason given"
        said = (body.get("validation_errors") or body.get("detail") or body) if isinstance(body, dict) else body
        words = " ".join(str(said).split())
        for secret in (self._token, self._access):
            words = words.replace(secret, "***") if secret else words
        return words[:300]


class _Passing(Exception):
    def __init__(self, status: int, path: str) -> None:
        super().__init__(status)
        self.status, self.path = status, path


def _address(url: str) -> str:
    mend = "set UFINE_LS_URL to the address alone, like http://127.0.0.1:8080"
    try:
        parts = urlsplit(url.strip())
        whole = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # brackets that do not close, a port that is no number
        raise KitError("UFINE_LS_URL is no server's address", mend) from None
    if not whole or "@" in parts.netloc or parts.query or parts.fragment or len(url.split()) != 1:
        raise KitError(f"`{parts.scheme}://{parts.hostname or ''}` is no server's address", mend)
    return url.strip().rstrip("/")


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _is_personal(token: str) -> bool:
    """Whether a token is a JWT: three parts, the first a JSON object in base64."""
    head, dot, rest = token.partition(".")
    if not dot or rest.count(".") != 1:
        return False
    try:
        return isinstance(json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4))), dict)
    except ValueError:
        return False


def _time(header: str | None) -> str | None:
    try:
        moment = parsedate_to_datetime(header) if header else None
    except ValueError:
        return None
    zoned = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC) if moment else None
    return zoned.strftime("%Y-%m-%dT%H:%M:%S.000000Z") if zoned else None


def _start(url: str) -> str:
    local = urlsplit(url).hostname in LOOPBACK
    return (
        "ufine-kit campaign serve" if local else "look at the network and UFINE_LS_URL; then run the same command again"
    )
