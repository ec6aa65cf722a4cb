"""A `label-studio` command for tests of its start and end: the same command line, tables and health page in one script."""

from __future__ import annotations

import os
import signal
import sys
import textwrap
import time
from pathlib import Path

from ufine_kit.adapters import detached

SCRIPT = """\
    #!{python} -S
    import os, pathlib, sqlite3, sys

    mode = pathlib.Path(__file__).with_name("mode").read_text()
    words = sys.argv[1:]
    data = pathlib.Path(words[words.index("--data-dir") + 1])
    tables = sqlite3.connect(data / "label_studio.sqlite3", check_same_thread=False)
    tables.executescript(
        "CREATE TABLE IF NOT EXISTS htx_user (id INTEGER PRIMARY KEY, email TEXT, password TEXT, is_superuser INTEGER);"
        "CREATE TABLE IF NOT EXISTS authtoken_token (key TEXT, user_id INTEGER);"
    )
    if not (data / ".env").exists():
        (data / ".env").write_text("SECRET_KEY=" + os.urandom(8).hex())
    if words[0] == "version":
        print("no space left on the device", flush=True)
        sys.exit(3 if mode == "cannot migrate" else 0)
    if words[0] == "reset_password":
        tables.execute("UPDATE htx_user SET password = ?", (sys.stdin.readline().strip(),))
        tables.commit()
        print("Password successfully changed")
        sys.exit()
    import http.server, signal, subprocess

    if os.environ.get("LABEL_STUDIO_USERNAME"):
        tables.execute("INSERT INTO htx_user VALUES (1, ?, 'hash', 1)", (os.environ["LABEL_STUDIO_USERNAME"],))
        tables.execute("INSERT INTO authtoken_token VALUES (?, 1)", (os.environ["LABEL_STUDIO_USER_TOKEN"],))
        tables.commit()
    (data / "environment").write_text(repr(dict(os.environ)))
    if mode == "dies":
        sys.exit("the tables cannot be read")
    if mode == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    class Pages(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            known = tables.execute("SELECT key FROM authtoken_token").fetchone()
            open_to_all = self.path == "/health"
            allowed = open_to_all or self.headers["Authorization"] == "Token " + known[0]
            self.send_response(200 if allowed and mode != "refuses" or open_to_all else 401)
            self.end_headers()
            self.wfile.write(b'{{"invite_url": "/user/signup/?token=of-the-invite"}}')

    host, port = words[words.index("--internal-host") + 1], int(words[words.index("-p") + 1])
    if mode in ("has a child", "has a deaf child"):
        signal.signal(signal.SIGTERM, signal.SIG_DFL if mode == "has a child" else signal.SIG_IGN)  # a child has it too
        child = subprocess.Popen(["sleep", "300"])
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        (data / "child").write_text(str(child.pid))
    if mode == "wide":
        host = "0.0.0.0"
    moves = pathlib.Path(__file__).with_name("moves")
    if mode == "moves" and not moves.exists():  # another program was faster: it answers there, this one goes to the next
        moves.touch()
        other = subprocess.Popen([sys.executable, "-m", "http.server", str(port), "--bind", host, "-d", str(data.parent)])
        (data.parent / "health").touch()
        (data.parent.parent / "other").write_text(str(other.pid))
        port += 1
    http.server.ThreadingHTTPServer((host, port), Pages).serve_forever()
"""


def stub(folder: Path, version: str = "9.9.9", mode: str = "") -> Path:
    """Write the command, with the folder of an environment around it. `mode` is the fault it has."""
    places = [folder / "bin", folder / f"lib/python3.11/site-packages/label_studio-{version}.dist-info"]
    for place in places:
        place.mkdir(parents=True, exist_ok=True)
    binary = folder / "bin" / "label-studio"
    binary.write_text(textwrap.dedent(SCRIPT.format(python=sys.executable)))
    binary.chmod(0o755)
    behave(binary, mode)
    return binary


def behave(binary: Path, mode: str) -> None:
    """Change its fault from the next start on."""
    (binary.parent / "mode").write_text(mode)


def kill(pid: int) -> None:
    """Pull the plug of a server, and wait until it is gone."""
    os.killpg(pid, signal.SIGKILL)
    end = time.monotonic() + 60
    while detached.birth(pid) and time.monotonic() < end:
        time.sleep(0.01)
