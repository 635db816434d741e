"""LightGBM's trees without the lightgbm package: its documented C API on the shared library of its wheel.

Importing the package costs 2.6 s, because it imports pandas and scikit-learn wherever they are installed; the
library alone loads in 0.03 s and gives the same numbers to the last bit.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import re
import weakref
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.errors import ModelError
from serving.tree import Tree

# Values of LightGBM's c_api.h.
_DTYPES = {np.dtype(np.float32): 0, np.dtype(np.float64): 1}
_RAW_SCORE = 1
_CONTRIBUTIONS = 3
_MAX_ROWS = 2**31 - 1
_LIBRARY_NAMES = ("lib_lightgbm.so", "lib_lightgbm.dylib", "lib_lightgbm.dll")

_NUMBER = r"-?(?:[0-9]+(?:\.[0-9]*)?(?:e[-+]?[0-9]{1,3})?|inf)"
_NUMBERS = re.compile(rf"{_NUMBER}(?: {_NUMBER})*")
_INTEGERS = re.compile(r"-?[0-9]{1,10}(?: -?[0-9]{1,10})*")
_FIELD = re.compile(r"([a-z_]+)=([^=]*)")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
_PER_NODE = ("split_gain", "threshold", "internal_value", "internal_weight", "internal_count")
_PER_LEAF = ("leaf_weight", "leaf_count")
# Bits of decision_type; two more say what counts as not known.
_CATEGORICAL, _DEFAULT_LEFT, _ZERO_UNKNOWN, _NAN_UNKNOWN = 1, 2, 4, 8


class Booster:
    """The trees of one model text, ready to predict.

    `feature_names` are the inputs in order, `n_trees` is the number of trees. `check_text` looks at the text
    first and raises ModelError; so does whatever LightGBM refuses. One booster may predict from several
    threads. `close()` frees LightGBM's memory; so does the garbage collector.
    """

    def __init__(self, text: str) -> None:
        self.feature_names = check_text(text)
        self._library = _library()
        self._handle, n_trees = ctypes.c_void_p(), ctypes.c_int()
        self._call("BoosterLoadModelFromString", text.encode(), ctypes.byref(n_trees), ctypes.byref(self._handle))
        self.close = weakref.finalize(self, self._library.LGBM_BoosterFree, self._handle)
        self.n_trees = n_trees.value
        if self._names() != self.feature_names:
            raise ModelError("booster: LightGBM reads other feature names than the text has; train it again")

    def predict_raw(self, X: NDArray[Any], threads: int = 0) -> NDArray[np.float64]:
        """Return the raw margin (log odds before calibration) of each row, shape (n,).

        `X` has shape (n, n_features) and is float32 or float64, NaN where a value is not known; C-contiguous
        rows are read in place. `threads` 0 takes every core. Raises ValueError for another shape.
        """
        return self._predict(X, _RAW_SCORE, 1, threads)[:, 0]

    def contributions(self, X: NDArray[Any], threads: int = 0) -> NDArray[np.float64]:
        """Return what each feature adds to the raw margin (SHAP values), shape (n, n_features + 1).

        The last column is the margin of an event of which nothing is known; a row sums to its raw margin.
        About 800 times the work of `predict_raw`: for chosen rows only.
        """
        return self._predict(X, _CONTRIBUTIONS, len(self.feature_names) + 1, threads)

    def _predict(self, X: NDArray[Any], kind: int, width: int, threads: int) -> NDArray[np.float64]:
        if not self.close.alive:
            raise ValueError("the booster is closed")
        if X.ndim != 2 or X.shape[1] != len(self.feature_names) or len(X) > _MAX_ROWS:
            expected = f"(n, {len(self.feature_names)}), n at most {_MAX_ROWS}"
            raise ValueError(f"X has shape {X.shape}; the model's features need {expected}")
        rows = np.ascontiguousarray(X, dtype=X.dtype if X.dtype in _DTYPES else np.float64)
        result = np.empty((len(rows), width), dtype=np.float64)
        if not len(rows):
            return result
        written = ctypes.c_int64()
        self._call(
            "BoosterPredictForMat",
            self._handle,
            rows.ctypes.data_as(ctypes.c_void_p),
            ctypes.c_int(_DTYPES[rows.dtype]),
            ctypes.c_int32(rows.shape[0]),
            ctypes.c_int32(rows.shape[1]),
            ctypes.c_int(1),  # row-major
            ctypes.c_int(kind),
            ctypes.c_int(0),  # from the first tree
            ctypes.c_int(-1),  # to the last
            f"num_threads={max(threads, 0)} verbosity=-1".encode(),
            ctypes.byref(written),
            result.ctypes.data_as(ctypes.POINTER(ctypes.c_double)),
        )
        if written.value != result.size:
            raise ModelError(f"booster: LightGBM gave {written.value} values instead of {result.size}")
        return result

    def _names(self) -> tuple[str, ...]:
        size = max(len(name.encode()) for name in self.feature_names) + 1
        buffers = [ctypes.create_string_buffer(size) for _ in self.feature_names]
        pointers = (ctypes.c_void_p * len(buffers))(*map(ctypes.addressof, buffers))
        found, needed = ctypes.c_int(), ctypes.c_size_t()
        self._call(
            "BoosterGetFeatureNames",
            self._handle,
            ctypes.c_int(len(buffers)),
            ctypes.byref(found),
            ctypes.c_size_t(size),
            ctypes.byref(needed),
            pointers,
        )
        whole = found.value == len(buffers) and needed.value <= size
        return tuple(buffer.value.decode() for buffer in buffers) if whole else ()

    def _call(self, name: str, *arguments: object) -> None:
        if getattr(self._library, f"LGBM_{name}")(*arguments) != 0:
            reason = self._library.LGBM_GetLastError().decode("utf-8", "replace")
            raise ModelError(f"booster: LightGBM's {name} failed ({reason}); train the model again")


@cache
def _library() -> ctypes.CDLL:
    spec = importlib.util.find_spec("lightgbm")
    if spec is None or spec.origin is None:
        raise ModelError("lightgbm is not installed; install clicksift again, with its dependencies")
    folder = Path(spec.origin).parent
    places = (folder / place / name for place in ("lib", "bin", "") for name in _LIBRARY_NAMES)
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise ModelError(f"{folder}: holds no lib_lightgbm; install lightgbm again, from its wheel")
    try:
        library = ctypes.CDLL(os.fspath(found))
    except OSError as error:
        packages = "apt-get install libgomp1, dnf install libgomp or brew install libomp"
        raise ModelError(f"{found}: cannot be loaded ({error}); it needs OpenMP: {packages}") from error
    library.LGBM_GetLastError.restype = ctypes.c_char_p
    library.LGBM_BoosterFree.argtypes = [ctypes.c_void_p]
    return library


def check_text(text: str) -> tuple[str, ...]:
    """Return the feature names of a model text whose trees are whole.

    LightGBM trusts the text: a wrong size, index or number in it ends the process (SIGABRT, SIGSEGV) or keeps
    it in a loop. So each tree is checked first: sizes, lengths, that its nodes form one tree, that they point
    at features and categories which exist. Raises ModelError that names the tree.
    """
    where = ""
    try:
        trees, names = split_text(text)
        for index, tree in enumerate(trees):
            where = f"tree {index}: "
            _check_tree(_fields(tree.split("\n")[1:]), len(names))
    except KeyError as error:
        raise ModelError(f"booster: {where}no {error} in the text; train the model again") from None
    except ValueError as error:
        raise ModelError(f"booster: {where}{error} in the text; train the model again") from None
    return names


def read_trees(text: str) -> tuple[Tree, ...]:
    """Return the trees of a model text that `check_text` has found whole, in the order in which they add up."""
    return tuple(_tree(_fields(tree.split("\n")[1:])) for tree in split_text(text)[0])


def _tree(fields: dict[str, str]) -> Tree:
    value = _floats(fields["leaf_value"])
    if len(value) == 1:
        nodes, flags = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.bool_)
        return Tree(nodes, np.empty(0, np.float32), flags, flags, {}, nodes, nodes, np.empty(0), value)
    feature, decision, left, right = (
        _integers(fields[name]) for name in ("split_feature", "decision_type", "left_child", "right_child")
    )
    threshold, is_code = _floats(fields["threshold"]), (decision & _CATEGORICAL) != 0
    unknown_left = np.where(decision & (_ZERO_UNKNOWN | _NAN_UNKNOWN), (decision & _DEFAULT_LEFT) != 0, threshold >= 0)
    # Counted down from -1, leaves are where a child below 0 looks for them.
    rows = np.concatenate([_floats(fields["internal_count"]), _floats(fields["leaf_count"])[::-1]])
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        share = rows[left] / (rows[left] + rows[right])
        at_most = threshold.astype(np.float32)
    # A float32 is at most a float64 where it is at most the float32 below it.
    at_most = np.where(at_most > threshold, np.nextafter(at_most, np.float32(-np.inf)), at_most)
    return Tree(
        feature=feature,
        at_most=np.where(is_code, np.float32(np.nan), at_most),
        unknown_left=unknown_left & ~is_code,
        zero_unknown=((decision & _ZERO_UNKNOWN) != 0) & ~is_code,
        categories={int(node): _chosen_codes(fields, int(threshold[node])) for node in np.flatnonzero(is_code)},
        left=left,
        right=right,
        left_share=np.where((share >= 0) & (share <= 1), share, 0.5),
        value=value,
    )


def _chosen_codes(fields: dict[str, str], run: int) -> NDArray[np.bool_]:
    """Return which codes go left, with a last entry for all beyond: words of 32 codes, the lowest bit first."""
    first, last = _integers(fields["cat_boundaries"])[run : run + 2]
    words = _integers(fields["cat_threshold"])[first:last]
    return np.append((words[:, None] >> np.arange(32)) & 1, 0).astype(np.bool_)


def _floats(text: str) -> NDArray[np.float64]:
    return np.array(text.split(" "), dtype=np.float64)


def split_text(text: str) -> tuple[list[str], tuple[str, ...]]:
    """Return the text of each tree, and the feature names. Raises ValueError or KeyError for another text."""
    top, _, body = text.partition("\n\n")
    first, *lines = top.split("\n")
    if first != "tree" or _CONTROL.search(text):
        raise ValueError(f"{first[:20]!r} instead of 'tree' at the start, or a control character")
    header = _fields(lines)
    for name, expected in (("version", "v4"), ("num_class", "1"), ("num_tree_per_iteration", "1")):
        if header[name] != expected:
            raise ValueError(f"{name} {header[name][:20]!r} instead of {expected!r}")
    names = tuple(header["feature_names"].split(" "))
    numbers = {int(_integers(header["max_feature_idx"], 1)[0]) + 1, len(header["feature_infos"].split(" "))}
    if numbers != {len(names)} or not all(names):
        raise ValueError("unequal numbers of feature_names, feature_infos and max_feature_idx")
    return _split_trees(body.encode(), _integers(header["tree_sizes"]).tolist()), names


def _split_trees(body: bytes, sizes: list[int]) -> list[str]:
    trees, at = [], 0
    for index, size in enumerate(sizes):
        tree = body[at : at + size].decode("utf-8", "replace")
        if not tree.startswith(f"Tree={index}\n") or not tree.endswith("\n\n\n"):
            raise ValueError(f"a tree {index} of another size than tree_sizes has")
        trees.append(tree)
        at += size
    if not body[at:].startswith(b"end of trees\n"):
        raise ValueError("another number of trees than tree_sizes has")
    return trees


def _fields(lines: list[str]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in filter(None, lines):
        field = _FIELD.fullmatch(line)
        if field is None or field[1] in fields:
            raise ValueError(f"line {line[:20]!r}")
        fields[field[1]] = field[2]
    return fields


def _check_tree(fields: dict[str, str], n_features: int) -> None:
    (n_leaves,), (n_categorical,) = _integers(fields["num_leaves"], 1), _integers(fields["num_cat"], 1)
    n_nodes = int(n_leaves) - 1
    if n_nodes < 0 or fields["is_linear"] != "0":
        raise ValueError("no leaves, or linear leaves")
    _check_numbers(fields, ("shrinkage",), 1)
    _check_numbers(fields, ("leaf_value",), n_nodes + 1)
    if not n_nodes:
        return  # LightGBM leaves the other fields of a tree of one leaf empty
    _check_numbers(fields, _PER_LEAF, n_nodes + 1)
    _check_numbers(fields, _PER_NODE, n_nodes)
    features, decisions = (_integers(fields[name], n_nodes) for name in ("split_feature", "decision_type"))
    if min(features.min(), decisions.min()) < 0 or features.max() >= n_features or decisions.max() > 15:
        raise ValueError("split_feature or decision_type out of range")
    children = [_integers(fields[name], n_nodes) for name in ("left_child", "right_child")]
    # Leaves count down from -1, nodes up from the root, which is 0 and nobody's child.
    once_each = np.delete(np.arange(-n_nodes - 1, n_nodes), n_nodes + 1)
    deeper = all(((child < 0) | (child > np.arange(n_nodes))).all() for child in children)
    if not deeper or not np.array_equal(np.sort(np.concatenate(children)), once_each):
        raise ValueError("children that form no tree")
    _check_categories(fields, (decisions & _CATEGORICAL) != 0, int(n_categorical))


def _check_categories(fields: dict[str, str], is_categorical: NDArray[np.bool_], n_categorical: int) -> None:
    """Check that each split by category points at its own run of `cat_threshold`, bits in 32-bit words."""
    runs = np.array(fields["threshold"].split(" "), dtype=np.float64)[is_categorical]
    if np.sort(runs).tolist() != list(range(n_categorical)):
        raise ValueError("another number of splits by category than num_cat has")
    if n_categorical:
        bounds = _integers(fields["cat_boundaries"], n_categorical + 1)
        words = _integers(fields["cat_threshold"], int(bounds[-1]))
        if bounds[0] != 0 or np.diff(bounds).min() < 1 or words.min() < 0 or words.max() >= 2**32:
            raise ValueError("cat_boundaries or cat_threshold out of range")


def _integers(text: str, count: int | None = None) -> NDArray[np.int64]:
    if not _INTEGERS.fullmatch(text):
        raise ValueError(f"{text[:20]!r} instead of whole numbers")
    values = np.array(text.split(" "), dtype=np.int64)
    if count is not None and len(values) != count:
        raise ValueError(f"{len(values)} whole numbers instead of {count}")
    return values


def _check_numbers(fields: dict[str, str], names: tuple[str, ...], count: int) -> None:
    for name in names:
        if fields[name].count(" ") != count - 1 or not _NUMBERS.fullmatch(fields[name]):
            raise ValueError(f"{name} of something else than {count} numbers")
