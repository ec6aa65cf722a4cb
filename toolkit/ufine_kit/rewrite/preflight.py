"""What is asked of every endpoint before the first row: which model, which chat template, how much context."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ufine_kit.adapters import openai_api
from ufine_kit.adapters.openai_api import Reply, message_of
from ufine_kit.errors import KitError
from ufine_kit.files import digest_of
from ufine_kit.rewrite.asking import Endpoint
from ufine_kit.rewrite.asks import PROBE, probe, prompt, sampling
from ufine_kit.tables import FamilyTable, RewriteTable


@dataclass(frozen=True)
class Engine:
    """What a server tells of itself. `template` is the digest of the tokens of a rendered probe, "" where it does not tell."""

    family: str
    model: str
    template: str
    context_tokens: int | None
    server: str | None


def look_at(urls: Sequence[str], table: RewriteTable, longest: str) -> tuple[list[Endpoint], dict[str, Engine]]:
    """The endpoints with the family that each serves, and one `Engine` a family.

    Raises KitError for an endpoint that is down, serves none of the recipe's models, has no chat template, or too little
    context for the `longest` description.
    """
    return asyncio.run(_look_at(urls, table, longest))


def families_at(urls: Sequence[str], table: RewriteTable) -> set[str]:
    """Names of the families that these endpoints serve; a managed server is started for the others."""

    async def ask() -> set[str]:
        async with openai_api.session(4, min(60.0, table.timeout_seconds)) as session:
            found = [await _served_here(session, *parted(word, table)) for word in urls]
        return {family.name for families, _ in found for family in families}

    return asyncio.run(ask())


def parted(word: str, table: RewriteTable) -> tuple[str, list[FamilyTable]]:
    """An endpoint's URL and the families that may be asked there: all of them, or the one of `FAMILY=URL`."""
    families = list(table.families)
    name, equals, url = word.partition("=")
    if equals and name in {family.name for family in families}:
        return url.rstrip("/"), [family for family in families if family.name == name]
    return word.rstrip("/"), families


async def _look_at(urls: Sequence[str], table: RewriteTable, longest: str) -> tuple[list[Endpoint], dict[str, Engine]]:
    endpoints: list[Endpoint] = []
    engines: dict[str, Engine] = {}
    async with openai_api.session(4, min(60.0, table.timeout_seconds)) as session:
        for word in urls:
            url, families = parted(word, table)
            for family, engine in await _served(session, url, families, table, longest):
                endpoints.append(Endpoint(url, family.name))
                known = engines.setdefault(family.name, engine)
                if known.template != engine.template:
                    raise KitError(
                        f"`{url}` renders chats of `{family.model}` otherwise than the endpoint before it",
                        "serve both with the same chat template",
                    )
    idle = [family.name for family in table.families if family.name not in engines]
    if idle:
        raise KitError(
            f"no endpoint serves family `{idle[0]}`",
            f"add one to --endpoint, or name its model: --model {idle[0]}=ID",
        )
    return endpoints, engines


async def _served(
    session: Any, url: str, families: Sequence[FamilyTable], table: RewriteTable, longest: str
) -> list[tuple[FamilyTable, Engine]]:
    found, models = await _served_here(session, url, families)
    return [
        (family, await _engine(session, url, family, models.get(family.model, {}), table, longest)) for family in found
    ]


async def _served_here(
    session: Any, url: str, families: Sequence[FamilyTable]
) -> tuple[list[FamilyTable], dict[str, dict[str, Any]]]:
    """The families whose model this server lists; of a server that lists none of them, those that it answers for."""
    models = await _models(session, url)
    found = [family for family in families if family.model in models]
    if not found:  # some servers load what they are asked for, and list nothing
        voices = {family.name: await _voice(session, url, family) for family in families}
        found = [family for family in families if voices[family.name].status == 200]
        for family in families:
            _need_template(url, family, voices[family.name])
    if not found:
        raise KitError(
            f"`{url}` serves {', '.join(sorted(models)) or 'nothing that it lists'}, and the recipe asks for "
            + ", ".join(family.model for family in families),
            "name a served model: --model FAMILY=ID",
        )
    return found, models


async def _models(session: Any, url: str) -> dict[str, dict[str, Any]]:
    reply = await openai_api.get(session, f"{url}/models")
    if reply.status == 0:
        raise KitError(f"`{url}` does not answer ({reply.fault})", "start the server, or give another --endpoint")
    if reply.status in (401, 403):
        raise KitError(f"`{url}` refuses the key", "set UFINE_API_KEY to the key of this server")
    if reply.status == 404:
        raise KitError(f"`{url}/models` is not there", "give the base URL, as http://host:8000/v1")
    listed = reply.body.get("data")
    models = listed if isinstance(listed, list) else []
    return {model["id"]: model for model in models if isinstance(model, dict) and isinstance(model.get("id"), str)}


async def _engine(
    session: Any, url: str, family: FamilyTable, model: dict[str, Any], table: RewriteTable, longest: str
) -> Engine:
    context = model.get("max_model_len")
    context = context if isinstance(context, int) else None
    rendered = await _rendered(session, url, family, PROBE)
    _need_template(url, family, rendered)
    await _need_voice(session, url, family)
    template = digest_of(rendered.body.get("tokens"))[:16] if rendered.status == 200 else ""
    if rendered.status == 200 and context is not None:
        whole = await _rendered(session, url, family, prompt(table, longest))
        _need_context(
            url, whole.body.get("count"), table.most_tokens if table.attempts > 1 else table.max_tokens, context
        )
    server = await openai_api.get(session, f"{url.removesuffix('/v1')}/version")
    version = server.body.get("version")
    return Engine(family.name, family.model, template, context, version if isinstance(version, str) else None)


async def _rendered(session: Any, url: str, family: FamilyTable, text: str) -> Reply:
    """The server's own rendering of a chat (vLLM's `/tokenize`); other servers answer 404 or 405."""
    body = {
        "model": family.model,
        "messages": [{"role": "user", "content": text}],
        "add_generation_prompt": True,
        **{name: value for name, value in sampling(family).items() if name == "chat_template_kwargs"},
    }
    return await openai_api.post(session, f"{url.removesuffix('/v1')}/tokenize", body)


async def _need_voice(session: Any, url: str, family: FamilyTable) -> None:
    """One short chat: what this server refuses of every row must stop the run, not become a mark on each of them."""
    reply = await _voice(session, url, family)
    if reply.status == 200:
        return
    _need_template(url, family, reply)
    raise KitError(
        f"`{family.model}` at `{url}` does not chat ({reply.status}): {reply.fault or message_of(reply.body)}",
        "look into the server's log; a sampling value it refuses is taken out by setting it to nothing in the recipe",
    )


async def _voice(session: Any, url: str, family: FamilyTable) -> Reply:
    return await openai_api.post(session, f"{url}/chat/completions", probe(family))


def _need_template(url: str, family: FamilyTable, rendered: Reply) -> None:
    words = message_of(rendered.body)
    if rendered.status in (400, 500) and "template" in words.lower():
        raise KitError(
            f"`{family.model}` at `{url}` has no chat template: {words}",
            "serve an instruction-tuned model, or start the server with --chat-template FILE",
        )


def _need_context(url: str, tokens: Any, most: int, context: int) -> None:
    if isinstance(tokens, int) and tokens + most > context:
        raise KitError(
            f"the longest prompt has {tokens} tokens and {most} may follow, `{url}` holds {context}",
            "start the server with a larger --max-model-len, or lower rewrite.most_tokens (and max_tokens)",
        )
