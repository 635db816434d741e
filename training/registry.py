"""The registered models of an MLflow store: reading them, what their runs kept, and who is champion.

Run as a program it serves `clicksift score`, which imports no MLflow: `export` puts a registered model into a folder
of models by version, `log-drift` keeps what a scored file showed.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from features.errors import ClicksiftError, InputError
from serving.model import BotClickModel
from training.tracking import CHAMPION, OUT_OF_FOLD, REGISTERED, check_uri, only_warnings, open_store, sqlite_file

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

Floats = npt.NDArray[np.float64]
_PREFIX = f"models:/{REGISTERED}"
# Former champions, the present one last: versions with commas between, as long as every store's tags may be.
_CHAMPIONS, _MOST_CHAMPIONS = "champions", 200


@dataclass(frozen=True)
class Registered:
    """One version in the registry: its number there, and the run that made it."""

    number: str
    run: str
    tags: Mapping[str, str]

    @property
    def name(self) -> str:
        """As MLflow writes it: models:/clicksift/3."""
        return f"{_PREFIX}/{self.number}"


class Registry:
    """The registered models of the store at `uri`; raises InputError where it cannot be read or has none.

    Nothing is made there: a mistyped path of a SQLite file is refused, where MLflow would begin a new store.
    """

    def __init__(self, uri: str) -> None:
        check_uri(uri)
        self.uri = uri
        path = sqlite_file(uri)
        # MLflow keeps a store open by its address, and a relative one means another file elsewhere.
        self._address = uri if path is None else f"sqlite:///{path.resolve()}{''.join(uri.partition('?')[1:])}"
        if path is not None and not path.is_file():
            raise InputError(
                f"--tracking-uri {uri}: there is no such file; name the MLflow store that `clicksift train` recorded in"
            )
        with self._refusals(), only_warnings():
            import mlflow

            mlflow.set_tracking_uri(self._address)
            mlflow.set_registry_uri(self._address)
            self._client: MlflowClient = mlflow.MlflowClient()
            if not self._client.search_registered_models(f"name = '{REGISTERED}'"):
                raise InputError(
                    f"--tracking-uri {uri}: no model is registered there; `clicksift train --tracking-uri {uri}`"
                    " registers one"
                )

    def find(self, name: str) -> Registered:
        """The version named 3, models:/clicksift/3 or models:/clicksift@champion; InputError where there is none."""
        wanted = name.removeprefix(f"{_PREFIX}/").removeprefix(_PREFIX)
        found = self._aliased(wanted[1:]) if wanted[:1] == "@" else self._numbers().get(wanted)
        if found is None:
            known = ", ".join(f"{_PREFIX}/{number}" for number in list(self._numbers())[-5:])
            aliases = ", ".join(f"{_PREFIX}@{alias}" for alias in sorted(self._model().aliases))
            raise InputError(
                f"{name}: no registered model of {self.uri}; name one of {', '.join(filter(None, (known, aliases)))}"
            )
        return found

    def champion(self) -> Registered | None:
        """The version that is champion; None where none is."""
        return self._aliased(CHAMPION)

    def load(self, version: Registered) -> BotClickModel:
        """The model of a version, checked like any other; ModelError where this clicksift cannot use it."""
        import mlflow

        with tempfile.TemporaryDirectory(prefix="clicksift-registered-") as folder:
            with self._refusals(), only_warnings():
                mlflow.artifacts.download_artifacts(artifact_uri=version.name, dst_path=folder)
            manifests = list(Path(folder).glob("**/artifacts/*/manifest.json"))
            if len(manifests) != 1:
                raise InputError(f"{version.name}: holds no model of clicksift; name a version that it registered")
            return BotClickModel.load(manifests[0].parent)

    def out_of_fold(self, version: Registered) -> Floats | None:
        """What trees that had not seen them said of the rows trained on, in order; None where the run kept none."""
        path = self._artifact(version, OUT_OF_FOLD)
        if path is None:
            return None
        with tempfile.TemporaryDirectory(prefix="clicksift-registered-") as folder, self._refusals():
            file = self._client.download_artifacts(version.run, path, folder)
            return np.asarray(np.load(file, allow_pickle=False), dtype=np.float64)

    def read_json(self, version: Registered, name: str) -> dict[str, Any] | None:
        """A JSON file that the run of a version kept; None where there is none."""
        path = self._artifact(version, name)
        if path is None:
            return None
        with tempfile.TemporaryDirectory(prefix="clicksift-registered-") as folder, self._refusals():
            content = json.loads(Path(self._client.download_artifacts(version.run, path, folder)).read_text())
        return content if isinstance(content, dict) else None

    def write_json(self, version: Registered, name: str, content: Mapping[str, Any]) -> None:
        """Keep a JSON file with the run of a version, in place of an earlier one of the name."""
        with self._refusals():
            self._client.log_dict(version.run, dict(content), name)

    def champions(self) -> list[Registered]:
        """All that were champion and still are registered, in order, the present one last.

        One that was made champion by other means than clicksift's counts from now on.
        """
        numbers = [number for number in self._model().tags.get(_CHAMPIONS, "").split(",") if number]
        present = self.champion()
        if present and numbers[-1:] != [present.number]:
            numbers.append(present.number)
        known = self._numbers()
        return [known[number] for number in numbers if number in known]

    def set_champions(self, champions: list[Registered], tags: Mapping[str, str], tagged: Registered) -> None:
        """Make the last of them champion, remember the order, and put `tags` on the version `tagged`.

        Without any, none is champion and the bundled model stands in again.
        """
        numbers = ",".join(version.number for version in champions[-_MOST_CHAMPIONS:])
        with self._refusals():
            # What is told of the change comes first: a run that is ended between the two has changed no champion.
            for name, value in tags.items():
                self._client.set_model_version_tag(REGISTERED, tagged.number, name, value)
            if champions:
                self._client.set_registered_model_alias(REGISTERED, CHAMPION, champions[-1].number)
            else:
                self._client.delete_registered_model_alias(REGISTERED, CHAMPION)
            self._client.set_registered_model_tag(REGISTERED, _CHAMPIONS, numbers)

    def log_drift(self, drift: Mapping[str, Any]) -> str:
        """A run with the figures of a scored file and all of it as drift.json; returns its id."""
        open_store(self._address)
        import mlflow

        with self._refusals(), only_warnings(), mlflow.start_run(run_name="drift") as run:
            mlflow.set_tags({"model_version": drift["model_version"], "clicksift_run": "drift"})
            mlflow.log_metrics(dict(_figures(drift)))
            mlflow.log_dict(dict(drift), "drift.json")
            return str(run.info.run_id)

    def _model(self) -> Any:
        with self._refusals():
            return self._client.get_registered_model(REGISTERED)

    def _numbers(self) -> dict[str, Registered]:
        with self._refusals():
            found = self._client.search_model_versions(f"name = '{REGISTERED}'", max_results=1_000)
        return {version.number: version for version in sorted(map(_registered, found), key=lambda v: int(v.number))}

    def _aliased(self, alias: str) -> Registered | None:
        number = self._model().aliases.get(alias)
        return None if number is None else self._numbers().get(str(number))

    def _artifact(self, version: Registered, name: str) -> str | None:
        with self._refusals():
            return next((file.path for file in self._client.list_artifacts(version.run) if file.path == name), None)

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except (MlflowException, SQLAlchemyError, OSError, ValueError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise InputError(
                f"--tracking-uri {self.uri}: cannot be read or written ({reason}); name the MLflow store that"
                " `clicksift train` recorded in"
            ) from error


def _registered(version: ModelVersion) -> Registered:
    return Registered(str(version.version), str(version.run_id), dict(version.tags))


def _figures(drift: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """The numbers of a drift that a tracking run draws over time."""
    for kind, found in drift["kinds"].items():
        yield f"{kind}.events", float(found["events"])
        yield f"{kind}.moved", float(found["moved"])
        for verdict, share in found["verdicts"].items():
            yield f"{kind}.{verdict}", float(share)
        for what, share in found["new"].items():
            yield f"{kind}.new_{what}", float(share)


def _holds(folder: Path, model: BotClickModel) -> bool:
    """Whether the model is in the folder already, unchanged: others may be reading it."""
    try:
        return folder.exists() and BotClickModel.load(folder).version == model.version
    except ClicksiftError:
        return False


def main(arguments: list[str]) -> int:
    """`export URI NAME FOLDER` prints the model's version; `log-drift URI` reads JSON from stdin, prints the run."""
    try:
        if arguments[0] == "export":
            registry = Registry(arguments[1])
            model = registry.load(registry.find(arguments[2]))
            folder = Path(arguments[3]) / model.version
            if not _holds(folder, model):
                model.save(folder)
            said = model.version
        else:
            said = Registry(arguments[1]).log_drift(json.load(sys.stdin))
    except ClicksiftError as error:
        print(error, file=sys.stderr)  # noqa: T201  (the answer of a process of its own)
        return 2
    print(said)  # noqa: T201  (the same)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
