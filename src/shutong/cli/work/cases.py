"""``shutong pack test``: the cases that packs bring as data go the way that a delivery goes."""

from __future__ import annotations

from pathlib import Path

from shutong.cli.outcome import DONE, FAILED, RefusedError, output, print_json, say
from shutong.quality.casetests import CaseResult
from shutong.rules.casetests import run_whole_case
from shutong.spec.cases import load_cases
from shutong.spec.checks import load_checked, pack_check, pack_folders
from shutong.spec.problems import errors


def run_cases(path: Path, *, json: bool) -> int:
    """Run every case of a pack, or of all packs in a folder, and say how each went; 1 when one failed.

    Raises:
        RefusedError: the packs or their cases have errors; nothing was run.
    """
    wrong = errors(pack_check(path))
    if wrong:
        raise RefusedError("\n".join(str(problem) for problem in wrong))
    catalog = load_checked(path)
    results = []
    for pack in pack_folders(path):
        cases = load_cases(pack, catalog)
        if not cases:
            say(f"- {pack.resolve().name}: 没有用例 / has no case")
        for case in cases:
            results.append(run_whole_case(case, catalog))
            _show(results[-1], json)
    return DONE if all(result.passed for result in results) else FAILED


def _show(result: CaseResult, json: bool) -> None:
    case = result.case
    if json:
        differences = [{"zh": zh, "en": en} for zh, en in result.differences]
        print_json({"pack": case.pack, "case": case.name, "passed": result.passed, "differences": differences})
        return
    mark = "✓" if result.passed else "✗"
    output.print(f"{mark} {case.pack}/{case.name} {case.title.zh}", markup=False, soft_wrap=True)
    for zh, en in result.differences:
        output.print(f"  {zh}\n  {en}", markup=False, soft_wrap=True)
