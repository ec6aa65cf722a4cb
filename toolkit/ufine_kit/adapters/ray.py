"""Parts on Ray: an existing cluster by RAY_ADDRESS, else a local one on loopback that ends with the command."""

from __future__ import annotations

import os
from collections.abc import Iterator

from ufine_kit.engine import Result, Task, make_part
from ufine_kit.errors import KitError, need


def run_on_ray(tasks: list[Task], workers: int) -> Iterator[Result]:
    """Results in the order they come. A lost worker's part is made again by another one; a part is a task.

    Raises KitError when Ray is not installed, or when no cluster answers.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    ray = need("ray", "ray")
    address = os.environ.get("RAY_ADDRESS")
    quiet = {"log_to_driver": False, "logging_level": "ERROR"}
    try:
        if address:
            ray.init(address=address, **quiet)
        else:
            ray.init(num_cpus=max(workers, 1), include_dashboard=False, _node_ip_address="127.0.0.1", **quiet)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise KitError(f"Ray does not start: {error}", "unset RAY_ADDRESS, or use --engine local") from None
    try:
        make = ray.remote(make_part)
        waiting = [make.options(num_gpus=task.gpus, max_retries=3).remote(task) for task in tasks]
        while waiting:
            ready, waiting = ray.wait(waiting)
            for result in ready:
                yield _result(ray, result)
    finally:
        ray.shutdown()


def _result(ray: object, reference: object) -> Result:
    """The value of a finished task; an error for people comes back as itself, not wrapped in Ray's."""
    from ray.exceptions import RayError, RayTaskError

    try:
        return ray.get(reference)  # type: ignore[attr-defined]
    except RayTaskError as wrapped:
        if isinstance(wrapped.cause, KitError):
            raise wrapped.cause from None
        raise
    except RayError as error:
        problem = f"Ray lost a part: {type(error).__name__} (out of memory?)"
        raise KitError(problem, "run again with fewer --workers: finished parts are kept") from None
