"""One real Label Studio for all tests of campaigns, and the people who work on it: each with an account of their own."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from ufine_kit.adapters import label_studio_server

# Every test file of this folder says `pytestmark = MARKS`.
MARKS = [pytest.mark.full, pytest.mark.xdist_group("label_studio")]


@dataclass(frozen=True)
class Annotator:
    """A person with an account: by token as a program, by session as the browser does."""

    user_id: int
    email: str
    password: str
    token: str
    session: httpx.Client = field(repr=False)


@dataclass
class LabelStudioServer:
    """The shared server. Tests make projects of their own and take nothing for granted that others may have made."""

    url: str
    token: str
    work: Path
    admin: str
    password: str
    people: dict[str, Annotator] = field(default_factory=dict)

    @property
    def files(self) -> Path:
        """What the server may show: its document root."""
        return self.work / "label-studio" / "files"

    def annotator(self, name: str) -> Annotator:
        """The person of that name, signed up through the invite form the first time they are asked for."""
        if name not in self.people:
            self.people[name] = sign_up(label_studio_server.invite(self.work), name)
        return self.people[name]

    def asked(self, method: str, path: str, **more) -> httpx.Response:
        """A bare call as the administrator."""
        headers = {"Authorization": f"Token {self.token}"}
        return httpx.request(method, self.url + path, headers=headers, timeout=60, trust_env=False, **more)


def sign_up(link: str, name: str) -> Annotator:
    """Fill the form behind an invite link as a browser would. `name` becomes part of the address, which is of no real place."""
    base = link.partition("/user/")[0]
    session = httpx.Client(base_url=base, timeout=60, follow_redirects=False, trust_env=False)
    form = session.get(link)
    hidden = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form.text)
    assert hidden, form.text[:300]
    email, password = f"{name}@annotators.example", f"pass-word-of-{name}"
    sent = session.post(
        link,
        data={"csrfmiddlewaretoken": hidden[1], "email": email, "password": password},
        headers={"Referer": link, "Origin": base},
    )
    assert sent.status_code == 302, sent.text[:300]
    token = session.get("/api/current-user/token").json()["token"]
    user_id = session.get("/api/current-user/whoami").json()["id"]
    session.headers.update({"X-CSRFToken": session.cookies["csrftoken"], "Referer": base, "Origin": base})
    return Annotator(user_id, email, password, token, session)
