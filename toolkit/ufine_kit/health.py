"""What this machine has for each verb: optional dependencies, cores, memory, disk, GPU."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

# The first module of a verb's extra stands for all of it.
EXTRAS = {
    "extract": ("av", "cv2", "openvino", "onnxruntime"),
    "extract-yolo": ("ultralytics",),
    "extract-boxmot": ("boxmot",),
    "baseline": ("torch", "transformers", "tokenizers", "safetensors"),
    "hub": ("datasets", "huggingface_hub", "jinja2", "yaml"),
    "release": ("matplotlib",),
    "rewrite": ("aiohttp",),
    "campaign": ("httpx",),
    "ray": ("ray",),
}


def health(work: Path) -> dict[str, Any]:
    """One line a finding: `what`, `ok`, `detail`. Nothing is imported that may be heavy or missing."""
    lines = [_extra(name, modules) for name, modules in EXTRAS.items()]
    lines += [_cores(), _memory(), _disk(work), _gpu()]
    return {"ok": all(line["ok"] for line in lines if line["what"] != "gpu"), "lines": lines}


def _extra(name: str, modules: tuple[str, ...]) -> dict[str, Any]:
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    detail = f"lacks {', '.join(missing)}: uv pip install 'ufine-kit[{name}]'" if missing else "installed"
    return {"what": name, "ok": not missing, "detail": detail}


def _cores() -> dict[str, Any]:
    return {"what": "cores", "ok": True, "detail": str(os.cpu_count())}


def _memory() -> dict[str, Any]:
    names = os.sysconf_names if hasattr(os, "sysconf_names") else {}
    if "SC_PHYS_PAGES" not in names:
        return {"what": "memory", "ok": True, "detail": "unknown"}
    gib = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return {"what": "memory", "ok": gib >= 4, "detail": f"{gib:.1f} GiB"}


def _disk(work: Path) -> dict[str, Any]:
    place = next(folder for folder in [work.absolute(), *work.absolute().parents] if folder.exists())
    free = shutil.disk_usage(place).free / 2**30
    mine = os.access(place, os.W_OK)
    detail = f"{free:.1f} GiB free for {work}" + ("" if mine else f", and no right to write in {place}")
    return {"what": "disk", "ok": free >= 2 and mine, "detail": detail}


def _gpu() -> dict[str, Any]:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return {"what": "gpu", "ok": False, "detail": "none found: training and detection run on the processor"}
    asked = [tool, "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        answer = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=20)
    except subprocess.TimeoutExpired:
        return {"what": "gpu", "ok": False, "detail": f"{tool} does not answer"}
    return {"what": "gpu", "ok": answer.returncode == 0, "detail": answer.stdout.strip() or answer.stderr.strip()}
