"""The kit's own judge of card and documents, rule by rule: the Hub judges only online, and only a part of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

from ufine_kit.errors import CheckFailed, need
from ufine_kit.hub.card import Told, plain
from ufine_kit.hub.croissant import RAI
from ufine_kit.hub.documents import CITATION, CROISSANT, DATASHEET, LICENCE, README
from ufine_kit.hub.metadata import CONSENT, SYNTHETIC, TERMS, configs, dataset_info
from ufine_kit.hub.words import LICENCES, SAYS_NOTHING, SIZES, TASKS, size_category
from ufine_kit.text.finding import ERROR, Finding

Messages = Iterator[str]
GEBRU = ("Motivation", "Composition", "Collection", "Preprocessing", "Uses", "Distribution", "Maintenance")
# What the owner has to say; the rest of the card's table has an answer of its own or may stay blank.
OWED = (
    "authors", "year", "contact", "takedown", "purpose", "funding", "consent", "ethics", "annotators", "instructions", "pay",
    "maintenance",
)  # fmt: skip
_BLANK = re.compile(
    r"\b(?:TODO|FIXME|TBD|XXX|lorem ipsum|fill (?:me |this )?in|to be (?:filled|written))\b", re.IGNORECASE
)
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_HTML = re.compile(r"<\s*[A-Za-z/!?]|\bjavascript:|\bdata:text/html", re.IGNORECASE)
_PICTURE = re.compile(r"!\[|\[!\[|<img\b", re.IGNORECASE)
_PATH = re.compile(r"(?<![\w/.])/(?:home|root|Users|mnt|tmp|data|scratch)/\w|\b[A-Z]:\\\w")
_SECRET = re.compile(
    r"\b(?:hf|api_org)_[A-Za-z0-9]{16,}|\bsk-[A-Za-z0-9_-]{16,}|\bgh[pousr]_[A-Za-z0-9]{20,}|\bAKIA[0-9A-Z]{16}\b"
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*|-----BEGIN [A-Z ]*PRIVATE KEY|\bBearer\s+[\w.~+/-]{12,}|\bglpat-[\w-]{16,}"
)
_CODE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Candidate:
    """What is to be published beside the data: documents by path, the Parquet files' paths, and what they were made from."""

    documents: Mapping[str, str]
    shards: tuple[str, ...]
    told: Told

    @property
    def readme(self) -> str:
        """The card."""
        return self.documents.get(README, "")

    @property
    def prose(self) -> str:
        """The card without its YAML and its code blocks."""
        return _CODE.sub("", self.readme.partition("\n---\n")[2])

    @cached_property
    def front(self) -> dict[str, Any]:
        """The YAML block; empty where there is none that reads. Read once for all rules."""
        yaml = need("yaml", "hub")
        head, _, rest = self.readme.removeprefix("---\n").partition("\n---\n")
        try:
            found = yaml.safe_load(head) if self.readme.startswith("---\n") and rest else None
        except yaml.YAMLError:
            return {}
        return found if isinstance(found, dict) else {}


def yaml_reads(candidate: Candidate) -> Messages:
    """The card opens with a YAML block that is a mapping."""
    if not candidate.front:
        yield f"`{README}` does not open with a YAML block that reads"


def licence_known(candidate: Candidate) -> Messages:
    """The licence stands in the Hub's list and says something; `other` has a name and a link."""
    front = candidate.front
    word = front.get("license")
    if word not in LICENCES or word in SAYS_NOTHING:
        yield f"the Hub knows no licence `{word}`: set release.license to an identifier of its list, or to `other`"
    elif word == "other":
        for key in ("license_name", "license_link"):
            if not front.get(key):
                yield f"card.{key} is blank, and release.license is `other`"


def task_known(candidate: Candidate) -> Messages:
    """Task categories are the Hub's words."""
    wrong = [str(task) for task in candidate.front.get("task_categories") or ["(none)"] if task not in TASKS]
    if wrong:
        yield f"the Hub knows no task `{wrong[0]}`"


def size_known(candidate: Candidate) -> Messages:
    """The size category is the Hub's word for the number of rows."""
    images = sum(split["images"] for split in candidate.told.release.splits.values())
    said: list[str] = candidate.front.get("size_categories") or []
    if said != [size_category(images)] or not set(said) <= SIZES:
        yield f"size_categories is `{said}`, and {images:,} rows are `{size_category(images)}`"


def configs_match(candidate: Candidate) -> Messages:
    """The globs of each configuration cover its shards: every shard once, and none that is not there."""
    said: list[dict[str, Any]] = candidate.front.get("configs") or []
    if said != configs(candidate.told.release):
        yield "the configurations are not those of the splits of the release"
        return
    for config in said:
        for entry in config["data_files"]:
            if not any(fnmatchcase(path, entry["path"]) for path in candidate.shards):
                yield f"`{entry['path']}` of configuration `{config['config_name']}` fits no file"
    globs = [entry["path"] for config in said[:2] for entry in config["data_files"]]
    for path in candidate.shards:
        if sum(fnmatchcase(path, glob) for glob in globs) != 1:
            yield f"`{path}` belongs to no configuration, or to two"


