"""A model is its directory: what is saved is what is loaded, and nothing that was changed is."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from features.errors import InputError, ModelError
from serving import model_directory
from serving.model import BotClickModel, Calibration, Thresholds
from serving.reputation import REPUTATION_NAMES, SCHEMA

NAMES = ("gap_s", "operator", "share")
PRINT = "0123456789abcdef"
DEFAULT = Thresholds(0.9, 0.2, 0.003, "upper 95 % limit of lost people, 12,000 people's clicks")
OPENS = Thresholds(0.8, 0.5, 0.01, "the same, opens")


def matrix(seed: int, rows: int = 500) -> NDArray[np.float32]:
    random = np.random.default_rng(seed)
    X = random.normal(size=(rows, 3)).astype(np.float32)
    X[random.random(X.shape) < 0.1] = np.nan
    return X


@pytest.fixture(scope="module")
def booster_text() -> str:
    X = matrix(0)
    data = lightgbm.Dataset(X, np.nan_to_num(X[:, 0]) > 0, feature_name=list(NAMES))
    options = {"objective": "binary", "num_leaves": 5, "verbose": -1, "num_threads": 1}
    return str(lightgbm.train(options, data, 10).model_to_string())


def make(booster_text: str, **changes: Any) -> BotClickModel:
    parts: dict[str, Any] = {
        "calibration": Calibration(1.1, 0.9, -0.2),
        "thresholds": {"default": DEFAULT, "opened": OPENS},
        "card": "# Model\n\nTrained on simulated worlds, nobody's data.\n",
        "created": date(2026, 6, 17),
        "feature_names": NAMES,
        "feature_fingerprint": PRINT,
        "reference": {"asn": "2026-06-17"},
        "training": {"data_fingerprint": "ab12", "events": 1000, "worlds": 4, "seeds": (1, 2)},
        "metrics": {"auc": 0.998, "loss": None},
    }
    return BotClickModel.create(booster_text, **(parts | changes))


@pytest.fixture(scope="module")
def model(booster_text: str) -> BotClickModel:
    return make(booster_text)


@pytest.fixture
def saved(model: BotClickModel, tmp_path: Path) -> Path:
    """Return the directory of a model."""
    model.save(tmp_path / "model")
    return tmp_path / "model"


def load(folder: Path) -> BotClickModel:
    return BotClickModel.load(folder, PRINT, NAMES)


# Calibration


def test_calibration_of_ones_is_the_sigmoid() -> None:
    margin = np.array([-800.0, -40.0, -2.0, 0.0, 2.0, 40.0, 800.0])
    expected = [0.0, 4.248354255291589e-18, 0.11920292202211755, 0.5, 0.8807970779778824, 1.0, 1.0]
    np.testing.assert_allclose(Calibration(1, 1, 0).apply(margin), expected, rtol=1e-14)


def test_calibration_is_the_formula_where_the_formula_can_be_computed() -> None:
    margin = np.linspace(-20, 20, 401)
    p = 1 / (1 + np.exp(-margin))
    expected = 1 / (1 + np.exp(-(1.7 * np.log(p) - 0.4 * np.log(1 - p) + 0.3)))
    np.testing.assert_allclose(Calibration(1.7, 0.4, 0.3).apply(margin), expected, rtol=1e-6)


parameters = st.floats(0, 50)


@given(
    a=parameters,
    b=parameters,
    c=st.floats(-1e300, 1e300),
    margins=st.lists(st.floats(allow_nan=False), min_size=1, max_size=30),
)
def test_a_higher_margin_never_gets_a_lower_probability(a: float, b: float, c: float, margins: list[float]) -> None:
    if max(a, b) < 1e-3:
        return
    probability = Calibration(a, b, c).apply(np.array(sorted(margins)))
    assert ((probability >= 0) & (probability <= 1)).all()
    assert (np.diff(probability) >= -1e-14).all()


def test_an_unknown_margin_stays_unknown() -> None:
    assert np.isnan(Calibration(1, 1, 0).apply(np.array([np.nan]))).all()


@pytest.mark.parametrize(
    "numbers", [(-0.1, 1, 0), (1, -0.1, 0), (0, 0, 1), (np.nan, 1, 0), (1, np.inf, 0), (1, 1, "0")]
)
def test_a_calibration_that_turns_scores_round_is_refused(numbers: tuple[Any, Any, Any]) -> None:
    with pytest.raises(ModelError, match=r"calibration: a .*; train on more labelled events"):
        Calibration(*numbers)


# Thresholds and verdicts


@pytest.mark.parametrize(
    ("automated", "human", "allowance"),
    [
        pytest.param(0.5, 0.5, 0.01, id="collapsed"),
        pytest.param(0.4, 0.5, 0.01, id="crossed"),
        pytest.param(0.5, 0.0, 0.01, id="nobody is human"),
        pytest.param(1.1, 0.5, 0.01, id="nothing is automated"),
        pytest.param(np.nan, 0.5, 0.01, id="unknown"),
        pytest.param(0.9, 0.5, 0.0, id="no allowance"),
        pytest.param(0.9, 0.5, 1.0, id="everybody may be lost"),
        pytest.param("0.9", 0.5, 0.01, id="a word"),
        pytest.param(True, 0.5, 0.01, id="a truth"),
    ],
)
def test_thresholds_that_separate_nothing_are_refused(automated: Any, human: Any, allowance: Any) -> None:
    with pytest.raises(ModelError, match=r"0 < human < automated <= 1 and an allowance between 0 and 1"):
        Thresholds(automated, human, allowance, "why")


def test_thresholds_without_a_reason_are_refused() -> None:
    with pytest.raises(ModelError, match=r"thresholds: no basis; say in words how they were found"):
        Thresholds(0.9, 0.2, 0.01, "  ")


VERDICTS = [
    # probability, event type, verdict: human below 0.2 and automated from 0.9; for opens 0.5 and 0.8
    (0.0, "clicked", "human"),
    (0.1999, "clicked", "human"),
    (0.2, "clicked", "unsure"),
    (0.8999, "clicked", "unsure"),
    (0.9, "clicked", "automated"),
    (1.0, "clicked", "automated"),
    (0.85, "unsubscribed", "unsure"),
    (0.4999, "opened", "human"),
    (0.5, "opened", "unsure"),
    (0.8, "opened", "automated"),
    (0.99, "delivered", None),
    (0.99, None, None),
    (np.nan, "clicked", None),
    (np.nan, "opened", None),
]


def test_verdicts(model: BotClickModel) -> None:
    probability = np.array([row[0] for row in VERDICTS])
    assert model.verdicts(probability, [row[1] for row in VERDICTS]).tolist() == [row[2] for row in VERDICTS]
    assert model.verdicts(np.array([]), []).tolist() == []


GAPS = [
    ({"address", "agent"}, 0.9),
    ({"address"}, 0.96),
    ({"agent", "links"}, 0.95),
    ({"links"}, 0.98),
    (set(), 0.98),
]


@pytest.mark.parametrize(("capabilities", "automated"), GAPS)
def test_what_a_file_lacks_has_thresholds_of_its_own(
    booster_text: str, capabilities: set[Any], automated: float
) -> None:
    own = {
        "clicked without address": 0.95,
        "clicked without agent": 0.96,
        "clicked without address and agent": 0.98,
    }
    thresholds = {name: replace(DEFAULT, automated=at) for name, at in own.items()}
    made = make(booster_text, thresholds={"default": DEFAULT, "opened": OPENS, **thresholds})
    assert made.thresholds_for("clicked", capabilities).automated == automated
    assert made.verdicts(np.array([0.955]), ["clicked"], capabilities).tolist() == [
        "automated" if automated <= 0.955 else "unsure"
    ]
    assert made.thresholds_for("opened", capabilities) == OPENS


def test_verdicts_need_one_event_type_a_probability(model: BotClickModel) -> None:
    with pytest.raises(ValueError, match="event types"):
        model.verdicts(np.array([0.1, 0.2]), ["clicked"])


@pytest.mark.parametrize("names", [(), ("clicked",), ("default", "delivered")])
def test_thresholds_need_a_default_and_known_events(booster_text: str, names: tuple[str, ...]) -> None:
    with pytest.raises(ModelError, match=r"thresholds: for .*; default is needed, opened, clicked"):
        make(booster_text, thresholds=dict.fromkeys(names, DEFAULT))


# Save and load


def test_a_saved_model_gives_the_same_probabilities(model: BotClickModel, saved: Path) -> None:
    again = load(saved)
    for seed in range(5):
        X = matrix(seed)
        assert again.probability(X, 1).tobytes() == model.probability(X, 2).tobytes()
    assert again == model
    assert again.version == model.version
    assert again.feature_names == NAMES


@settings(deadline=None)
@given(
    a=st.floats(1e-6, 1e6),
    c=st.floats(-1e6, 1e6),
    human=st.floats(1e-300, 0.4),
    automated=st.floats(0.5, 1),
    words=st.text(st.characters(exclude_categories=["Cs"])),
)
def test_any_numbers_and_words_survive_save_and_load(
    booster_text: str, tmp_path_factory: pytest.TempPathFactory, words: str, **numbers: float
) -> None:
    model = make(
        booster_text,
        calibration=Calibration(numbers["a"], 1, numbers["c"]),
        thresholds={"default": Thresholds(numbers["automated"], numbers["human"], 0.01, f"why: {words}")},
        card=words,
        training={words: numbers["a"]},
    )
    folder = tmp_path_factory.getbasetemp() / "any"
    model.save(folder)
    again = load(folder)
    assert again == model
    assert again.probability(matrix(1)).tobytes() == model.probability(matrix(1)).tobytes()


def test_the_same_model_has_the_same_bytes(booster_text: str, saved: Path, tmp_path: Path) -> None:
    thresholds = {"opened": OPENS, "default": DEFAULT}  # in another order
    again = make(booster_text, thresholds=thresholds)
    again.save(tmp_path / "again")
    for name in sorted(path.name for path in saved.iterdir()):
        assert (tmp_path / "again" / name).read_bytes() == (saved / name).read_bytes()
    assert again.version == load(saved).version
    assert len(again.version) == 12


@pytest.mark.parametrize(
    "change",
    [
        {"card": "another"},
        {"created": date(2026, 6, 18)},
        {"thresholds": {"default": OPENS}},
        {"metrics": {"auc": 0.9}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_any_change_changes_the_version(model: BotClickModel, booster_text: str, change: dict[str, Any]) -> None:
    other = make(booster_text, **change)
    assert other.version != model.version
    assert make(booster_text + "\n", **change).version != other.version


def test_the_manifest_says_where_the_model_comes_from(saved: Path) -> None:
    manifest = json.loads((saved / "manifest.json").read_text())
    card_hash = hashlib.sha256((saved / "model_card.md").read_bytes()).hexdigest()
    assert sorted(path.name for path in saved.iterdir()) == ["booster.txt", "manifest.json", "model_card.md"]
    assert manifest["sha256"].keys() == {"booster.txt", "manifest.json", "model_card.md"}
    assert manifest["sha256"]["model_card.md"] == card_hash
    assert manifest["thresholds"]["opened"]["basis"] == "the same, opens"
    assert manifest["training"]["seeds"] == [1, 2]
    assert (manifest["created"], manifest["format_version"]) == ("2026-06-17", 1)


def test_scoring_with_a_saved_model_imports_no_training_library(saved: Path) -> None:
    program = """
