"""OpenVINO: exported detection networks on the CPU, several pictures in flight, one thread each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ufine_kit.errors import KitError, need

Answer = TypeVar("Answer")


class Network:
    """A network read from ONNX or from an OpenVINO export; `compile` makes it ready to run."""

    def __init__(self, model: Path) -> None:
        self._ov = need("openvino", "extract")
        self._core = self._ov.Core()
        try:
            self._network = self._core.read_model(str(model))
            self.input_shape = [int(size) for size in self._network.input(0).shape]
            self.output_shape = [int(size) for size in self._network.output(0).shape]
        except RuntimeError as error:
            raise KitError(
                f"OpenVINO cannot read `{model.name}`: {str(error).strip().splitlines()[-1][:160]}",
                "give --weights an ONNX file or an OpenVINO export with fixed shapes",
            ) from None

    def reshape(self, width: int, height: int) -> bool:
        """Take pictures of another size from now on, before `compile`; False where the network is bound to its own.

        Fully convolutional ones (YOLOX) allow it; exports whose cells or attention are of a fixed number do not.
        """
        shape = [1, 3, height, width]
        try:
            self._network.reshape(shape)
            made = [int(size) for size in self._network.output(0).shape]
        except RuntimeError:
            self._network.reshape(self.input_shape)
            return False
        self.input_shape, self.output_shape = shape, made
        return True

    def compile(self, streams: int, bgr: bool, divisor: float) -> None:
        """Ready for `streams` pictures at a time; `in_flight` of them may be under way."""
        # One thread a picture: the same boxes however many pictures are in flight. Precision is what suits the processor
        # (bfloat16 where it computes in it: a third less time), as in OpenVINO's own defaults.
        settings: dict[str, Any] = {
            "PERFORMANCE_HINT": "THROUGHPUT", "NUM_STREAMS": streams, "INFERENCE_NUM_THREADS": streams,
            "ENABLE_CPU_PINNING": False,
        }  # fmt: skip
        compiled = self._core.compile_model(self._taking_bytes(bgr, divisor), "CPU", settings)
        # Two a stream, so that none idles, and four whose outputs are being read.
        self.in_flight = 2 * streams + 4
        self._free = [compiled.create_infer_request() for _ in range(self.in_flight)]

    def begin(self, fill: Callable[[np.ndarray], None], read: Callable[[np.ndarray], Answer]) -> Callable[[], Answer]:
        """Start one picture: `fill` writes it, uint8 BGR [H, W, 3], where the network reads it, without a copy.

        Calling what comes back waits, and gives what `read` makes of the output.
        """
        request = self._free.pop()
        fill(request.get_input_tensor().data[0])
        request.start_async()

        def answer() -> Answer:
            request.wait()
            found = read(request.get_output_tensor(0).data)
            self._free.append(request)
            return found

        return answer

    def _taking_bytes(self, bgr: bool, divisor: float) -> Any:
        """The network with bytes in front: colours, layout and scale are then its own first, fast, steps."""
        from openvino.preprocess import ColorFormat, PrePostProcessor

        ov, steps = self._ov, PrePostProcessor(self._network)
        given = steps.input().tensor()
        given.set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC")).set_color_format(ColorFormat.BGR)
        steps.input().model().set_layout(ov.Layout("NCHW"))
        steps.input().preprocess().convert_element_type(ov.Type.f32)
        if not bgr:
            steps.input().preprocess().convert_color(ColorFormat.RGB)
        if divisor != 1.0:
            steps.input().preprocess().scale(divisor)
        return steps.build()
