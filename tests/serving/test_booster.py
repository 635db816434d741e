"""LightGBM's library through its C API gives what the lightgbm package gives, and only sees whole trees."""

import json
import random
import re
import subprocess
import sys
from pathlib import Path

import lightgbm
import numpy as np
import pytest
from numpy.typing import NDArray

from features.errors import ModelError
from serving.booster import Booster, check_text, read_trees
from serving.tree import Columns, Tree

NAMES = ("gap_s", "operator", "share", "n_links", "kind")
CATEGORICAL = [1, 4]

PREDICTED, REFUSED = 10, 20
IN_FORKS = """
import json, os, signal, sys
from pathlib import Path
import numpy as np
from features.errors import ModelError
from serving import booster

booster._library()
X = np.random.default_rng(0).normal(size=(64, 5)).round(1) * 4

def attempt(text):
    signal.alarm(5)
    try:
        trees = booster.Booster(text)
        trees.predict_raw(X, 1)
        trees.contributions(X, 1)
    except ModelError:
        return 20
    return 10

outcomes = []
for text in json.loads(Path(sys.argv[1]).read_text()):
    child = os.fork()
    if child == 0:
        os._exit(attempt(text))
    outcomes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print(json.dumps(outcomes))
"""


def matrix(seed: int, rows: int = 3000) -> NDArray[np.float64]:
    """Return random features: 3 measures and 2 codes, a tenth of them NaN."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(rows, len(NAMES)))
    X[:, CATEGORICAL] = random.integers(0, [40, 5], size=(rows, 2))
    X[random.random(X.shape) < 0.1] = np.nan
    return X


def grow(trees: int, leaves: int) -> lightgbm.Booster:
    X = matrix(0)
    y = (np.nan_to_num(X[:, 0]) + np.isin(X[:, 1], [3, 8, 35]) + 0.3 * (X[:, 4] == 2) > 0.5).astype(int)
    data = lightgbm.Dataset(X, y, feature_name=list(NAMES), categorical_feature=CATEGORICAL)
    options = {"objective": "binary", "num_leaves": leaves, "verbose": -1, "num_threads": 2, "seed": 1}
    return lightgbm.train(options, data, trees)


def with_sizes(text: str) -> str:
    """Return a changed text with the `tree_sizes` it has to have, lest its length give the change away."""
    top, _, body = text.partition("\n\n")
    trees = body.partition("end of trees")[0].split("Tree=")[1:]
    sizes = " ".join(str(len("Tree=" + tree)) for tree in trees)
    return re.sub(r"tree_sizes=.*", f"tree_sizes={sizes}", top) + "\n\n" + body


@pytest.fixture(scope="module")
def theirs() -> lightgbm.Booster:
    return grow(40, 31)


@pytest.fixture(scope="module")
def text(theirs: lightgbm.Booster) -> str:
    return str(theirs.model_to_string())


@pytest.fixture(scope="module")
def small() -> str:
    return str(grow(3, 6).model_to_string())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("threads", [0, 1, 2])
def test_margins_equal_the_package_bit_for_bit(theirs: lightgbm.Booster, text: str, dtype: type, threads: int) -> None:
    ours = Booster(text)
    for seed in range(3):
        X = matrix(seed).astype(dtype)
        expected = theirs.predict(X, raw_score=True)
        assert ours.predict_raw(X, threads).tobytes() == np.asarray(expected).tobytes()


def test_strange_values_equal_the_package_bit_for_bit(theirs: lightgbm.Booster, text: str) -> None:
    strange = [np.nan, np.inf, -np.inf, 0.0, -0.0, -1.0, 2.5, 41.0, 1e9, 3e38, 1e-40]
    X = np.array([[value] * 5 for value in strange], dtype=np.float32)
    assert Booster(text).predict_raw(X).tobytes() == np.asarray(theirs.predict(X, raw_score=True)).tobytes()


@pytest.mark.parametrize("layout", ["F", "every second row", "int64", "float16"])
def test_any_layout_gives_the_same(text: str, layout: str) -> None:
    X = np.nan_to_num(matrix(1, 200)).round()
    ours = Booster(text)
    expected = ours.predict_raw(X)
    if layout == "every second row":
        np.testing.assert_array_equal(ours.predict_raw(np.repeat(X, 2, axis=0)[::2]), expected)
    elif layout == "F":
        np.testing.assert_array_equal(ours.predict_raw(np.asfortranarray(X)), expected)
    else:
        np.testing.assert_array_equal(ours.predict_raw(X.astype(layout)), expected)


def test_contributions_equal_the_package_and_sum_to_the_margin(theirs: lightgbm.Booster, text: str) -> None:
    X = matrix(2, 50).astype(np.float32)
    ours = Booster(text)
    contributions = ours.contributions(X)
    assert contributions.shape == (50, 6)
    assert contributions.tobytes() == np.asarray(theirs.predict(X, pred_contrib=True)).tobytes()
    np.testing.assert_allclose(contributions.sum(axis=1), ours.predict_raw(X), atol=1e-12)


def test_contributions_do_not_depend_on_the_batch(text: str) -> None:
    X = matrix(4, 60)
    ours = Booster(text)
    parts = np.concatenate([ours.contributions(X[start : start + 7]) for start in range(0, 60, 7)])
    assert parts.tobytes() == ours.contributions(X).tobytes()


def leaf(tree: Tree, answers: NDArray[np.bool_]) -> list[int]:
    """Return the leaf that each row ends in if the nodes answer so."""
    ends = []
    for column in answers.T:
        place = 0
        while place >= 0:
            place = int((tree.left if column[place] else tree.right)[place])
        ends.append(~place)
    return ends


@pytest.mark.parametrize("unknown", ["NaN", "NaN, but none was seen", "zero"])
def test_the_trees_nodes_answer_as_the_package_does(unknown: str) -> None:
    X, strange = matrix(0).astype(np.float32), [np.nan, np.inf, -np.inf, 0.0, -0.0, -1.0, -0.5, 2.5, 41.0, 1e9, 1e-40]
    X = np.nan_to_num(X) if unknown == "NaN, but none was seen" else X
    data = lightgbm.Dataset(
        X, np.nan_to_num(X[:, 0]) + np.isin(X[:, 1], [3, 8, 35]) > 0.5, categorical_feature=CATEGORICAL
    )
    options = {"objective": "binary", "verbose": -1, "num_threads": 1, "zero_as_missing": unknown == "zero"}
    theirs = lightgbm.train(options, data, 10)
    rows = np.concatenate([matrix(7, 300).astype(np.float32), np.array([[v] * 5 for v in strange], dtype=np.float32)])
    expected = np.asarray(theirs.predict(rows, pred_leaf=True))
    trees = read_trees(str(theirs.model_to_string()))
    assert len(trees) == 10
    for tree, leaves in zip(trees, expected.T, strict=True):
        assert leaf(tree, tree.goes_left(Columns(rows.T.copy()))) == leaves.tolist()


def test_a_threshold_between_two_float32_is_the_lower_one(small: str) -> None:
    below = np.float32(0.1)
    between = str(np.float64(below) + 1e-12)
    text = re.sub(r"(?m)^threshold=.*", lambda line: re.sub(r"-?[0-9]+\.[-+0-9e]+", between, line[0]), small)
    numeric = [at for at in read_trees(with_sizes(text))[0].at_most if not np.isnan(at)]
    assert numeric
    assert set(numeric) == {below}


def test_trees_are_read_as_the_package_dumps_them(theirs: lightgbm.Booster, text: str) -> None:
    for tree, dumped in zip(read_trees(text), theirs.dump_model()["tree_info"], strict=True):
        open_nodes = [(dumped["tree_structure"], 0)]
        while open_nodes:
            node, place = open_nodes.pop()
            if "leaf_index" in node:
                assert (node["leaf_index"], node["leaf_value"]) == (~place, tree.value[~place])
                continue
            counts = [
                child.get("internal_count", child.get("leaf_count"))
                for child in (node["left_child"], node["right_child"])
            ]
            assert (node["split_index"], node["split_feature"]) == (place, tree.feature[place])
            assert tree.left_share[place] == counts[0] / sum(counts)
            open_nodes += [(node["left_child"], tree.left[place]), (node["right_child"], tree.right[place])]


def test_a_node_that_nobody_counted_sends_half_each_way(small: str) -> None:
    uncounted = re.sub(r"(internal|leaf)_count=.*", lambda line: re.sub(r"\b[0-9]+\b", "0", line[0]), small)
    assert {share for tree in read_trees(with_sizes(uncounted)) for share in tree.left_share} == {0.5}


def test_names_and_number_of_trees(text: str) -> None:
    booster = Booster(text)
    assert booster.feature_names == NAMES
    assert booster.n_trees == 40


def test_no_rows_give_no_margins(text: str) -> None:
    assert Booster(text).predict_raw(np.empty((0, 5), dtype=np.float32)).shape == (0,)


@pytest.mark.parametrize("shape", [(5,), (2, 4), (2, 6)])
def test_another_shape_is_refused(text: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"X has shape \(.*\); the model's features need \(n, 5\)"):
        Booster(text).predict_raw(np.zeros(shape))


def test_a_closed_booster_does_not_predict(text: str) -> None:
    booster = Booster(text)
    booster.close()
    booster.close()
    with pytest.raises(ValueError, match="closed"):
        booster.predict_raw(np.zeros((1, 5)))


def test_a_tree_of_one_leaf_is_whole() -> None:
    data = lightgbm.Dataset(np.zeros((50, 2)), np.arange(50) % 4 == 0)
    one = lightgbm.train({"objective": "binary", "verbose": -1}, data, 2).model_to_string()
    margin = Booster(one).predict_raw(np.zeros((1, 2)))
    np.testing.assert_allclose(margin, np.log(13 / 37))


def test_predicting_imports_neither_lightgbm_nor_its_friends(text: str, tmp_path: Path) -> None:
    (tmp_path / "booster.txt").write_text(text)
    program = """
