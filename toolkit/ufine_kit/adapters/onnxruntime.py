"""ONNX Runtime: exported detection networks where OpenVINO is not there, or on a CUDA device."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np

from ufine_kit.errors import KitError, need

Answer = TypeVar("Answer")


class Network:
    """A network read from ONNX; `compile` makes it ready to run."""

    def __init__(self, model: Path) -> None:
        ort = need("onnxruntime", "extract")
        options = ort.SessionOptions()
        # One thread a picture: the same boxes however many pictures are in flight.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        known = ort.get_available_providers()
        wanted = [name for name in ("CUDAExecutionProvider", "CPUExecutionProvider") if name in known]
        try:
            self._session = ort.InferenceSession(str(model), options, providers=wanted)
        except Exception as error:  # its exceptions share no public base class
            if not type(error).__module__.startswith("onnxruntime"):
                raise
            raise KitError(
                f"ONNX Runtime cannot read `{model.name}`: {str(error).splitlines()[0][:160]}",
                "give --weights an ONNX file with fixed shapes",
            ) from None
        given, made = self._session.get_inputs()[0], self._session.get_outputs()[0]
        self._name = given.name
        # A size that is a name is not fixed: -1 fits no head, which says so.
        self.input_shape, self.output_shape = (
            [size if isinstance(size, int) else -1 for size in shape] for shape in (given.shape, made.shape)
        )

    def reshape(self, width: int, height: int) -> bool:
        """A session takes the size it was exported with, and no other."""
        return [height, width] == self.input_shape[2:]

    def compile(self, streams: int, bgr: bool, divisor: float) -> None:
        """Ready for `streams` pictures at a time; `in_flight` of them may be under way."""
        self._bgr, self._divisor = bgr, np.float32(divisor)
        self._pool = ThreadPoolExecutor(streams, "onnxruntime")
        self.in_flight = 2 * streams

    def begin(self, fill: Callable[[np.ndarray], None], read: Callable[[np.ndarray], Answer]) -> Callable[[], Answer]:
        """Start one picture: `fill` writes it, uint8 BGR [H, W, 3]. Calling what comes back waits, and gives what `read`
        makes of the output.
        """
        picture = np.empty((*self.input_shape[2:], 3), dtype=np.uint8)
        fill(picture)
        future = self._pool.submit(self._run, picture)
        return lambda: read(future.result())

    def _run(self, picture: np.ndarray) -> np.ndarray:
        ordered = picture if self._bgr else picture[:, :, ::-1]
        given = np.ascontiguousarray(ordered.transpose(2, 0, 1)[None], dtype=np.float32) / self._divisor
        return self._session.run(None, {self._name: given})[0]