import sys
import numpy as np
from serving.model import BotClickModel
model = BotClickModel.load(sys.argv[1], "0123456789abcdef", ("gap_s", "operator", "share"))
model.verdicts(model.probability(np.zeros((2, 3), dtype=np.float32)), ["clicked", "opened"])
heavy = {"lightgbm", "sklearn", "pandas", "mlflow", "scipy", "joblib", "training"}
print(sorted(heavy & {name.partition(".")[0] for name in sys.modules}))
"""
    command = [sys.executable, "-c", program, str(saved)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_an_earlier_model_is_replaced(booster_text: str, saved: Path) -> None:
    (saved / ".DS_Store").touch()
    make(booster_text, card="newer").save(saved)
    assert load(saved).card == "newer"
    assert [path.name for path in saved.parent.iterdir()] == ["model"]


@pytest.mark.parametrize("name", ["notes.txt", "manifest.json", "booster.txt", ".git"], ids="holding {}".format)
def test_what_is_no_model_is_not_replaced(model: BotClickModel, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text('{"name": "web app"}')
    with pytest.raises(InputError, match=rf"not a model, it holds {name}; name a new directory or empty"):
        model.save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_model_with_something_of_the_user_is_not_replaced(model: BotClickModel, saved: Path) -> None:
    (saved / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"it holds notes.txt"):
        model.save(saved)


def test_a_file_is_not_replaced(model: BotClickModel, tmp_path: Path) -> None:
    (tmp_path / "model").write_text("mine")
    with pytest.raises(InputError, match=r"model: is a file, a model is a directory; name a new directory"):
        model.save(tmp_path / "model")


def test_an_empty_directory_is_filled(model: BotClickModel, tmp_path: Path) -> None:
    model.save(tmp_path)
    assert load(tmp_path).version == model.version


# Reputations


REPUTATION = pa.Table.from_pylist(
    [
        {
            "kind": "agent",
            "key": "scan/1.0",
            "event_type": "clicked",
            "automated": 9.0,
            "total": 10.0,
            "messages": 10,
            "last_seen": datetime(2026, 3, 1, tzinfo=UTC),
        }
    ],
    SCHEMA,
)


@pytest.fixture(scope="module")
def learnt(booster_text: str) -> BotClickModel:
    """A model that has learnt reputations: the columns that ask for them follow the others."""
    names = [*NAMES, *REPUTATION_NAMES]
    X = np.column_stack([matrix(0), np.full((500, 6), np.nan, np.float32)])
    data = lightgbm.Dataset(X, np.nan_to_num(X[:, 0]) > 0, feature_name=names)
    options = {"objective": "binary", "num_leaves": 5, "verbose": -1, "num_threads": 1}
    text = str(lightgbm.train(options, data, 10).model_to_string())
    return make(text, feature_names=names, reputation=REPUTATION)


def test_a_model_with_reputations_is_loaded_as_it_was_saved(learnt: BotClickModel, tmp_path: Path) -> None:
    learnt.save(tmp_path / "model")
    again = load(tmp_path / "model")
    assert again == learnt
    assert again.reputation is not None
    assert again.reputation.equals(REPUTATION)
    assert again.feature_names == (*NAMES, *REPUTATION_NAMES)
    content = (tmp_path / "model" / "reputation.parquet").read_bytes()
    assert again.manifest["sha256"]["reputation.parquet"] == hashlib.sha256(content).hexdigest()


def test_another_reputation_is_another_version(learnt: BotClickModel) -> None:
    other = make(learnt.booster_text, feature_names=learnt.feature_names, reputation=REPUTATION.slice(0, 0))
    assert other.version != learnt.version


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(
            lambda file: file.write_bytes(file.read_bytes()[:-1]), "reputation.parquet: changed since", id="cut off"
        ),
        pytest.param(lambda file: file.unlink(), r"reputation.parquet: cannot be read \(No such file", id="missing"),
        pytest.param(
            lambda file: os.truncate(file, model_directory.LIMITS["reputation.parquet"] + 1),
            "reputation.parquet: more than 33554432 bytes",
            id="too large",
        ),
        pytest.param(
            lambda file: file.rename(file.parent.parent / "away") and file.symlink_to(file.parent.parent / "away"),
            "reputation.parquet: a link, folder or device",
            id="a link",
        ),
    ],
)
def test_a_reputation_that_was_changed_is_not_loaded(
    learnt: BotClickModel, tmp_path: Path, change: Callable[[Path], object], message: str
) -> None:
    learnt.save(tmp_path / "model")
    change(tmp_path / "model" / "reputation.parquet")
    with pytest.raises(ModelError, match=message):
        load(tmp_path / "model")


def test_a_reputation_that_the_manifest_does_not_know_is_not_loaded(
    learnt: BotClickModel, saved: Path, tmp_path: Path
) -> None:
    learnt.save(tmp_path / "learnt")
    (tmp_path / "learnt" / "reputation.parquet").rename(saved / "reputation.parquet")
    with pytest.raises(ModelError, match=r"reputation\.parquet"):
        load(saved)


def test_table_and_columns_go_together(learnt: BotClickModel, booster_text: str) -> None:
    with pytest.raises(ModelError, match="the table and the columns that ask it go together"):
        make(booster_text, reputation=REPUTATION)
    with pytest.raises(ModelError, match="the table and the columns that ask it go together"):
        make(learnt.booster_text, feature_names=learnt.feature_names)


# What is not loaded


def edit(name: str, change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    """Return an edit of a directory's JSON file."""

    def edited(folder: Path) -> None:
        content = json.loads((folder / name).read_text())
        change(content)
        (folder / name).write_text(json.dumps(content))

    return edited


