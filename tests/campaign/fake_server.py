"""A double of Label Studio on loopback: the requests that campaigns make, with the traps of the real one, and faults on demand.

What it does is held to the real server by one suite that runs against both (`gateway.py`).
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ports import free_port

TOKEN = "0123456789abcdef0123456789abcdef01234567"
FIELDS = ("id", "result", "completed_by", "updated_by", "created_at", "updated_at", "was_cancelled", "lead_time")


def jwt(kind: str, user: int) -> str:
    """A token in three parts; only its shape matters to a client."""
    parts = [{"alg": "HS256", "typ": "JWT"}, {"token_type": kind, "user": user, "at": time.time_ns()}]
    return ".".join(
        [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts] + ["c2ln"]
    )


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Refused(Exception):
    status, detail = property(lambda self: self.args[0]), property(lambda self: self.args[1])


class FakeStudio:
    """One server; `users` are number -> token. `faults` are asked in order for every request before and after it is done.

    A fault is `(verb, pattern of the path, when, how)`: `when` is `before` or `after` the write, `how` is `cut`, `500`, `503`
    or seconds to hang; each strikes once.
    """

    def __init__(self) -> None:
        self.users = {1: TOKEN}
        self.projects: dict[int, dict] = {}
        self.tasks: dict[int, dict] = {}
        self.annotations: dict[int, dict] = {}
        self.storages: list[dict] = []
        self.files: dict[int, tuple[str, bytes]] = {}
        self.faults: list[tuple[str, str, str, str | float]] = []
        self.asked: list[tuple[str, str]] = []
        self.heads: list[str | None] = []
        self.legacy_off = self.ignores_filters = False
        self.most_a_page = 10_000  # TASK_API_PAGE_SIZE_MAX of a careful administrator
        self.ahead_seconds = 0.0  # of the clock that answers are dated by, before the base's own
        self.personal: dict[str, int] = {}
        self.access: dict[str, int] = {}
        self._last_annotation = self._last_project = 0
        self._lock = threading.RLock()
        self.port = free_port()  # the same again after a stop, whoever else asks for one meanwhile

    def __enter__(self) -> FakeStudio:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen; after `stop` on the same port, with all it held."""
        studio = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.0"

            def log_message(self, *_: object) -> None:
                pass

            def _do(self) -> None:
                studio._serve(self)

            do_GET = do_POST = do_PATCH = do_DELETE = _do

        ThreadingHTTPServer.allow_reuse_address = True
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def add_user(self) -> tuple[int, str]:
        """Somebody new: number and token."""
        number = max(self.users) + 1
        self.users[number] = f"{number:040x}"
        return number, self.users[number]

    def personal_token(self, user: int = 1) -> str:
        token = jwt("refresh", user)
        self.personal[token] = user
        return token

    def _serve(self, request: Any) -> None:
        length = int(request.headers.get("Content-Length") or 0)
        body = request.rfile.read(length)
        parts = urlsplit(request.path)
        params = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        self.asked.append((request.command, request.path))
        self.heads.append(request.headers.get("Authorization"))
        if self._struck(request, "before"):
            return
        try:
            with self._lock:
                user = self._user(request.headers.get("Authorization"), parts.path)
                status, answer = self._answer(request, parts.path, params, body, user)
        except Refused as refused:
            status = refused.status
            detail = refused.detail if isinstance(refused.detail, str) else "Validation error"
            answer = {"id": "x", "status_code": status, "version": "1.23.2", "detail": detail, "exc_info": None}
            if not isinstance(refused.detail, str):
                answer["validation_errors"] = refused.detail
        if self._struck(request, "after"):
            return
        self._send(request, status, answer if isinstance(answer, bytes) else json.dumps(answer).encode())

    def _send(self, request: Any, status: int, content: bytes) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            request.send_response_only(status)
            request.send_header("Date", formatdate(time.time() + self.ahead_seconds, usegmt=True))
            request.send_header("Content-Type", "application/json")
            request.send_header("Content-Length", str(len(content)))
            request.end_headers()
            request.wfile.write(content)

    def _struck(self, request: Any, when: str) -> bool:
        for fault in self.faults:
            verb, pattern, at, how = fault
            if verb == request.command and at == when and re.search(pattern, request.path):
                self.faults.remove(fault)
                if how == "cut":
                    request.connection.close()
                elif isinstance(how, float):
                    time.sleep(how)
                    return False
                else:
                    self._send(request, int(how), b'{"detail": "Unknown error"}')
                return True
        return False

    def _user(self, head: str | None, path: str) -> int:
        kind, _, token = (head or "").partition(" ")
        if path.startswith(("/api/token/refresh", "/api/version")):
            return 0
        if kind == "Bearer" and token in self.access:
            return self.access[token]
        known = next((user for user, own in self.users.items() if own == token), None)
        if kind == "Token" and known is not None:
            if self.legacy_off:
                raise Refused(
                    401,
                    "Authentication token no longer valid: legacy token authentication has been disabled for this organization",
                )
            return known
        raise Refused(401, "Invalid token." if head else "Authentication credentials were not provided.")

    def _answer(self, request: Any, path: str, params: dict, body: bytes, user: int) -> tuple[int, Any]:
        for verb, pattern, act in ROUTES:
            found = re.fullmatch(pattern, path)
            if found and verb == request.command:
                content = json.loads(body) if body and "json" in (request.headers.get("Content-Type") or "") else body
                return act(self, user, params, content, *map(int, found.groups()))
        raise Refused(404, "Not found.")

    def _refresh(self, user: int, params: dict, body: Any) -> tuple[int, Any]:
        if body["refresh"] not in self.personal:
            raise Refused(401, "Token is invalid")
        access = jwt("access", self.personal[body["refresh"]])
        self.access[access] = self.personal[body["refresh"]]
        return 200, {"access": access}

    def _whoami(self, user: int, *_: Any) -> tuple[int, Any]:
        return 200, {"id": user, "email": f"user{user}@example.org", "first_name": "Ann"}

    def _users(self, *_: Any) -> tuple[int, Any]:
        return 200, [{"id": user, "email": f"user{user}@example.org"} for user in self.users]

    def _list_projects(self, user: int, params: dict, _: Any) -> tuple[int, Any]:
        every = sorted(self.projects.values(), key=lambda one: -one["id"])
        size, page = min(100, int(params.get("page_size", 30))), int(params.get("page", 1))
        chosen = every[(page - 1) * size : page * size]
        more = self.url if len(every) > page * size else None
        shown = [only(one, params) for one in chosen]
        return 200, {"count": len(every), "next": more, "previous": None, "results": shown}

    def _create_project(self, user: int, params: dict, body: Any) -> tuple[int, Any]:
        if not 3 <= len(body["title"]) <= 50:
            raise Refused(400, {"title": ["length"]})
        self._last_project += 1
        made = {"id": self._last_project, "description": "", "maximum_annotations": 1, **body}
        self.projects[made["id"]] = made
        return 201, made

    def _of(self, project: int) -> dict:
        if project not in self.projects:
            raise Refused(404, "No Project matches the given query.")
        return self.projects[project]

    def _project(self, user: int, params: dict, _: Any, project: int) -> tuple[int, Any]:
        own = [task for task in self.tasks.values() if task["project"] == project]
        return 200, only({**self._of(project), "task_number": len(own)}, params)

    def _change_project(self, user: int, params: dict, body: Any, project: int) -> tuple[int, Any]:
        used = {
            result["from_name"]
            for one in self.annotations.values()
            if one["project"] == project and not one["imported"]
            for result in one["result"]
            if result["type"] != "textarea"  # whose names the real one does not guard
        }
        config = body.get("label_config", "")
        if config and any(f'name="{name}"' not in config for name in used):
            raise Refused(400, {"label_config": ["These labels still exist in annotations"]})
        self._of(project).update(body)
        return 200, self._of(project)

    def _delete_project(self, user: int, params: dict, _: Any, project: int) -> tuple[int, Any]:
        self._of(project)
        del self.projects[project]
        self._drop([number for number, task in self.tasks.items() if task["project"] == project])
        return 204, b""

    def _import(self, user: int, params: dict, body: Any, project: int) -> tuple[int, Any]:
        self._of(project)
        if params.get("commit_to_project") == "false":
            return 201, self._upload(body)
        wanted = re.findall(r'\$(\w+)"', self.projects[project].get("label_config", ""))
        for number, task in enumerate(body):
            lacking = [name for name in wanted if name not in task["data"]]
            if lacking:
                raise Refused(400, {"non_field_errors": [f'Error at item {number}: "{lacking[0]}" key is expected']})
        start = max(self.tasks, default=0) + 1  # SQLite: numbers of deleted tasks come back
        for number, task in enumerate(body, start=start):
            self.tasks[number] = {"id": number, "project": project, "data": task["data"], "updated_at": now()}
            for given in task.get("annotations", ()):
                self._last_annotation = max(self.annotations, default=0) + 1
                self._annotate(number, given.get("completed_by", user), given, None, True)
        return 201, {"task_count": len(body), "task_ids": list(range(start, start + len(body)))}

    def _upload(self, body: bytes) -> dict:
        boundary = body.split(b"\r\n", 1)[0]
        numbers = []
        for part in body.split(boundary)[1:-1]:
            head, _, content = part.partition(b"\r\n\r\n")
            name = re.search(rb'filename="([^"]+)"', head).group(1).decode()
            numbers.append(len(self.files) + 1)
            self.files[numbers[-1]] = (f"upload/1/{len(self.files):08x}-{name}", content[:-2])
        return {"task_count": len(numbers), "file_upload_ids": numbers}

    def _file(self, user: int, params: dict, _: Any, number: int) -> tuple[int, Any]:
        return 200, {"file": self.files[number][0]}

    def _annotate(self, task: int, user: int, given: dict, by: int | None, imported: bool) -> dict:
        made = {
            "id": self._last_annotation, "task": task, "project": self.tasks[task]["project"], "result": given["result"],
            "completed_by": user, "updated_by": by, "created_at": now(), "updated_at": now(), "imported": imported,
            "was_cancelled": bool(given.get("was_cancelled")), "lead_time": given.get("lead_time"),
        }  # fmt: skip
        self.annotations[made["id"]] = made
        return made

    def _list_tasks(self, user: int, params: dict, _: Any) -> tuple[int, Any]:
        self._of(int(params["project"]))
        found = [task for task in self.tasks.values() if task["project"] == int(params["project"])]
        query = json.loads(params.get("query", "{}"))
        for item in () if self.ignores_filters else (query.get("filters") or {}).get("items", ()):
            found = [task for task in found if passes(task, item)]
        order = (query.get("ordering") or ["tasks:id"])[0]
        found.sort(key=lambda task: task[order.rpartition(":")[2]], reverse=order.startswith("-"))
        size, page = min(self.most_a_page, int(params.get("page_size", 100))), int(params.get("page", 1))
        chosen = found[(page - 1) * size : page * size]
        if page > 1 and not chosen:
            raise Refused(404, "Invalid page.")
        numbers = {task["id"] for task in found}
        answers = sum(one["task"] in numbers and not one["was_cancelled"] for one in self.annotations.values())
        shown = [self._shown(task, params) for task in chosen]
        return 200, {"total": len(found), "total_annotations": answers, "total_predictions": 0, "tasks": shown}

    def _shown(self, task: dict, params: dict) -> dict:
        mine = [one for one in self.annotations.values() if one["task"] == task["id"]]
        told = {
            **task,
            "total_annotations": sum(not one["was_cancelled"] for one in mine),
            "cancelled_annotations": sum(one["was_cancelled"] for one in mine),
        }
        if params.get("fields") == "all":
            names = params["include"].split(",") if "include" in params else [*FIELDS, "created_username"]
            named = [{**one, "created_username": f"Ann Lee user{one['completed_by']}@example.org"} for one in mine]
            wanted = [name for name in (*FIELDS, "created_username") if name in names]
            told["annotations"] = [{name: one[name] for name in wanted} for one in named]
        return only(told, params)

    def _drop(self, numbers: list[int]) -> None:
        for number in numbers:
            self.tasks.pop(number, None)
        self.annotations = {key: one for key, one in self.annotations.items() if one["task"] not in numbers}

    def _delete_task(self, user: int, params: dict, _: Any, number: int) -> tuple[int, Any]:
        if number not in self.tasks:
            raise Refused(404, "No Task matches the given query.")
        self._drop([number])
        return 204, b""

    def _change_task(self, user: int, params: dict, body: Any, number: int) -> tuple[int, Any]:
        self.tasks[number].update(data=body["data"], updated_at=now())
        return 200, self.tasks[number]

    def _action(self, user: int, params: dict, body: Any) -> tuple[int, Any]:
        numbers = [number for number in body["selectedItems"]["included"] if number in self.tasks]
        self._drop(numbers)
        return 200, {"processed_items": len(numbers)}

    def _post_answer(self, user: int, params: dict, body: Any, task: int) -> tuple[int, Any]:
        if task not in self.tasks:
            raise Refused(404, "No Task matches the given query.")
        self._last_annotation += 1
        given = {**body, "was_cancelled": body.get("was_cancelled") or params.get("was_cancelled") == "1"}
        made = self._annotate(task, body.get("completed_by", user), given, user, False)
        self.tasks[task]["updated_at"] = now()
        return 201, made

    def _change_answer(self, user: int, params: dict, body: Any, number: int) -> tuple[int, Any]:
        if number not in self.annotations:
            raise Refused(404, "No Annotation matches the given query.")
        one = self.annotations[number]
        one.update(body, updated_by=user, updated_at=now())
        self.tasks[one["task"]]["updated_at"] = now()
        return 200, one

    def _delete_answer(self, user: int, params: dict, _: Any, number: int) -> tuple[int, Any]:
        one = self.annotations.pop(number)
        self.tasks[one["task"]]["updated_at"] = now()
        return 204, b""

    def _list_storages(self, user: int, params: dict, _: Any) -> tuple[int, Any]:
        return 200, [one for one in self.storages if one["project"] == int(params["project"])]

    def _create_storage(self, user: int, params: dict, body: Any) -> tuple[int, Any]:
        self.storages.append({**body, "id": len(self.storages) + 1})
        return 201, self.storages[-1]


