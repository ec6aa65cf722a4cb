"""Faces by OpenCV for real: a network made on the spot with YuNet's outputs, which takes squares of pure red for faces."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image

from ufine_kit.errors import KitError

pytestmark = pytest.mark.full
STRIDES = (8, 16, 32)
CHANNELS = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}


def field(number: int, value: bytes | int | str) -> bytes:
    """One field of a protocol buffer."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    content = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(value: int) -> bytes:
    value &= 2**64 - 1
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def node(op: str, inputs: list[str], output: str, **ints: int | list[int]) -> bytes:
    attributes = [
        field(5, field(1, name) + (field(3, value) + field(20, 2) if isinstance(value, int) else listed(value)))
        for name, value in ints.items()
    ]
    return field(1, b"".join([*(field(1, name) for name in inputs), field(2, output), field(4, op), *attributes]))


def listed(values: list[int]) -> bytes:
    return b"".join(field(8, value) for value in values) + field(20, 7)


def tensor(name: str, values: list[float], dims: list[int], whole: bool = False) -> bytes:
    raw = struct.pack(f"<{len(values)}{'q' if whole else 'f'}", *values)
    content = b"".join(field(1, dim) for dim in dims) + field(2, 7 if whole else 1) + field(8, name) + field(9, raw)
    return field(5, content)


def value_info(number: int, name: str, dims: list[int]) -> bytes:
    shape = b"".join(field(1, field(1, dim)) for dim in dims)
    return field(number, field(1, name) + field(2, field(1, field(1, 1) + field(2, shape))))


def yunet(side: int = 320) -> bytes:
    """An ONNX file with YuNet's inputs and outputs. At stride 32 a cell is a face as far as it is red; its box is the cell."""
    nodes, weights, outputs = b"", b"", b""
    for stride in STRIDES:
        cells = (side // stride) ** 2
        nodes += node("AveragePool", ["input"], f"p{stride}", kernel_shape=[stride] * 2, strides=[stride] * 2)
        for name, channels in CHANNELS.items():
            out = f"{name}_{stride}"
            # Blue, green, red, as OpenCV feeds them: red less what is green or blue.
            red = [-1 / 255, -1 / 255, 1 / 255] if stride == 32 and name in ("cls", "obj") else [0.0] * 3
            bias = [0.5, 0.5, 0.0, 0.0] if name == "bbox" else [0.0] * channels
            weights += tensor(f"w_{out}", red * channels, [channels, 3, 1, 1]) + tensor(f"b_{out}", bias, [channels])
            weights += tensor(f"s_{out}", [1, -1, channels], [3], whole=True)
            nodes += node("Conv", [f"p{stride}", f"w_{out}", f"b_{out}"], f"c_{out}", kernel_shape=[1, 1])
            nodes += node("Transpose", [f"c_{out}"], f"t_{out}", perm=[0, 2, 3, 1])
            nodes += node("Reshape", [f"t_{out}", f"s_{out}"], out)
            outputs += value_info(12, out, [1, cells, channels])
    graph = nodes + field(2, "faces") + weights + value_info(11, "input", [1, 3, side, side]) + outputs
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 13))


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "faces.onnx"
    path.write_bytes(yunet())
    return path


def painted(width: int, height: int, *squares: tuple[int, int, int]) -> np.ndarray:
    """A grey picture with red squares (x, y, side)."""
    pixels = np.full((height, width, 3), 120, np.uint8)
    for x, y, side in squares:
        pixels[y : y + side, x : x + side] = (255, 0, 0)
    return pixels


def test_boxes_are_in_pixels_of_the_picture_whatever_its_size(weights):
    pytest.importorskip("cv2")
    from ufine_kit.adapters.faces import open_yunet

    find = open_yunet(weights)
    assert find(painted(320, 320)) == []
    ((x, y, width, height),) = find(painted(320, 640, (96, 64, 32)))
    assert (x, y, width, height) == pytest.approx((96, 64, 32, 32), abs=1)
    assert len(find(painted(333, 401, (32, 32, 32), (160, 256, 32)))) == 2


def test_faces_of_a_crop_are_blurred_and_all_else_stays(weights):
    pytest.importorskip("cv2")
    from ufine_kit.adapters.faces import open_yunet
    from ufine_kit.release.pixels import SEARCH_WIDTH_PX, blurred, faces_in

    stream = io.BytesIO()
    # Half the width that is searched: a square of 16 pixels fills a cell of 32 there.
    Image.fromarray(painted(SEARCH_WIDTH_PX // 2, 240, (48, 32, 16))).save(stream, "JPEG", quality=95)
    boxes = faces_in(stream.getvalue(), open_yunet(weights))
    assert boxes == [pytest.approx((48, 32, 16, 16), abs=1)]
    before, after = (
        np.asarray(Image.open(io.BytesIO(jpeg))).astype(int)
        for jpeg in (stream.getvalue(), blurred(stream.getvalue(), boxes))
    )
    assert abs(after[80:] - before[80:]).max() <= 6
    assert abs(after[32:48, 48:64] - before[32:48, 48:64]).mean() > 20


@pytest.mark.parametrize("content", [None, b"", b"no network at all"])
def test_weights_that_are_none_are_one_line(tmp_path, content):
    pytest.importorskip("cv2")
    from ufine_kit.adapters.faces import open_yunet

    if content is not None:
        (tmp_path / "faces.onnx").write_bytes(content)
    with pytest.raises(KitError, match=r"no weights|no YuNet") as caught:
        open_yunet(tmp_path / "faces.onnx")
    assert "YuNet" in caught.value.mend and "\n" not in caught.value.problem
