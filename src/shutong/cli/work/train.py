"""``shutong train``: a new version of the matching model from what exact identification left over."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from rich.table import Table

from shutong.accounts.actors import SYSTEM
from shutong.cli.outcome import RefusedError, output, print_json, say
from shutong.engine.home import Home
from shutong.pipeline.training import train_model
from shutong.subjects.model import LEVELS
from shutong.subjects.train import TooFewCasesError


def train(folder: Path, *, json: bool) -> None:
    """Train and say what was learnt.

    Raises:
        RefusedError: there is too little to learn from.
    """
    try:
        trained = train_model(Home.open(folder), acting=SYSTEM)
    except TooFewCasesError as error:
        raise RefusedError(f"{error.zh}\n{error.en}") from error
    if json:
        print_json(asdict(trained))
        return
    say(f"匹配模型第 {trained.version} 版，依据 {trained.cases:,} 组记录和 {trained.names:,} 个登记名称")
    say(f"matching model {trained.version}, from {trained.cases:,} cases and {trained.names:,} registered names")
    table = Table(box=None)
    for title in ("比较 / comparison", "一致程度 / level", "比特 / bits"):
        table.add_column(title, justify="right" if title.endswith("bits") else "left")
    for part, levels in LEVELS.items():
        for level, name in reversed(list(enumerate(levels))):
            table.add_row(part, name, f"{trained.weights[part][level] / 100:.1f}")
    output.print(table)
    say("下次 shutong run 全部按新模型重算 / the next shutong run links everything by the new model")
