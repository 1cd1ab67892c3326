"""Finished trials as small JSON files, so that an ablation goes on where it was stopped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from DPLSegmentLib.ablation.errors import AblationError
from DPLSegmentLib.ablation.study import Study, Trial
from DPLSegmentLib.images.atomic import atomic


@dataclass(frozen=True)
class TrialResult:
    """`dice` 0..1 by column of the table (mean over scans, then organs), `scores` with the single ones, `seconds` for
    training and measuring, and where and by what commit they were found."""

    row: str
    seed: int
    dice: Mapping[str, float]
    scores: list[dict[str, Any]]
    seconds: float
    machine: Mapping[str, Any]

    @property
    def trial(self) -> Trial:
        """What it is the result of."""
        return Trial(self.row, self.seed)


class Shelf:
    """The results of one study in its output folder."""

    def __init__(self, study: Study) -> None:
        self._study = study

    def path(self, trial: Trial) -> Path:
        """Where the result of a trial is kept."""
        return self._study.output / f"{trial.name}.json"

    def keep(self, result: TrialResult) -> None:
        """Write it; the file is there as a whole or not at all. Raises ImageError where that cannot be done."""
        path, content = self.path(result.trial), {**asdict(result), "settings": self._settings(result.trial)}
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic(path) as temporary:
            temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")

    def find(self, trial: Trial) -> TrialResult | None:
        """The result of a trial that is finished, else None.

        Raises AblationError where the file is another or was made with other settings.
        """
        path = self.path(trial)
        if not path.is_file():
            return None
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            settings, result = content.pop("settings"), TrialResult(**content)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise AblationError(f"{path} is no result of an ablation: move it away. ({error})") from error
        if settings != (wanted := self._settings(trial)):
            names = sorted(key for key in {*settings, *wanted} if settings.get(key) != wanted.get(key))
            raise AblationError(f"{path} was made with another setting of {', '.join(names)}: choose another --output.")
        return result

    def _settings(self, trial: Trial) -> dict[str, Any]:
        """As they are after a way through JSON."""
        return json.loads(json.dumps(self._study.settings_of(trial)))
