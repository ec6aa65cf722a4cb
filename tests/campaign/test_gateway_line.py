"""The line to a server: both kinds of token, addresses that can be none, and programs that are no Label Studio."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import pytest

from campaign.fake_server import TOKEN
from ufine_kit.adapters.label_studio import LabelStudio
from ufine_kit.adapters.label_studio_line import TooLarge
from ufine_kit.errors import KitError


def test_legacy_tokens_that_are_off_are_told_and_a_personal_one_works(studio):
    personal = studio.personal_token()
    studio.legacy_off = True
    with pytest.raises(KitError, match="takes no legacy tokens") as told:
        LabelStudio(studio.url, TOKEN).whoami()
    assert "personal access token" in told.value.mend
    server = LabelStudio(studio.url, personal)
    assert server.whoami() == 1
    assert server.create_project(title="by a personal token")["id"] == 1
    studio.access.clear()  # its companion ends early: the server was started anew
    assert server.whoami() == 1
    refreshes = [path for _, path in studio.asked if "refresh" in path]
    assert len(refreshes) == 2
    assert not [head for head in studio.heads if head and personal in head], "it is exchanged, and stands in no header"


def test_a_companion_is_renewed_before_it_ends(studio, monkeypatch):
    monkeypatch.setattr("ufine_kit.adapters.label_studio_line.RENEW_SECONDS", 0.0)
    server = LabelStudio(studio.url, studio.personal_token())
    server.whoami(), server.whoami()
    assert len([path for _, path in studio.asked if "refresh" in path]) == 2


@pytest.mark.parametrize(
    ("url", "token", "said"),
    [
        ("ftp://host", "t", "no server's address"),
        ("http://me:secret@host", "t", "no server's address"),
        ("http://host/?a=b", "t", "no server's address"),
        ("http://127.0.0.1:1", "t\nx", "no token"),
        ("http://127.0.0.1:1", " ", "no token"),
    ],
)
def test_an_address_or_token_that_can_be_none_is_refused(url, token, said):
    with pytest.raises(KitError, match=said) as told:
        LabelStudio(url, token)
    assert "secret" not in str(told.value) + told.value.mend


class Elsewhere(BaseHTTPRequestHandler):
    """Another program on the port: it sends on, talks too much, or repeats what it was told."""

    heads: ClassVar[list] = []

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.heads.append(self.headers.get("Authorization"))
        if "version" in self.path:
            self.send_response(302)
            self.send_header("Location", "http://localhost:9/")
            self.end_headers()
        elif "whoami" in self.path:
            self.send_response(403)
            self.end_headers()
            self.wfile.write(json.dumps({"detail": f"no: {self.headers['Authorization']}"}).encode())
        elif "users" in self.path:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"a": "' + b"x" * 5000 + b'"}')
        else:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>hello</html>")


@pytest.fixture
def elsewhere():
    server = HTTPServer(("127.0.0.1", 0), Elsewhere)
    Elsewhere.heads.clear()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_another_program_gets_no_further_than_one_line(elsewhere):
    server = LabelStudio(elsewhere, TOKEN, most_bytes=4096)
    with pytest.raises(KitError, match="sends elsewhere"):
        server.version()
    with pytest.raises(KitError, match="does not take this token") as told:
        server.whoami()
    assert TOKEN not in str(told.value)
    assert "***" in str(told.value)
    with pytest.raises(TooLarge):
        server.users()
    with pytest.raises(KitError, match="not Label Studio's"):
        server.project(1)


def test_the_token_goes_to_its_own_server_alone(studio, elsewhere):
    server = LabelStudio(studio.url, TOKEN)
    assert server.fetch(f"{elsewhere}/picture.jpg")[0] == 200
    assert Elsewhere.heads == [None]
    assert server.fetch("/api/projects/7/")[0] == 404
    assert server.fetch("http://127.0.0.1:1/none.jpg")[0] == 0
