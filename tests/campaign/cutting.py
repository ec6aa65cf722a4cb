"""A wire between a client and a server on loopback that can be cut after the server has done its work."""

from __future__ import annotations

import contextlib
import socket
import threading
from urllib.parse import urlsplit


class Cutting:
    """Passes everything on. The answers to the next `cut` requests that begin with `begins`, and not with `spare`, are lost."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._to = (parts.hostname, parts.port)
        self.cut = 0
        self.begins = self.spare = self._head = b""

    def __enter__(self) -> Cutting:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._pass, args=(client,), daemon=True).start()

    def _pass(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._to) as server, contextlib.suppress(OSError):
            threading.Thread(target=self._send, args=(client, server), daemon=True).start()
            while answer := server.recv(65536):
                spared = self.spare and self._head.startswith(self.spare)
                if self.cut and self._head.startswith(self.begins) and not spared:
                    self.cut -= 1
                    break
                client.sendall(answer)
            for end in (client, server):  # the other thread waits on them: closing alone would cut nothing
                end.shutdown(socket.SHUT_RDWR)

    def _send(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := client.recv(65536):
                if piece.startswith((b"GET ", b"POST ", b"PATCH ", b"DELETE ")):
                    self._head = piece
                server.sendall(piece)
            server.shutdown(socket.SHUT_RDWR)