import sys
from pathlib import Path
import numpy as np
from serving.booster import Booster
margin = Booster(Path(sys.argv[1]).read_text()).predict_raw(np.zeros((2, 5), dtype=np.float32))
assert margin.shape == (2,) and margin[0] == margin[1]
heavy = {"lightgbm", "sklearn", "pandas", "mlflow", "scipy", "pyarrow", "joblib"}
print(sorted(heavy & {name.partition(".")[0] for name in sys.modules}))
"""
    command = [sys.executable, "-c", program, str(tmp_path / "booster.txt")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert (done.stdout, done.stderr) == ("[]\n", "")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("tree\nversion", "forest\nversion", r"'forest' instead of 'tree'"),
        ("version=v4", "version=v9", r"version 'v9' instead of 'v4'"),
        ("num_class=1", "num_class=3", r"num_class '3' instead of '1'"),
        ("num_class=1\n", "", r"no 'num_class'"),
        ("max_feature_idx=4", "max_feature_idx=3", r"unequal numbers of feature_names"),
        ("=gap_s operator", "=gap_s", r"unequal numbers of feature_names"),
        ("tree_sizes=", "tree_sizes=1 ", r"a tree 0 of another size than tree_sizes has"),
        ("end of trees", "end of tries", r"another number of trees than tree_sizes has"),
        ("Tree=1\n", "Tree=7\n", r"a tree 1 of another size"),
        ("split_feature=0", "split_feature=9", r"tree 0: split_feature or decision_type out of range"),
        ("left_child=1", "left_child=0", r"tree 0: children that form no tree"),
        ("leaf_value=-", "leaf_value=x", r"tree 0: leaf_value of something else than 6 numbers"),
        ("num_leaves=6", "num_leaves=9", r"tree 0: leaf_value of something else than 9 numbers"),
        ("cat_threshold=", "cat_threshold=-", r"tree 0: cat_boundaries or cat_threshold out of range"),
        ("num_cat=", "num_cat=1", r"tree 0: another number of splits by category"),
        ("is_linear=0", "is_linear=1", r"tree 0: no leaves, or linear leaves"),
        ("gap_s", "gap\x00", r"a control character"),
    ],
)
def test_a_damaged_text_is_refused_with_the_place(small: str, old: str, new: str, message: str) -> None:
    assert old in small
    damaged = small.replace(old, new, 1)
    damaged = with_sizes(damaged) if "tree " in message and "size" not in message else damaged
    with pytest.raises(ModelError, match=rf"booster: .*{message}.*; train the model again"):
        check_text(damaged)


def changed(text: str, dice: random.Random) -> str:
    """Return the text with one random change: a character, a number, lines left out, or the end cut off."""
    lines = text.split("\n")
    at = dice.randrange(lines.index("end of trees") if dice.random() < 0.8 else len(lines))
    kind, line = dice.randrange(8), lines[at]
    if kind < 3 and line:
        place = dice.randrange(len(line))
        lines[at] = line[:place] + dice.choice("0123456789-. =e") + line[place + 1 :]
    elif kind < 6:
        name, equals, value = line.partition("=")
        values = value.split(" ")
        values[dice.randrange(len(values))] = dice.choice(["-1", "0", "7", "99999", "1e9", "nan", "", "-9"])
        lines[at] = name + equals + " ".join(values)
    elif kind < 7:
        lines[at : at + dice.randrange(3)] = []
    else:
        return text[: dice.randrange(len(text))]
    return with_sizes("\n".join(lines))


def test_whatever_changes_in_the_text_the_process_lives_on(small: str, tmp_path: Path) -> None:
    """Each change is tried in a fork of a child that has loaded LightGBM but not started its threads."""
    texts = [changed(small, random.Random(seed)) for seed in range(300)]  # noqa: S311 - no secrets
    (tmp_path / "texts.json").write_text(json.dumps(texts))
    command = [sys.executable, "-c", IN_FORKS, str(tmp_path / "texts.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    outcomes = json.loads(done.stdout)
    died = [seed for seed, outcome in enumerate(outcomes) if outcome not in (PREDICTED, REFUSED)]
    assert not died
    assert outcomes.count(REFUSED) > 100
