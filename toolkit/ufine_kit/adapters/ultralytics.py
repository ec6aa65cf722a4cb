"""Ultralytics (AGPL-3.0, an optional extra): networks in its own `.pt` format, TensorRT engines, and where its weights lie."""

from __future__ import annotations

import contextlib
import os
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import PIL.Image

from ufine_kit.errors import KitError, need

OFFICIAL = tuple(f"{family}{size}.pt" for family in ("yolov8", "yolo11", "yolo26") for size in "nsmlx")
OFFICIAL_DEFAULT = "yolo11n.pt"
_ASSETS = "https://github.com/ultralytics/assets/releases/download/v8.4.0/"
_FETCH_SECONDS = 10.0


def official_weights(name: str) -> Path:
    """An official weight file from the cache, fetched into it once. Raises KitError at once where that cannot be done."""
    cache = Path(os.environ.get("UFINE_CACHE", Path.home() / ".cache" / "ufine-kit")) / "weights"
    path = cache / name
    if path.is_file():
        return path
    mend = "give --weights PATH (a file you have), --detector onnx --weights yolox.onnx, or --detector hog (needs none)"
    if os.environ.get("UFINE_OFFLINE"):
        raise KitError(f"weights `{name}` are not in `{cache}` and UFINE_OFFLINE is set", mend)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with urllib.request.urlopen(_ASSETS + name, timeout=_FETCH_SECONDS) as reply:  # noqa: S310 (a fixed https address)
            content = reply.read()
    except (urllib.error.URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        raise KitError(f"weights `{name}` are not in `{cache}` and cannot be fetched: {reason}", mend) from None
    handle, temporary = tempfile.mkstemp(dir=cache)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
    Path(temporary).replace(path)
    return path


def import_quietly() -> ModuleType:
    """Import the library without its reach into the process: no look for updates, no pip, and Pillow left as it is.

    It replaces `PIL.Image.open` by a function that asks for a HEIF plugin where a picture is broken.
    """
    os.environ.update(YOLO_OFFLINE="true", YOLO_AUTOINSTALL="false")
    held = PIL.Image.open
    try:
        need("ultralytics.utils.patches", "extract-yolo")  # where it does so; later imports find it done
        return need("ultralytics", "extract-yolo")
    finally:
        PIL.Image.open = held


class Network:
    """A network on `device`, half precision on a GPU. `run` takes a batch; there is one answer a picture."""

    def __init__(self, weights: Path, device: str) -> None:
        import_quietly()
        torch = need("torch", "extract-yolo")
        from ultralytics.nn.autobackend import AutoBackend

        self._torch = torch
        chosen = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
        self._device = torch.device(chosen)
        half = self._device.type == "cuda"
        with _quiet():
            self._model: Any = AutoBackend(str(weights), device=self._device, fp16=half, fuse=True, verbose=False)
            self._model.eval()
        self._half = half
        self.end2end = bool(getattr(self._model, "end2end", False))

    @property
    def on_gpu(self) -> bool:
        return self._half

    def run(self, batch: np.ndarray) -> np.ndarray:
        """Outputs for uint8 BGR [B, H, W, 3]: float32 [B, ...] as the head reads them."""
        torch = self._torch
        with torch.inference_mode():
            given = torch.from_numpy(batch).to(self._device, non_blocking=True).permute(0, 3, 1, 2).flip(1)
            given = (given.half() if self._half else given.float()) / 255
            found = self._model(given.contiguous())
            found = found[0] if isinstance(found, (list, tuple)) else found
            return found.float().cpu().numpy()


@contextlib.contextmanager
def _quiet() -> Any:
    """Ultralytics talks on stdout, which is for data."""
    import logging

    logger = logging.getLogger("ultralytics")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
