"""What the loopback Hub answers: one function a kind of request, as the client of 2026 asks them."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from live.hub.world import DATE, LARGE, Blob, Commit, PullRequest, Repo

if TYPE_CHECKING:
    from live.hub.double import Hub

PAGE = 1000


@dataclass(frozen=True)
class Request:
    method: str
    raw: str
    steps: list[str]
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict:
        return json.loads(self.body or b"{}")


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def said(value: object, status: int = 200, **headers: str) -> Answer:
    return Answer(status, json.dumps(value).encode(), {"content-type": "application/json", **headers})


def wrong(status: int, code: str, message: str = "") -> Answer:
    told = {"X-Error-Code": code, "X-Error-Message": message or code}
    return Answer(status, json.dumps({"error": message or code}).encode(), {"content-type": "application/json", **told})


def answer(hub: Hub, request: Request, user: str | None) -> Answer:
    steps = request.steps
    if steps[0] == "store":
        return store(hub, request)
    if steps[:2] == ["api", "whoami-v2"]:
        if user is None:
            return wrong(401, "Unauthorized", "Invalid username or password.")
        token = {"type": "access_token", "accessToken": {"displayName": "t", "role": "write"}}
        return said({"type": "user", "id": user, "name": user, "fullname": user, "orgs": [], "auth": token})
    if steps[:2] == ["api", "validate-yaml"]:
        errors = [{"message": hub.refuse_card}] if hub.refuse_card else []
        return said({"errors": errors, "warnings": []}, 400 if errors else 200)
    if steps[:3] == ["api", "repos", "create"]:
        return create(hub, request, user)
    return of_repo(hub, request, user)


def writes(hub: Hub, user: str | None, name: str) -> bool:
    space = name.partition("/")[0]
    return user is not None and (user == space or user in hub.orgs.get(space, ()))


def create(hub: Hub, request: Request, user: str | None) -> Answer:
    asked = request.json()
    kind, name = asked.get("type", "model"), f"{asked.get('organization') or user}/{asked['name']}"
    url = f"{hub.url}/{'' if kind == 'model' else kind + 's/'}{name}"
    if user is None:
        return wrong(401, "Unauthorized")
    if not writes(hub, user, name):
        return wrong(403, "Forbidden", "You don't have the rights to create a repository here")
    if (kind, name) in hub.repos:
        return said({"error": "You already created this repo", "url": url}, 409)
    hub.repos[kind, name] = Repo(name, kind, user, private=asked.get("visibility") == "private", allowed={user})
    return said({"url": url, "name": name, "id": "0" * 24})


def of_repo(hub: Hub, request: Request, user: str | None) -> Answer:
    steps = request.steps[1:] if request.steps[0] == "api" else request.steps
    kind = steps[0][:-1] if steps[0] in ("datasets", "models", "spaces") else "model"
    steps = steps[1:] if steps[0] in ("datasets", "models", "spaces") else steps
    if len(steps) < 2:
        return wrong(404, "NotFound")
    name = f"{steps[0]}/{steps[1].removesuffix('.git')}"
    repo = hub.repos.get((kind, name))
    if repo is None or (repo.private and not writes(hub, user, name)):
        return wrong(401 if user is None else 404, "RepoNotFound", "Repository not found")
    act, *rest = steps[2:] or ["info"]
    reading = request.method in ("GET", "HEAD") or act == "paths-info"
    if not reading and not writes(hub, user, name):
        return wrong(401 if user is None else 403, "Forbidden", "You don't have the required permissions")
    if (act, *rest) == ("info", "lfs", "objects", "batch"):
        return lfs_batch(hub, repo, request)
    acts = {
        "info": info, "revision": info, "refs": refs, "tag": tag, "settings": settings, "discussions": discussions,
        "preupload": preupload, "commit": commit, "tree": tree, "paths-info": paths_info, "resolve": resolve,
        "commits": commits, "super-squash": squash, "lfs-files": lfs_files, "xet-write-token": xet_token,
        "xet-read-token": xet_token,
    }  # fmt: skip
    return acts[act](hub, repo, request, rest, user) if act in acts else wrong(404, "NotFound", request.raw)


def store(hub: Hub, request: Request) -> Answer:
    """The place that LFS links lead to."""
    key = (request.steps[1], request.steps[2], request.steps[3])
    if request.method == "PUT":
        if hashlib.sha256(request.body).hexdigest() != key[2]:
            return Answer(400)
        hub.lfs[key] = request.body
        return Answer()
    return Answer(200 if len(hub.lfs.get(key, b"")) == request.json()["size"] else 422)


def lfs_batch(hub: Hub, repo: Repo, request: Request) -> Answer:
    told = []
    for asked in request.json()["objects"]:
        entry = {"oid": asked["oid"], "size": asked["size"]}
        if (*repo.name.split("/"), asked["oid"]) not in hub.lfs:
            at = f"{hub.url}/store/{repo.name}/{asked['oid']}"
            entry["actions"] = {"upload": {"href": at, "header": {}}, "verify": {"href": f"{at}/verify"}}
        told.append(entry)
    return said({"transfer": "basic", "objects": told})


def xet_token(hub: Hub, repo: Repo, request: Request, rest: list[str], user: str | None) -> Answer:
    if hub.cas is None:
        return wrong(404, "NotFound", "no xet here")
    url, until = f"local://{hub.cas}", str(int(time.time()) + 3600)
    headers = {"X-Xet-Cas-Url": url, "X-Xet-Access-Token": "xet", "X-Xet-Token-Expiration": until}
    return said({"casUrl": url, "accessToken": "xet", "exp": int(until)}, **headers)


def info(hub: Hub, repo: Repo, request: Request, rest: list[str], user: str | None) -> Answer:
    at = repo.find(rest[0] if rest else "main")
    if at is None:
        return wrong(404, "RevisionNotFound", "Invalid rev id")
    return said(
        {
            "_id": "0" * 24, "id": repo.name, "author": repo.name.partition("/")[0], "sha": at.oid, "private": repo.private,
            "gated": repo.gated, "disabled": False, "lastModified": DATE, "createdAt": DATE, "downloads": 0, "likes": 0,
            "tags": [], "siblings": [_sibling(path, at.tree[path], "blobs" in request.query) for path in sorted(at.tree)],
        }
    )  # fmt: skip


def _sibling(path: str, blob: Blob, whole: bool) -> dict:
    told = blob.entry(path)
    more = {"size": told["size"], "blobId": told["oid"]}
    if "lfs" in told:
        more["lfs"] = {"sha256": told["lfs"]["oid"], "size": told["size"], "pointerSize": told["lfs"]["pointerSize"]}
    return {"rfilename": path, **(more if whole else {})}


def refs(hub: Hub, repo: Repo, request: Request, rest: list[str], user: str | None) -> Answer:
    def listed(prefix: str, found: dict[str, str]) -> list[dict]:
        return [{"name": name, "ref": prefix + name, "targetCommit": oid} for name, oid in found.items()]

    branches = {name: oid for name, oid in repo.refs.items() if not name.startswith("refs/")}
    return said({"branches": listed("refs/heads/", branches), "tags": listed("refs/tags/", repo.tags), "converts": []})


def tag(hub: Hub, repo: Repo, request: Request, rest: list[str], user: str | None) -> Answer:
    if request.method == "DELETE":
        return Answer() if repo.tags.pop(rest[0], None) else wrong(404, "RevisionNotFound")
    name = request.json()["tag"]
    if name in repo.tags:
        return wrong(409, "Conflict", "Tag reference exists already")
    repo.tags[name] = repo.find(rest[0]).oid
    return said({})


def settings(hub: Hub, repo: Repo, request: Request, rest: list[str], user: str | None) -> Answer:
    asked = request.json()
    repo.gated = asked.get("gated", repo.gated)
    repo.private = asked.get("visibility", "private" if repo.private else "public") == "private"
    repo.history.append(f"settings private={repo.private} gated={repo.gated}")
    return said({})


def discussions(hub: Hub, repo: Repo, request: Request, rest: list[str], user: str | None) -> Answer:
    if not rest and request.method == "GET":
        found = [_request_told(repo, entry) for entry in reversed(repo.requests)]
        return said({"discussions": found, "count": len(found), "start": 0})
    if not rest:
        return said({"num": propose(repo, request.json()["title"], user, "draft")})
    entry = repo.requests[int(rest[0]) - 1]
    if rest[1:] == ["status"]:
        entry.status = request.json()["status"]
    elif rest[1:] == ["merge"]:
        if entry.status != "open":
            return wrong(409, "Conflict", "not open")
        repo.merge(entry.number)
    if request.method == "POST":
        event = {"id": "e", "type": "status-change", "createdAt": DATE, "author": {"name": user}}
        return said({"newStatus": event | {"data": {"status": entry.status}}})
    more = {"events": [], "filesWithConflicts": [], "diff": ""}
    return said(
        _request_told(repo, entry) | more | {"changes": {"base": "refs/heads/main", "mergeCommitId": entry.merged}}
    )


def propose(repo: Repo, title: str, user: str | None, status: str) -> int:
    number = len(repo.requests) + 1
    repo.requests.append(PullRequest(number, title, user, repo.refs["main"], status))
    repo.refs[f"refs/pr/{number}"] = repo.refs["main"]
    return number


def _request_told(repo: Repo, entry: PullRequest) -> dict:
    return {
        "title": entry.title, "num": entry.number, "author": {"name": entry.author}, "createdAt": DATE, "status": entry.status,
        "isPullRequest": True, "repo": {"name": repo.name, "type": repo.kind},
    }  # fmt: skip


def preupload(hub: Hub, repo: Repo, request: Request, rest: list[str], user: str | None) -> Answer:
    at, told = repo.find(rest[0]), []
    for file in request.json()["files"]:
        there = at.tree.get(file["path"])
        mode = "lfs" if file["path"].endswith(LARGE) and file["size"] else "regular"
        told.append(
            {"path": file["path"], "uploadMode": mode, "shouldIgnore": False, "oid": there.oid if there else None}
        )
    return said({"files": told, "commitOid": at.oid})


def commit(hub: Hub, repo: Repo, request: Request, rest: list[str], user: str | None) -> Answer:
    head, *lines = [json.loads(line) for line in request.body.splitlines() if line]
    at, ref, more = repo.find(rest[0]), rest[0], {}
    if head["value"].get("parentCommit") not in (None, at.oid):
        return wrong(412, "PreconditionFailed", "A commit has happened since.")
    made = dict(at.tree)
    for line in lines:
        value, key = line["value"], line["key"]
        path = value["path"]
        if key == "file":
            made[path] = Blob(base64.b64decode(value["content"]), False)
        elif key == "lfsFile":
            found = hub.content(repo, value["oid"])
            if found is None:
                return wrong(400, "BadRequest", f"{value['oid']} was never uploaded")
            made[path] = found
        elif key == "deletedFile":
            del made[path]
        if path in made and path == hub.flip_stored:
            made[path] = Blob(flipped(made[path].content), made[path].large)
    title = head["value"]["summary"]
    if request.query.get("create_pr"):
        number = propose(repo, title, user, "open")
        ref, more = f"refs/pr/{number}", {"pullRequestUrl": f"{hub.url}/datasets/{repo.name}/discussions/{number}"}
    oid = repo.commit(ref, made, title, at.oid)
    url = f"{hub.url}/datasets/{repo.name}/commit/{oid}"
    return said({"success": True, "commitOid": oid, "commitUrl": url, "hookOutput": "", **more})


def flipped(content: bytes) -> bytes:
    half = len(content) // 2
    return content[:half] + bytes([content[half] ^ 1]) + content[half + 1 :]


def _entry(at: Commit, path: str) -> dict | None:
    if path in at.tree:
        return at.tree[path].entry(path)
    inside = any(other.startswith(f"{path}/") for other in at.tree)
    return (
        {"type": "directory", "oid": hashlib.sha1(path.encode()).hexdigest(), "size": 0, "path": path}
        if inside
        else None
    )


def tree(hub: Hub, repo: Repo, request: Request, rest: list[str], user: str | None) -> Answer:
    at, folder = repo.find(rest[0]), "/".join(rest[1:])
    if at is None:
        return wrong(404, "RevisionNotFound", "Invalid rev id")
    start, deep = f"{folder}/" if folder else "", request.query.get("recursive", "").lower() == "true"
    paths = {path for path in at.tree if path.startswith(start)}
    folders = {"/".join(path.split("/")[:n]) for path in paths for n in range(1, path.count("/") + 1)}
    found = sorted(
        path for path in paths | folders if path.startswith(start) and (deep or "/" not in path.removeprefix(start))
    )
    if folder and not found:
        return wrong(404, "EntryNotFound", f"{folder} does not exist")
    first = int(request.query.get("cursor", 0))
    more = {}
    if first + PAGE < len(found):
        more = {"Link": f'<{hub.url}{request.raw}?recursive={deep}&cursor={first + PAGE}>; rel="next"'}
    return said([_entry(at, path) for path in found[first : first + PAGE]], **more)


def paths_info(hub: Hub, repo: Repo, request: Request, rest: list[str], user: str | None) -> Answer:
    at = repo.find(rest[0])
    form = "json" not in request.headers.get("content-type", "")
    paths = parse_qs(request.body.decode()).get("paths", []) if form else request.json()["paths"]
    return said([entry for path in paths if (entry := _entry(at, path))])


def commits(hub: Hub, repo: Repo, request: Request, rest: list[str], user: str | None) -> Answer:
    told = [{"id": at.oid, "title": at.title, "message": "", "date": DATE, "authors": []} for at in repo.log(rest[0])]
    return said(told)


def squash(hub: Hub, repo: Repo, request: Request, rest: list[str], user: str | None) -> Answer:
    repo.squash(request.json()["message"])
    return said({})


def lfs_files(hub: Hub, repo: Repo, request: Request, rest: list[str], user: str | None) -> Answer:
    if request.method == "POST":
        gone = set(request.json()["deletions"]["sha"])
        repo.forget(gone)
        for oid in gone:
            hub.lfs.pop((*repo.name.split("/"), oid), None)
        return said({})
    told = [
        {"fileOid": oid, "filename": path, "oid": oid, "pushedAt": DATE, "ref": "main", "size": size}
        for oid, (path, size) in repo.stored.items()
    ]
    return said(told)


def resolve(hub: Hub, repo: Repo, request: Request, rest: list[str], user: str | None) -> Answer:
    at, path = repo.find(rest[0]), "/".join(rest[1:])
    if repo.gated and user not in repo.allowed:
        return wrong(403 if user else 401, "GatedRepo", "Access to this dataset is restricted")
    if at is None:
        return wrong(404, "RevisionNotFound", "Invalid rev id")
    blob = at.tree.get(path)
    if blob is None:
        return wrong(404, "EntryNotFound", "Entry not found")
    content = flipped(blob.content) if path == hub.flip_served else blob.content
    headers = {
        "X-Repo-Commit": at.oid, "ETag": f'"{blob.oid}"', "Accept-Ranges": "bytes", "X-Linked-Size": str(len(content)),
        "X-Linked-Etag": f'"{blob.oid}"', "content-type": "application/octet-stream",
    }  # fmt: skip
    if blob.xet and path != hub.flip_served:
        link = f'<{hub.url}/api/{repo.kind}s/{repo.name}/xet-read-token/{at.oid}>; rel="xet-auth"'
        headers |= {"X-Xet-Hash": blob.xet, "Link": link}
    if request.method == "HEAD":
        return Answer(200, content, headers | {"Content-Length": str(len(content))})
    wanted = re.match(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
    if wanted and content:
        first, last = int(wanted[1]), min(int(wanted[2] or len(content)), len(content) - 1)
        part = {"Content-Range": f"bytes {first}-{last}/{len(content)}"}
        return Answer(206, content[first : last + 1], headers | part)
    return Answer(200, content, headers)
