"""OpenCV's YuNet face detector behind one call: a picture in, face boxes out. Its weights are the user's, by path."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ufine_kit.errors import KitError, need

# A blurred ear costs little, a face that was missed costs a person: below the detector's own default of 0.9.
SCORE = 0.6
NMS_IOU = 0.3
DETECTOR = "yunet"

Boxes = list[tuple[float, float, float, float]]


def open_yunet(weights: Path, score: float = SCORE) -> Callable[[np.ndarray], Boxes]:
    """A function from uint8 [H, W, 3] RGB to face boxes (x, y, width, height in pixels).

    Raises KitError when OpenCV is missing, or when the file is no YuNet network.
    """
    cv2 = need("cv2", "extract")
    if not weights.is_file():
        raise KitError(f"no weights `{weights}`", "give the ONNX file of YuNet to --blur-faces")
    try:
        network = cv2.FaceDetectorYN.create(str(weights), "", (320, 320), score, NMS_IOU)
    except cv2.error as error:
        raise KitError(
            f"`{weights}` is no YuNet network: {str(error).splitlines()[0]}", "give the ONNX file of YuNet"
        ) from None

    def find(rgb: np.ndarray) -> Boxes:
        network.setInputSize((rgb.shape[1], rgb.shape[0]))
        try:
            _, faces = network.detect(np.ascontiguousarray(rgb[:, :, ::-1]))
        except cv2.error as error:
            raise KitError(
                f"`{weights}` does not run as YuNet: {str(error).splitlines()[0]}", "give the ONNX file of YuNet"
            ) from None
        rows = [] if faces is None else np.asarray(faces)[:, :4].tolist()
        return [(x, y, width, height) for x, y, width, height in rows]

    return find