def info_computed(candidate: Candidate) -> Messages:
    """`dataset_info` is what the files say: features, rows and bytes of every split."""
    if candidate.front.get("dataset_info") != dataset_info(candidate.told.release, candidate.told.facts):
        yield "dataset_info is not what the files say"


def gate_filled(candidate: Candidate) -> Messages:
    """The form of the gate asks who one is, shows the terms, and has a box to agree."""
    front = candidate.front
    fields = front.get("extra_gated_fields") or {}
    for key in ("extra_gated_heading", "extra_gated_prompt", "extra_gated_button_content"):
        if not str(front.get(key) or "").strip():
            yield f"`{key}` is blank"
    missing = [name for name in [*candidate.told.recipe.hub.gate_fields, CONSENT] if name not in fields]
    if missing:
        yield f"the form of the gate does not ask for `{missing[0]}`"
    if not all(term in str(front.get("extra_gated_prompt")) and term in candidate.prose for term in TERMS):
        yield "the terms do not stand in the form and on the card"


def owner_answered(candidate: Candidate) -> Messages:
    """Everything that only the owner knows was said."""
    table = candidate.told.recipe.card
    for key in OWED:
        value = getattr(table, key)
        texts = value if isinstance(value, list) else [str(value or "")]
        if not texts or not all(str(text).strip() for text in texts):
            yield f"card.{key} is blank"


def models_licensed(candidate: Candidate) -> Messages:
    """Every model that wrote captions has a licence."""
    for name in candidate.told.facts.models():
        if not candidate.told.recipe.card.model_licences.get(name, "").strip():
            yield f"card.model_licences does not name the licence of `{name}`"


def contact_named(candidate: Candidate) -> Messages:
    """The contact is an address, and stands on the card and in the datasheet."""
    contact = candidate.told.recipe.card.contact
    if not (_EMAIL.fullmatch(contact) or contact.startswith("https://")):
        yield "card.contact is neither an e-mail nor an https:// address"
    for path in (README, DATASHEET):
        if not contact or plain(contact) not in candidate.documents.get(path, ""):
            yield f"the contact does not stand in `{path}`"


def sources_licensed(candidate: Candidate) -> Messages:
    """Every source of a release that shows people has a licence that says something, and may be passed on."""
    release = candidate.told.release
    if release.manifest["synthetic"]:
        return
    entries: list[dict[str, Any]] = release.manifest.get("sources", [])
    rows = {name for split in release.splits.values() for name in split.get("sources", {})}
    # A source may have an entry for each of its terms, and every one of them counts.
    untold = [{"source": name} for name in rows - {entry["source"] for entry in entries}]
    for entry in sorted([*entries, *untold], key=lambda entry: str(entry["source"])):
        if str(entry.get("licence") or "").lower() in SAYS_NOTHING:
            yield (
                f"source `{entry['source']}` has no licence: "
                "name it when it is taken in (--sources, or the flags of import-dataset)"
            )
        elif entry.get("redistribution") is False:
            yield f"source `{entry['source']}` must not be passed on"


def nothing_open(candidate: Candidate) -> Messages:
    """No document has an open end: no TODO, and no heading without a word under it."""
    for path, text in candidate.documents.items():
        if match := _BLANK.search(text):
            yield f"`{path}` still says `{match.group()}`"
    for path in (README, DATASHEET):
        lines = [
            line for line in f"\n{candidate.documents.get(path, '')}".partition("\n# ")[2].splitlines() if line.strip()
        ]
        for line, after in zip(lines, [*lines[1:], "##"], strict=False):
            if line.startswith("## ") and after.startswith("##"):
                yield f"`{path}`: nothing stands under `{line[3:]}`"


def no_html(candidate: Candidate) -> Messages:
    """No HTML and no script in what is shown: words of the data cannot become markup."""
    front = {key: value for key, value in candidate.front.items() if key != "size_categories"}
    shown = {README: candidate.prose + json.dumps(front), DATASHEET: candidate.documents.get(DATASHEET, "")}
    for path, text in shown.items():
        if match := _HTML.search(text):
            yield f"`{path}` has markup: `{text[match.start() : match.start() + 30]}`"


def no_picture(candidate: Candidate) -> Messages:
    """No picture on the card: it is shown even where the gate is closed."""
    if _PICTURE.search(candidate.prose):
        yield f"`{README}` shows a picture, and the card can be read without passing the gate"


