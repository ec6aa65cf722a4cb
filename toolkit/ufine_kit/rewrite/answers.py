"""What an answer of a model amounts to: a text, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ufine_kit.adapters.openai_api import Reply, message_of

# answered: there are words. cut: the token limit ended them. empty: none came. poison: the server refuses this row for good.
# broken: the server failed at this row again and again while it answered others.
Status = Literal["answered", "cut", "empty", "poison", "broken"]


@dataclass(frozen=True)
class Answer:
    """The text of one reply, raw, and how it ended."""

    status: Status
    raw_text: str
    finish_reason: str | None
    tokens: int | None
    fingerprint: str | None
    fault: str = ""


def read_answer(reply: Reply) -> Answer:
    """An answer from a reply with status 200. A reply without words is `empty`: some servers put all of it into `reasoning`."""
    choices = reply.body.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    message = choice.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    finish = choice.get("finish_reason")
    # Half a surrogate pair is valid in JSON and in no file.
    text = content.encode("utf-8", "replace").decode() if isinstance(content, str) else ""
    status: Status = "cut" if finish == "length" else "answered" if text.strip() else "empty"
    return Answer(status, text, finish if isinstance(finish, str) else None, _tokens(reply.body), _print(reply.body))


def is_answer(reply: Reply) -> bool:
    """Whether a reply has the form of a chat answer: a proxy's own page or a wrapped error is a fault, not silence."""
    return reply.status == 200 and isinstance(reply.body.get("choices"), list)


def refused(reply: Reply) -> Answer:
    """An answer for a row that the server will never take (400, 413, 422)."""
    return Answer("poison", "", None, None, None, f"{reply.status}: {message_of(reply.body)}")


def broken(reply: Reply) -> Answer:
    """An answer for a row at which the server fails while it answers others."""
    return Answer("broken", "", None, None, None, reply.fault or f"{reply.status}: {message_of(reply.body)}")


def _tokens(body: Mapping[str, Any]) -> int | None:
    usage = body.get("usage")
    found = usage.get("completion_tokens") if isinstance(usage, dict) else None
    return found if isinstance(found, int) else None


def _print(body: Mapping[str, Any]) -> str | None:
    found = body.get("system_fingerprint")
    return found if isinstance(found, str) else None
