"""OpenCV's built-in person detector (histograms of oriented gradients): no weights, upright people of 80 px and more."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np

from ufine_kit.errors import KitError, need

# The detector's window is 128 px high with a margin: smaller people are found when the picture is made this high.
PICTURE_HEIGHT_PX = 720
# The window has a margin around the person, as its training pictures had: left, top, width and height of the person as
# shares of the window. Measured on PETS09 (precision and recall at IoU 0.5): 0.90 and 0.69, as against 0.49 and 0.37 with
# the margins of 16 px that the training pictures are said to have.
_PERSON = (0.2, 0.1, 0.6, 0.8)


class PeopleDetector:
    """`begin` starts a picture in a pool of threads."""

    def __init__(self, threads: int) -> None:
        cv2 = need("cv2", "extract")
        if not hasattr(cv2, "HOGDescriptor"):
            raise KitError(f"OpenCV {cv2.__version__} has no HOG detector", "uv pip install 'opencv-python<5'")
        # Its own threads would give boxes in an order of chance; pictures run side by side instead.
        cv2.setNumThreads(0)
        self._hog = cv2.HOGDescriptor()
        self._hog.setSVMDetector(cv2.HOGDescriptor_getDefaultPeopleDetector())
        self._pool = ThreadPoolExecutor(threads, "hog")
        self.in_flight = 2 * threads

    def begin(self, bgr: np.ndarray) -> Future[np.ndarray]:
        """Boxes of one picture to come: float64 [n, 5] of x, y, w, h in its pixels and a confidence."""
        return self._pool.submit(self._run, bgr)

    def _run(self, bgr: np.ndarray) -> np.ndarray:
        found: Any = self._hog.detectMultiScale(bgr, winStride=(8, 8), padding=(16, 16), scale=1.05)
        boxes, margins = np.asarray(found[0], dtype=np.float64).reshape(-1, 4), np.asarray(found[1]).reshape(-1)
        # Distances from the separating plane as confidences: 0.4 at 0.5, 0.63 at 1, 0.86 at 2.
        confidence = 1 - np.exp(-np.clip(margins.astype(np.float64), 0, None))
        boxes[:, :2] += boxes[:, 2:4] * _PERSON[:2]
        boxes[:, 2:4] *= _PERSON[2:]
        return np.column_stack([boxes, confidence])
