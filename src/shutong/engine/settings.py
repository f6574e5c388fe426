"""The settings of a home: one typed list, read from ``home.toml``, overridden by ``SHUTONG_*`` variables."""

from __future__ import annotations

import datetime as dt
import difflib
import os
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from shutong.engine.errors import SettingsError

PREFIX: Final = "SHUTONG_"

# Variables with the prefix that are not settings of a home.
NOT_SETTINGS: Final = re.compile(
    r"SHUTONG_(HOME|TEST_\w+|REFERENCE_\w+|BENCH_\w+|BROWSER\w*|REQUIRE_\w+|CI\w*|DEMO_\w+|CHROMIUM|SCREENSHOTS)"
)

_UNITS: Final = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
_UNITS_BINARY: Final = {"kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}


def parse_size(text: str) -> int:
    """Bytes of a size such as ``4GB``, ``512 MiB`` or ``1000``. Raises ValueError."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", text)
    units = _UNITS | _UNITS_BINARY
    if match is None or match.group(2).lower() not in units:
        raise ValueError(f"not a size: {text!r} (write for instance 512MB or 4GB)")
    return int(float(match.group(1)) * units[match.group(2).lower()])


def machine_memory() -> int:
    """Bytes of memory that this process may use at most: the machine's, or its control group's where that is less."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            limit = Path(path).read_text().strip()
        except OSError:
            continue
        if limit.isdigit():
            total = min(total, int(limit))
    return total


def _default_memory() -> str:
    return f"{max(256, min(4_000_000_000, machine_memory() // 2) // 1_000_000)}MB"


def _default_threads() -> int:
    available = getattr(os, "sched_getaffinity", None)
    return len(available(0)) if available else (os.cpu_count() or 1)


class Limits(BaseModel):
    """What one delivered file may be; above it the batch is refused with the reason."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_file_bytes: int = Field(20_000_000_000, ge=1, description="Largest delivered file, in bytes.")
    max_rows: int = Field(200_000_000, ge=1, description="Most rows of one delivered file.")
    max_columns: int = Field(2_000, ge=1, description="Most columns of one delivered file.")
    max_cell_chars: int = Field(100_000, ge=1, description="Longest cell, in characters; a longer one rejects its row.")
    max_zip_ratio: int = Field(
        200, ge=2, description="Largest ratio of unpacked to packed bytes of a spreadsheet (a zip bomb has more)."
    )
    max_unpacked_bytes: int = Field(4_000_000_000, ge=1, description="Largest spreadsheet when unpacked, in bytes.")


class Bounds(BaseModel):
    """How much one run may change before it stops and asks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    merges: int = Field(20, ge=0, description="Subjects that a run may merge into others without asking.")
    merges_share: float = Field(
        0.002, ge=0, le=1, description="The same as a share of the registered subjects; the larger of the two counts."
    )
    lost: int = Field(50, ge=0, description="Registered subjects that may vanish in one run without asking.")
    lost_share: float = Field(
        0.02, ge=0, le=1, description="The same as a share of the registered subjects; the larger of the two counts."
    )
    names_per_code: int = Field(
        50, ge=1, description="Names unknown to the registers that may stand beside the code of one subject."
    )


class Bucket(BaseModel):
    """How the bucket of ``lake_location`` is reached."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    endpoint: str | None = Field(
        None,
        pattern=r"https?://.+",
        description="Address of the object store, such as https://obs.example.cn; AWS without.",
    )
    region: str = Field("us-east-1", description="Region of the bucket, where the store asks for one.")
    access_key_id: str | None = Field(None, description="Key that may read and write the bucket.")
    secret_access_key: str | None = Field(
        None, description="Its secret; better given as a variable than written into the file."
    )


class Settings(BaseModel):
    """Settings of one home. Every field has a description; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    memory_limit: str = Field(
        default_factory=_default_memory,
        description="Memory that computing may use, such as 4GB; beyond it, it spills to the temp folder. "
        "Default: half of the machine, at most 4GB.",
    )
    threads: int = Field(default_factory=_default_threads, ge=1, le=1024, description="Threads of computing.")
    temp_folder: Path | None = Field(None, description="Folder for temporary files; default: tmp in the home.")
    engine: Literal["duckdb", "spark"] = Field(
        "duckdb", description="What carries out stages: duckdb, or spark (the extra shutong[spark], and Java 17)."
    )
    spark_master: str | None = Field(
        None,
        description="Address of a Spark cluster, such as spark://host:7077, whose machines see the home under the same "
        "path; default: the threads of this machine.",
    )
    lake_location: str | None = Field(
        None,
        pattern=r"s3://[^/]+(/.+)?",
        description="Where the lake's files are, such as s3://bucket/lake; default: the folder lake in the home. "
        "Set it before the first delivery.",
    )
    database_url: str | None = Field(
        None, description="Database of the state people decide on; default: a SQLite file in the home."
    )
    host: str = Field("127.0.0.1", description="Address on which the site listens.")
    port: int = Field(8000, ge=0, le=65535, description="Port on which the site listens; 0 takes a free one.")
    public_url: str | None = Field(None, description="Address under which people reach the site, when it is another.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")
    log_format: Literal["json", "text"] = Field("json", description="Form of a log line.")
    locale: Literal["zh-hans", "en"] = Field("zh-hans", description="Language a visitor sees first.")
    demo: bool = Field(False, description="A demo home: sign-ins are shown, the business day stands still.")
    business_day: dt.date | None = Field(
        None, description="The business day of a demo home; without it, the day in Asia/Shanghai."
    )
    limits: Limits = Field(default_factory=Limits, description="What one delivered file may be.")
    bounds: Bounds = Field(default_factory=Bounds, description="How much one run may change before it asks.")
    s3: Bucket = Field(default_factory=Bucket, description="How the bucket of lake_location is reached.")

    @model_validator(mode="after")
    def _spark_in_a_folder(self) -> Settings:
        # Spark's packages hold no S3 file system, and the jar that has it is in no Python registry (decision 0004).
        if self.engine == "spark" and self.lake_location is not None:
            raise ValueError(
                "Spark cannot read a lake in a bucket: choose duckdb, or a lake in a folder that it can see"
            )
        return self

    @field_validator("memory_limit")
    @classmethod
    def _memory(cls, value: str) -> str:
        if parse_size(value) < 64_000_000:
            raise ValueError("memory_limit is below 64MB, which no stage can work with")
        return value

    @property
    def memory_bytes(self) -> int:
        """The memory limit in bytes."""
        return parse_size(self.memory_limit)


@dataclass(frozen=True)
class SettingRow:
    """One setting for the documentation: its key in the file, its variable, type, default and description."""

    key: str
    variable: str
    type: str
    default: str
    description: str


def _fields(model: type[BaseModel], prefix: str = "") -> dict[str, tuple[str, str, str]]:
    rows: dict[str, tuple[str, str, str]] = {}
    for key, info in model.model_fields.items():
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            rows |= _fields(kind, f"{prefix}{key}.")
            continue
        if info.default_factory is not None:
            default = "(machine)"
        else:
            default = "" if info.default is None else str(info.default)
        text = str(kind).removeprefix("<class '").removesuffix("'>").replace("typing.", "").replace("datetime.", "")
        rows[prefix + key] = (text.replace("pathlib.", ""), default, info.description or "")
    return rows


def variable_of(key: str) -> str:
    """The environment variable of a setting: ``limits.max_rows`` is ``SHUTONG_LIMITS_MAX_ROWS``."""
    return PREFIX + key.replace(".", "_").upper()


def settings_reference() -> list[SettingRow]:
    """Every setting in declared order, for the documentation and its test."""
    return [SettingRow(key, variable_of(key), *row) for key, row in _fields(Settings).items()]


def _nearest(key: str, valid: list[str]) -> str | None:
    found = difflib.get_close_matches(key, valid, n=1, cutoff=0.5)
    return found[0] if found else None


def _unknown(key: str, valid: list[str], where: str) -> SettingsError:
    nearest = _nearest(key, valid)
    zh = f"{where} 中没有名为 {key} 的设置" + (f"，最接近的是 {nearest}" if nearest else "")
    en = f"{where}: no setting is called {key}" + (f"; the nearest is {nearest}" if nearest else "")
    return SettingsError(zh, en, key=key, where=where, nearest=nearest)


def _read_file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> SettingsError:
    return SettingsError(
        f"设置文件 {path} 读不懂：{error}。请按 TOML 格式改正",
        f"the settings file {path} cannot be read: {error}. Correct it as TOML",
        path=str(path),
    )


def _from_environment(environment: Mapping[str, str], keys: list[str]) -> dict[str, str]:
    variables = {variable_of(key): key for key in keys}
    found: dict[str, str] = {}
    for variable, value in environment.items():
        if not variable.startswith(PREFIX) or NOT_SETTINGS.fullmatch(variable):
            continue
        if variable not in variables:
            raise _unknown(variable, list(variables), "环境变量 environment")
        found[variables[variable]] = value
    return found


def load_settings(path: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings of a home.

    Args:
        path: the TOML file; a missing one means all defaults.
        environment: variables that override it (``SHUTONG_PORT=9000``); default: the process's own.

    Raises:
        SettingsError: an unknown key (naming the nearest valid one) or a value out of range, with where it stands.
    """
    return _settings_of(_read_file(path), path, os.environ if environment is None else environment)


def _settings_of(text: str, path: Path, environment: Mapping[str, str]) -> Settings:
    try:
        values: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _unreadable(path, error) from error
    keys = list(_fields(Settings))
    sections = {key.split(".")[0] for key in keys if "." in key}
    for key, value in values.items():
        inner = [f"{key}.{part}" for part in value] if key in sections and isinstance(value, dict) else [key]
        for full in inner:
            if full not in keys and full not in sections:
                raise _unknown(full, keys, str(path))
    overrides = _from_environment(environment, keys)
    for key, text in overrides.items():
        section, _, rest = key.rpartition(".")
        target = values.setdefault(section, {}) if section else values
        target[rest] = text
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        where = variable_of(key) if key in overrides else str(path)
        raise SettingsError(
            f"{where} 中设置 {key} 的值 {first['input']!r} 不对：{first['msg']}",
            f"{where}: the value {first['input']!r} of setting {key} is wrong: {first['msg']}",
            key=key,
            where=where,
        ) from error


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def change_setting(path: Path, key: str, value: str | float | bool | dt.date | Path) -> None:
    """Set one key (``port``, ``s3.endpoint``) in the settings file, keeping every other line and comment.

    Raises:
        SettingsError: the key is unknown or the value does not fit; the file is left as it was.
    """
    keys = list(_fields(Settings))
    if key not in keys:
        raise _unknown(key, keys, str(path))
    section, _, name = key.rpartition(".")
    before, part, after = _around(_read_file(path), section)
    line = f"{name} = {_toml(value)}"
    pattern = re.compile(rf"^#?[ \t]*{re.escape(name)}[ \t]*=.*$", re.MULTILINE)
    if pattern.search(part):
        part = pattern.sub(lambda _: line, part, count=1)
    else:
        part = f"{part.rstrip()}\n{line}\n\n".lstrip()
    text = before + part + after
    _settings_of(text, path, {})
    draft = path.with_suffix(".toml.new")
    draft.write_text(text, encoding="utf-8")
    if path.exists():
        # A file that holds a password stays readable by its owner only.
        draft.chmod(stat.S_IMODE(path.stat().st_mode))
    draft.replace(path)


def _around(text: str, section: str) -> tuple[str, str, str]:
    """The lines of a section (of no section: the first ones), with what stands before and after; a missing one is begun."""
    start = 0
    if section:
        header = re.search(rf"^[ \t]*\[[ \t]*{re.escape(section)}[ \t]*\].*$\n?", text, re.MULTILINE)
        if header is None:
            return f"{text.rstrip()}\n\n[{section}]\n".lstrip(), "", ""
        start = header.end()
    following = re.compile(r"^[ \t]*\[", re.MULTILINE).search(text, start)
    end = following.start() if following else len(text)
    return text[:start], text[start:end], text[end:]


def settings_template() -> str:
    """The text of a fresh ``home.toml``: every setting as a comment with its description and default."""
    lines = ["# 本机设置 / settings of this home. 去掉行首的 # 即生效 / remove the leading # to set a value.", ""]
    section = ""
    for row in settings_reference():
        head, _, rest = row.key.rpartition(".")
        if head != section:
            section = head
            lines += [f"[{section}]"]
        lines += [f"# {row.description} ({row.variable})", f"# {rest} = {_example(row)}", ""]
    return "\n".join(lines)


def _example(row: SettingRow) -> str:
    if row.default in {"", "(machine)"}:
        return ""
    if row.type == "bool":
        return row.default.lower()
    return row.default if row.type == "int" else _toml(row.default)
