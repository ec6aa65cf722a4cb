"""Work on a job until nothing is left to ask: ask, check, ask again what failed; workers part the rows among themselves."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

from filelock import Timeout

from ufine_kit import parts
from ufine_kit.errors import KitError
from ufine_kit.ledger import Ledger
from ufine_kit.rewrite.asking import Endpoint, ask_all
from ufine_kit.rewrite.asks import Slot
from ufine_kit.rewrite.checking import check_all
from ufine_kit.rewrite.job import JobFolder, stand
from ufine_kit.rewrite.people import slot_id
from ufine_kit.rewrite.rounds import Standing
from ufine_kit.rewrite.selection import Picture
from ufine_kit.tables import RewriteTable

# Rows are parted into this many buckets; a worker holds the locks of those it works on, so that no row is asked twice.
BUCKETS = 64


@dataclass(frozen=True)
class Tell:
    """What is heard of the work: rows asked and rows judged, as they go to disk."""

    asked: Callable[[int], None]
    judged: Callable[[int], None]
    round: Callable[[int, int], None]


def work_on(
    job: JobFolder,
    pictures: Sequence[Picture],
    table: RewriteTable,
    endpoints: Sequence[Endpoint],
    shard: str | None,
    workers: int,
    tell: Tell,
) -> Standing:
    """Ask and check until every row of this worker's share is accepted or waits for people; returns how all stand then.

    Rows that another worker holds are left to it. A row that has its answer in the ledger is never asked again.
    """
    with _claimed(job, buckets_of(shard)) as mine:
        while True:
            found, _ = stand(job, pictures, table)
            to_check = [pair for pair in found.to_check if bucket(pair[0].slot) in mine]
            to_ask = [one for one in found.to_ask if bucket(one.slot) in mine]
            if not to_check and not to_ask:
                return found
            tell.round(len(to_ask), len(to_check))
            if to_check:
                check_all(to_check, job.verdicts, workers, tell.judged)
            if to_ask:
                with Ledger(job.answers, "models") as ledger:
                    ask_all(to_ask, endpoints, table, ledger, tell.asked)


def bucket(slot: Slot) -> int:
    """The bucket of a row: all its attempts are one worker's."""
    return int(hashlib.sha256(slot_id(slot).encode()).hexdigest()[:8], 16) % BUCKETS


def buckets_of(shard: str | None) -> set[int]:
    """The buckets of a share `i/N`; all of them without one. Raises KitError for anything else."""
    if shard is None:
        return set(range(BUCKETS))
    index, slash, number = shard.partition("/")
    if not (slash and index.isdigit() and number.isdigit() and 1 <= int(index) <= int(number) <= BUCKETS):
        raise KitError(
            f"`--shard {shard}` is not `i/N` with 1 <= i <= N <= {BUCKETS}", "write it like --shard 1/4 ... --shard 4/4"
        )
    return set(range(int(index) - 1, BUCKETS, int(number)))


@contextlib.contextmanager
def _claimed(job: JobFolder, wanted: set[int]) -> Generator[set[int]]:
    """The wanted buckets that no other worker holds, held until the end."""
    with contextlib.ExitStack() as held:
        mine: set[int] = set()
        for number in sorted(wanted):
            with contextlib.suppress(Timeout):
                held.enter_context(parts.lock(job.path, f"rows-{number:02d}", 0))
                mine.add(number)
        yield mine