def append(name: str, text: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_text((folder / name).read_text() + text) and None


def oversize(name: str) -> Callable[[Path], None]:
    return lambda folder: os.truncate(folder / name, model_directory.LIMITS[name] + 1)


def link(name: str) -> Callable[[Path], None]:
    def linked(folder: Path) -> None:
        (folder / name).rename(folder.parent / name)
        (folder / name).symlink_to(folder.parent / name)

    return linked


def pipe(folder: Path) -> None:
    (folder / "booster.txt").unlink()
    os.mkfifo(folder / "booster.txt")


DAMAGES = {
    "booster changed": (append("booster.txt", "\n"), r"booster\.txt: changed since .* copy the model again"),
    "card changed": (append("model_card.md", "better"), r"model_card\.md: changed since the model was made"),
    "metrics changed": (
        edit("manifest.json", lambda manifest: manifest["metrics"].update(auc=1.0)),
        r"manifest\.json: changed since the model was made, the sha256 differs",
    ),
    "threshold changed": (
        edit("manifest.json", lambda manifest: manifest["thresholds"]["default"].update(human=0.3)),
        r"manifest\.json: changed since",
    ),
    "threshold collapsed": (
        edit("manifest.json", lambda manifest: manifest["thresholds"]["default"].update(human=0.9)),
        r"thresholds: human 0\.9, automated 0\.9",
    ),
    "threshold renamed": (
        edit("manifest.json", lambda manifest: manifest["thresholds"]["default"].update(sure=0.9)),
        r"manifest\.json: .*unexpected keyword argument 'sure'; train the model again",
    ),
    "thresholds no mapping": (
        edit("manifest.json", lambda manifest: manifest["thresholds"].update(default=3)),
        r"manifest\.json: .*; train the model again",
    ),
    "hash left out": (
        edit("manifest.json", lambda manifest: manifest["sha256"].pop("booster.txt")),
        r"booster\.txt: changed since",
    ),
    "hash added": (
        edit("manifest.json", lambda manifest: manifest["sha256"].update(extra="0")),
        r"changed since",
    ),
    "field left out": (
        edit("manifest.json", lambda manifest: manifest.pop("training")),
        r"manifest\.json: no training, or not a dict",
    ),
    "newer format": (
        edit("manifest.json", lambda manifest: manifest.update(format_version=2)),
        r"format_version 2, this version of clicksift reads 1; install the version that made",
    ),
    "format is true": (
        edit("manifest.json", lambda manifest: manifest.update(format_version=True)),
        r"format_version True",
    ),
    "manifest no JSON": (append("manifest.json", "}"), r"manifest\.json: Extra data"),
    "manifest a list": (
        lambda folder: (folder / "manifest.json").write_text("[]"),
        r"manifest\.json: not an object of JSON",
    ),
    "manifest nested": (
        lambda folder: (folder / "manifest.json").write_text("[" * 500_000),
        r"manifest\.json: nested too deeply",
    ),
    "manifest not a number": (
        lambda folder: (folder / "manifest.json").write_text('{"a": NaN}'),
        r"manifest\.json: NaN is not a number of JSON",
    ),
    "manifest too large a number": (
        lambda folder: (folder / "manifest.json").write_text('{"a": 1e999}'),
        r"manifest\.json: 1e999 is not a number of JSON",
    ),
    "manifest a name twice": (
        lambda folder: (folder / "manifest.json").write_text('{"a": 1, "a": 2}'),
        r"manifest\.json: a name stands twice",
    ),
    "card no text": (
        lambda folder: (folder / "model_card.md").write_bytes(b"\xff"),
        r"model_card\.md: not UTF-8",
    ),
    "large booster": (oversize("booster.txt"), r"booster\.txt: more than 67108864 bytes"),
    "large manifest": (oversize("manifest.json"), r"manifest\.json: more than 1048576 bytes"),
    "large card": (oversize("model_card.md"), r"model_card\.md: more than 1048576 bytes"),
    "linked booster": (link("booster.txt"), r"booster\.txt: a link, folder or device instead of a file"),
    "linked manifest": (link("manifest.json"), r"manifest\.json: a link, folder or device instead of a file"),
    "linked card": (link("model_card.md"), r"model_card\.md: a link, folder or device instead of a file"),
    "pipe": (pipe, r"booster\.txt: a link, folder or device instead of a file; copy the file itself"),
    "no booster": (
        lambda folder: (folder / "booster.txt").unlink(),
        r"booster\.txt: cannot be read \(No such file.*\); name a directory made by `clicksift train`",
    ),
    "no manifest": (lambda folder: (folder / "manifest.json").unlink(), r"manifest\.json: cannot be read"),
    "no card": (lambda folder: (folder / "model_card.md").unlink(), r"model_card\.md: cannot be read"),
    "another file": (
        lambda folder: (folder / "model.pkl").touch(),
        r"model\.pkl: not a file of a model; move it away",
    ),
}


@pytest.mark.parametrize(("damage", "message"), DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_directory_is_not_loaded(saved: Path, damage: Callable[[Path], object], message: str) -> None:
    damage(saved)
    with pytest.raises(ModelError, match=rf"^{saved}: .*{message}"):
        load(saved)


def test_a_path_that_is_no_directory_is_not_loaded(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name in ("absent", "file"):
        with pytest.raises(ModelError, match=rf"{name}: manifest.json: cannot be read"):
            load(tmp_path / name)


def test_a_damaged_booster_whose_hash_fits_is_refused(booster_text: str, saved: Path) -> None:
    damaged = booster_text.replace("left_child=", "left_child=-", 1)
    manifest = json.loads((saved / "manifest.json").read_text())
    card = (saved / "model_card.md").read_text()
    manifest["sha256"] = model_directory.hashes(manifest, damaged, card)
    (saved / "manifest.json").write_text(json.dumps(manifest))
    (saved / "booster.txt").write_text(damaged)
    with pytest.raises(ModelError, match=r"booster: a tree 0 of another size"):
        load(saved)


@pytest.mark.parametrize(
    ("fingerprint", "names", "message"),
    [
        (PRINT, ("gap_s", "share", "vpn"), r"\(it lacks vpn; it wants operator\)"),
        (PRINT, (*NAMES, *"abcdefg"), r"\(it lacks a, b, c, d, e and 2 more\)"),
        (PRINT, ("operator", "gap_s", "share"), r"\(the order differs\)"),
        ("fedcba9876543210", NAMES, r"\(the same names, computed otherwise\)"),
    ],
)
def test_a_model_for_other_features_is_not_loaded(
    saved: Path, fingerprint: str, names: tuple[str, ...], message: str
) -> None:
    advice = r"retrain with `clicksift train`, or install the version that made it"
    with pytest.raises(ModelError, match=rf"made for other features .* {message}; {advice}"):
        BotClickModel.load(saved, fingerprint, names)


def test_a_booster_of_other_features_than_stated_is_refused(booster_text: str) -> None:
    with pytest.raises(ModelError, match=r"booster: has other features than the manifest"):
        make(booster_text, feature_names=("gap_s", "operator", "vpn"))


@pytest.mark.parametrize("metrics", [{"auc": np.nan}, {"auc": np.float32(0.5)}, {"auc": {1, 2}}])
def test_a_metric_that_json_does_not_have_is_refused(booster_text: str, metrics: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match=r"manifest: .*; give numbers and words, None for not known"):
        make(booster_text, metrics=metrics)


def test_parts_that_do_not_fit_the_manifest_are_refused(model: BotClickModel) -> None:
    with pytest.raises(ModelError, match=r"make models with `create`"):
        BotClickModel(model.booster_text, Calibration(1, 1, 0), model.thresholds, model.manifest, model.card)