def only(value: dict, params: dict) -> dict:
    """The fields that were asked for."""
    names = params["include"].split(",") if "include" in params else None
    return {name: inner for name, inner in value.items() if names is None or name in names}


def passes(task: dict, item: dict) -> bool:
    """Whether a task fits one filter, in the forms that campaigns send."""
    name, value = item["filter"].removeprefix("filter:tasks:"), item["value"]
    if name.startswith("meta"):
        raise Refused(500, "Cannot resolve keyword into field.")
    held = task["data"].get(name.removeprefix("data.")) if name.startswith("data.") else task[name]
    return held in value if item["operator"] == "in_list" else held > value


ROUTES: list[tuple[str, str, Callable[..., tuple[int, Any]]]] = [
    ("GET", r"/api/version/?", lambda *_: (200, {"release": "1.23.2"})),
    ("POST", r"/api/token/refresh/?", FakeStudio._refresh),
    ("GET", r"/api/current-user/whoami", FakeStudio._whoami),
    ("GET", r"/api/users/?", FakeStudio._users),
    ("GET", r"/api/projects/?", FakeStudio._list_projects),
    ("POST", r"/api/projects/?", FakeStudio._create_project),
    ("GET", r"/api/projects/(\d+)/?", FakeStudio._project),
    ("PATCH", r"/api/projects/(\d+)/?", FakeStudio._change_project),
    ("DELETE", r"/api/projects/(\d+)/?", FakeStudio._delete_project),
    ("POST", r"/api/projects/(\d+)/import", FakeStudio._import),
    ("GET", r"/api/import/file-upload/(\d+)", FakeStudio._file),
    ("GET", r"/api/tasks/?", FakeStudio._list_tasks),
    ("DELETE", r"/api/tasks/(\d+)/?", FakeStudio._delete_task),
    ("PATCH", r"/api/tasks/(\d+)/?", FakeStudio._change_task),
    ("POST", r"/api/tasks/(\d+)/annotations/?", FakeStudio._post_answer),
    ("PATCH", r"/api/annotations/(\d+)/?", FakeStudio._change_answer),
    ("DELETE", r"/api/annotations/(\d+)/?", FakeStudio._delete_answer),
    ("POST", r"/api/dm/actions/?", FakeStudio._action),
    ("GET", r"/api/storages/localfiles/?", FakeStudio._list_storages),
    ("POST", r"/api/storages/localfiles/?", FakeStudio._create_storage),
]
