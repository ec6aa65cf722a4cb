"""Arrays from .npy files, mapped and not read: one clear error for each way such a file can be wrong."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from ufine_kit.errors import KitError

MAGIC = b"\x93NUMPY"


def load_array(path: Path, flag: str) -> npt.NDArray[Any]:
    """The array in `path`, memory-mapped and read-only; raises KitError naming the file and `flag`."""
    dtype, shape = read_header(path, flag)
    if dtype.hasobject:
        problem = f"`{path}` holds python objects, which only unpickling could read"
        raise KitError(problem, "save it with a number or text dtype: `np.save(path, np.asarray(x, dtype=...))`")
    if 0 in shape:
        raise KitError(f"`{path}` is empty: shape {list(shape)}", f"give {flag} an array with rows")
    wanted = math.prod(shape) * dtype.itemsize
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError as error:
        problem = f"`{path}` ends early: shape {list(shape)} of `{dtype}` takes {wanted} bytes"
        raise KitError(problem, "write the file again; it was cut while saving or copying") from error


def read_header(path: Path, flag: str) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """The dtype and shape that the file claims."""
    try:
        with path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise KitError(f"`{path}` is not a .npy file", f"save one array with `np.save` and give it to {flag}")
            file.seek(0)
            version = npy.read_magic(file)
            read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            shape, _, dtype = read(file)
    except FileNotFoundError as error:
        raise KitError(f"`{path}` does not exist", f"give {flag} the path of a .npy file") from error
    except IsADirectoryError as error:
        raise KitError(f"`{path}` is a folder", f"give {flag} the path of a .npy file") from error
    except PermissionError as error:
        raise KitError(f"no right to read `{path}`", f"chmod u+r {path}") from error
    except ValueError as error:
        raise KitError(f"`{path}` has a damaged .npy header", "write the file again with `np.save`") from error
    return dtype, shape
