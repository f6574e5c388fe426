"""What every engine does alike with the steps of a stage: names, inputs, and the functions of Arrow steps."""

from __future__ import annotations

import collections
import re

import pyarrow as pa

from shutong.engine.errors import EngineError, StageError
from shutong.engine.stage import ArrowStep, Read, SqlStep, Stage
from shutong.engine.tablefiles import TableFiles


def where(stage: Stage, step: str) -> tuple[str, str]:
    """Where something went wrong, in Chinese and English."""
    return f"阶段 {stage.name} 的 {step}", f"stage {stage.name}, {step}"


def check_names(stage: Stage) -> None:
    """Every name stands for one input or step, and every write names one. Raises StageError."""
    names = [read.view for read in stage.reads] + [step.name for step in stage.steps]
    twice = sorted(name for name, count in collections.Counter(name.lower() for name in names).items() if count > 1)
    unknown = sorted({write.step for write in stage.writes} - set(names))
    if twice or unknown:
        raise StageError(
            f"阶段 {stage.name}：名称重复 {twice}，写出了不存在的步骤 {unknown}",
            f"stage {stage.name}: names used twice {twice}, writes of unknown steps {unknown}",
            stage=stage.name,
        )


def readable(table: TableFiles, read: Read) -> TableFiles:
    """The table of an input. Raises StageError where it neither exists nor has declared columns."""
    if not table.segments and not read.schema.names:
        raise StageError(
            f"表 {read.table} 不存在，也没有声明它的列",
            f"table {read.table} does not exist and its columns are not declared",
            table=read.table,
        )
    return table


def uses_of(stage: Stage, name: str) -> int:
    """How often the steps of a stage read a view."""
    word = re.compile(rf"\b{re.escape(name)}\b", re.IGNORECASE)
    return sum(
        len(word.findall(step.query)) if isinstance(step, SqlStep) else int(step.source == name) for step in stage.steps
    )


def apply(step: ArrowStep, batch: pa.RecordBatch) -> pa.RecordBatch:
    """A batch through the function of a step. Raises StageError where it fails or returns other columns."""
    try:
        result = step.function(batch)
    except EngineError:
        raise
    except Exception as error:
        raise StageError(
            f"Arrow 步骤 {step.name} 的函数出错：{type(error).__name__}: {error}",
            f"the function of the Arrow step {step.name} failed: {type(error).__name__}: {error}",
            step=step.name,
        ) from error
    if result.schema.equals(step.schema):
        return result
    if result.schema.names != step.schema.names:
        raise StageError(
            f"Arrow 步骤 {step.name} 返回的列 {result.schema.names} 与声明 {step.schema.names} 不符",
            f"the Arrow step {step.name} returned columns {result.schema.names}, declared are {step.schema.names}",
            step=step.name,
        )
    return result.cast(step.schema)