def no_other_email(candidate: Candidate) -> Messages:
    """No e-mail address but the contact's."""
    contact = candidate.told.recipe.card.contact
    for path, text in candidate.documents.items():
        for found in _EMAIL.findall(_unescaped(text)):
            if found != contact:
                yield f"`{path}` has the e-mail address `{found}`"
                break


def no_secret(candidate: Candidate) -> Messages:
    """Nothing that looks like a token or a key."""
    for path, text in candidate.documents.items():
        if match := _SECRET.search(_unescaped(text)):
            yield f"`{path}` has what looks like a secret: `{match.group()[:6]}...`"


def no_own_path(candidate: Candidate) -> Messages:
    """No path of somebody's machine."""
    for path, text in candidate.documents.items():
        if match := _PATH.search(_unescaped(text)):
            yield f"`{path}` names a path of a machine: `{match.group()}...`"


def synthetic_marked(candidate: Candidate) -> Messages:
    """A synthetic release says so on card and tags, and no other does."""
    synthetic = bool(candidate.told.release.manifest["synthetic"])
    tagged = SYNTHETIC in (candidate.front.get("tags") or [])
    if tagged != synthetic or ("**Synthetic.**" in candidate.prose) != synthetic:
        yield f"the card {'does not say' if synthetic else 'says'} that the release is synthetic"


def of_these_rows(candidate: Candidate) -> Messages:
    """The card speaks of this version and of these rows."""
    release = candidate.told.release
    if release.data_digest not in candidate.prose or release.version not in candidate.prose:
        yield f"`{README}` does not name version {release.version} and its data digest"


def datasheet_whole(candidate: Candidate) -> Messages:
    """The datasheet has the seven sections of Datasheets for Datasets."""
    text = candidate.documents.get(DATASHEET, "")
    missing = [word for word in GEBRU if f"\n## {word}" not in text]
    if missing:
        yield f"`{DATASHEET}` has no section `{missing[0]}`"


def citation_reads(candidate: Candidate) -> Messages:
    """CITATION.cff reads, and names title, version and authors."""
    yaml = need("yaml", "hub")
    try:
        found = yaml.safe_load(candidate.documents.get(CITATION, ""))
    except yaml.YAMLError:
        found = None
    for key in ("cff-version", "message", "title", "version", "authors"):
        if not isinstance(found, dict) or not found.get(key):
            yield f"`{CITATION}` does not name `{key}`"
            return


def croissant_whole(candidate: Candidate) -> Messages:
    """croissant.json reads, names every shard with its sha256, and fills the responsible-AI fields."""
    try:
        found = json.loads(candidate.documents.get(CROISSANT, ""))
    except ValueError:
        found = {}
    named = {entry["@id"] for entry in found.get("distribution", []) if entry.get("sha256")}
    unnamed = [path for path in candidate.shards if path.startswith("data/") and path not in named]
    blank = [key for key in RAI if not found.get(key)]
    if unnamed or blank:
        yield f"`{CROISSANT}` lacks `{(unnamed + blank)[0]}`"


def licence_shipped(candidate: Candidate) -> Messages:
    """LICENSE names the licence of the card or where its text stands."""
    text, front = candidate.documents.get(LICENCE, ""), candidate.front
    wanted = str(front.get("license_link") if front.get("license") == "other" else front.get("license"))
    if wanted.lower() not in text.lower():
        yield f"`{LICENCE}` does not name `{wanted}`"


RULES: dict[str, Callable[[Candidate], Messages]] = {
    rule.__name__: rule
    for rule in (
        owner_answered, yaml_reads, licence_known, task_known, size_known, configs_match, info_computed, gate_filled,
        models_licensed, contact_named, sources_licensed, nothing_open, no_html, no_picture, no_other_email, no_secret,
        no_own_path, synthetic_marked, of_these_rows, datasheet_whole, citation_reads, croissant_whole, licence_shipped,
    )
}  # fmt: skip


def lint(candidate: Candidate) -> list[Finding]:
    """Everything that stands against publishing this card; empty where it may go out."""
    return [Finding(name, ERROR, (), message) for name, rule in RULES.items() for message in rule(candidate)]


def refuse_dirty(candidate: Candidate) -> None:
    """Raise CheckFailed that names the first finding and how many there are."""
    found = lint(candidate)
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise CheckFailed(f"the card may not go out: {found[0].message}{more}", _mend(found[0]))


def _mend(finding: Finding) -> str:
    key = re.match(r"card\.(\w+)", finding.message)
    if key:
        return f'write it in the recipe given with --recipe: under [card], {key[1]} = "..."'
    return f"mend what rule `{finding.rule}` asks for in the recipe's [card] or the release; then push again"


def _unescaped(text: str) -> str:
    return re.sub(r"&#(\d+);", lambda match: chr(int(match[1])), text)
