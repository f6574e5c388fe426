"""The city as a whole: repeatable, complete, in the forms that were declared, with nothing real in it."""

from __future__ import annotations

import datetime
import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from shutong.democity.city import generate, read_city
from shutong.democity.scene import DemoError
from shutong.spec.catalog import Catalog
from shutong.spec.loader import load_packs
from shutong.standards.areas import areas
from tests.democity.conftest import City


def fingerprint(folder: Path) -> dict[str, str]:
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_same_seed_same_bytes_and_other_seed_other_city(tmp_path: Path, catalog: Catalog) -> None:
    for name, seed in (("one", 3), ("two", 3), ("three", 4)):
        generate(tmp_path / name, catalog, subjects=60, seed=seed, days=4)
    one, two, three = (fingerprint(tmp_path / name) for name in ("one", "two", "three"))
    assert one == two
    assert any(name.endswith(".xlsx") for name in one)
    registers = [name for name in one if "registration" in name and name in three]
    assert registers
    assert all(one[name] != three[name] for name in registers)


def test_default_size_is_what_the_issue_asks_for(city: City) -> None:
    shown = {r.resource: r.department for r in city.catalog.resources.values() if r.demo}
    assert set(city.report.by_resource) == set(shown)
    assert len(shown) >= 12
    assert len(set(shown.values())) >= 8
    assert city.report.records / city.report.subjects * 20_000 >= 220_000


def test_deliveries_are_what_lies_on_disk(city: City) -> None:
    report = read_city(city.folder)
    assert report == city.report
    on_disk = {str(p.relative_to(city.folder)) for p in (city.folder / "deliveries").rglob("*") if p.is_file()}
    assert {delivery.path for delivery in report.deliveries} == on_disk
    days = sorted({delivery.received_on for delivery in report.deliveries})
    assert (days[0], days[-1], len(days)) == (report.first_day, report.business_day, 30)
    for delivery in report.deliveries:
        day = delivery.received_on.isoformat()
        assert delivery.path.startswith(f"deliveries/{day}/{delivery.department}/{delivery.resource}-{day}")


def test_every_file_holds_the_rows_of_the_truth(city: City) -> None:
    records = city.truth("records")
    numbered: dict[str, list[int]] = {}
    for file, row_no in zip(records["file"].to_pylist(), records["row_no"].to_pylist(), strict=True):
        numbered.setdefault(file, []).append(row_no)
    assert sum(len(rows) for rows in numbered.values()) == city.report.records
    for delivery in city.report.deliveries:
        header, rows = city.rows(delivery.path)
        assert len(rows) == delivery.rows
        assert sorted(numbered[delivery.path]) == list(range(1, len(rows) + 1))
        assert all(len(row) == len(header) for row in rows)


@pytest.mark.parametrize(
    ("resource", "beginning", "encoding", "first_header"),
    [
        ("registration", b"\xcd\xb3\xd2\xbb", "gb18030", "统一社会信用代码"),
        ("annual-report", b"\xef\xbb\xbf", "utf-8-sig", "年报编号"),
        ("permit", b"XK_XDR_MC", "utf-8", "XK_XDR_MC"),
        ("inspection", b"[\n{", "utf-8", "检查任务编号"),
        ("institution", b"PK", "xlsx", "统一社会信用代码"),
    ],
)
def test_formats_and_encodings(city: City, resource: str, beginning: bytes, encoding: str, first_header: str) -> None:
    path = next(d.path for d in city.report.deliveries if d.resource == resource)
    content = (city.folder / path).read_bytes()
    assert content.startswith(beginning)
    assert city.rows(path)[0][0] == first_header
    if encoding == "gb18030":
        with pytest.raises(UnicodeDecodeError):
            content.decode("utf-8")


def test_nothing_real_is_in_it(city: City) -> None:
    """No area outside the overlay, no real province, city or county by name, no number that could reach somebody."""
    real = {area.name for code, area in areas().items() if not code.startswith("98") and len(area.name) >= 3}
    real -= {"市辖区", "自治区直辖县级行政区划", "省直辖县级行政区划"}
    names = re.compile("|".join(sorted(map(re.escape, real), key=len, reverse=True)))
    for table, columns in (("subjects", ("name", "former_name", "first_name")),):
        for column in columns:
            found = [name for name in city.truth(table)[column].to_pylist() if name and names.search(name)]
            assert not found
    for uscc, area in zip(*(city.truth("subjects")[key].to_pylist() for key in ("uscc", "area")), strict=True):
        assert uscc[2:6] == "9801"
        assert area.startswith("9801")
    for personal in city.truth("planted_personal").to_pylist():
        assert personal["value"].startswith(("9801", "９８０１") if personal["kind"] == "citizen-id" else "154")


def test_codes_and_names_are_unique_in_a_large_city() -> None:
    """Numbers of subjects far apart give different codes, names, people and places."""
    check = (
        "import numpy as np\n"
        "from shutong.democity.geography import city_of_standards\n"
        "from shutong.democity.organisations import Window\n"
        "from shutong.democity.scene import make_scene\n"
        "seen, total = set(), 0\n"
        "for start in (0, 40_000, 1_000_000, 2_090_000):\n"
        "    s = make_scene(city_of_standards(), start, 4000, 7, Window(20_000, 20_029))\n"
        "    plain = ~s.organisations.planted.twin\n"
        "    names = [n for n, p in zip(s.organisations.before['name'].to_pylist(), plain.tolist()) if p]\n"
        "    values = names + s.organisations.before['uscc'].to_pylist() + s.people.columns['citizen_id'].to_pylist()\n"
        "    values += s.people.columns['phone'].to_pylist() + s.places.columns['address'].to_pylist()\n"
        "    total += len(values); seen |= set(values)\n"
        "assert len(seen) == total, (len(seen), total)\n"
    )
    subprocess.run([sys.executable, "-c", check], check=True, timeout=60)


def test_a_new_pack_appears_without_python(tmp_path: Path) -> None:
    pack = tmp_path / "packs" / "parks"
    (pack / "resources").mkdir(parents=True)
    (pack / "pack.yml").write_text(
        "pack: parks\ntitle: 公园\nversion: 0.1.0\ndepartments:\n  parks: {title: 园林局}\n", encoding="utf-8"
    )
    (pack / "resources" / "kiosk.yml").write_text(
        "resource: kiosk\ntitle: 公园摊点检查\ndepartment: parks\nbasis: 测试\nkey: [no]\nitems:\n"
        "  no: {title: 编号, required: true}\n"
        "  shop: {element: org-name, title: 摊点, required: true}\n"
        "  checked_on: {element: date, title: 检查日期, required: true}\n"
        "  code: {element: uscc, title: 统一社会信用代码}\n"
        "  clean: {element: boolean, title: 是否整洁}\n"
        "about: {kind: organisation, uscc: code, name: shop}\n"
        "demo: {volume: 40 per day, of: [individual], values: {no: {text: 'GY{year}-{n}'}}}\n",
        encoding="utf-8",
    )
    report = generate(tmp_path / "city", load_packs([pack]), subjects=200, days=5)
    assert report.by_resource["kiosk"] >= 200
    delivery = report.deliveries[-1]
    assert delivery.path == f"deliveries/{report.business_day}/parks/kiosk-{report.business_day}.csv"
    text = (tmp_path / "city" / delivery.path).read_text(encoding="utf-8")
    assert text.startswith("编号,摊点,检查日期,统一社会信用代码,是否整洁\nGY20")


@pytest.mark.parametrize(
    ("demo", "message"),
    [
        ({"volume": "many"}, "demo.volume 'many'"),
        ({"values": {"name": {"sometimes": 1}}}, "demo.values 不认识 ['sometimes']"),
        ({"values": {"name": {"of_subject": "colour"}}}, "没有属性 'colour'"),
        ({"values": {"name": {"text": "{when}"}}}, "{when}".strip("{}")),
        ({"event": "earthquake"}, "demo.event 'earthquake'"),
    ],
)
def test_a_demo_block_that_is_not_understood_says_so(
    tmp_path: Path, catalog: Catalog, demo: dict[str, object], message: str
) -> None:
    award = catalog.resources["award"]
    assert award.demo
    broken = award.model_copy(update={"demo": award.demo.model_copy(update=demo)})
    with pytest.raises(DemoError, match=re.escape(message)):
        generate(tmp_path, Catalog(resources={"award": broken}), subjects=50, days=3)


@pytest.mark.parametrize(("subjects", "days"), [(0, 30), (3_000_000, 30), (10, 1)])
def test_numbers_out_of_range_are_refused(tmp_path: Path, catalog: Catalog, subjects: int, days: int) -> None:
    with pytest.raises(ValueError, match=r"subjects|days"):
        generate(tmp_path, catalog, subjects=subjects, days=days)


def test_a_city_of_one(tmp_path: Path, catalog: Catalog) -> None:
    report = generate(tmp_path, catalog, subjects=1, days=2, first_day=datetime.date(2026, 6, 15))
    assert report.business_day == datetime.date(2026, 6, 16)


def test_memory_does_not_grow_with_the_city(tmp_path: Path) -> None:
    """Four blocks need hardly more memory than one: rows of a finished block are on disk."""
    script = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from shutong.democity.city import generate\n"
        "from shutong.spec.loader import load_packs\n"
        "catalog = load_packs([Path(p) for p in sys.argv[3:]])\n"
        "generate(Path(sys.argv[1]), catalog, subjects=int(sys.argv[2]), days=3, block=1000)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    packs = [str(Path(__file__).resolve().parents[2] / "packs" / name) for name in ("city", "market")]

    def peak(subjects: int) -> int:
        arguments = [sys.executable, "-c", script, str(tmp_path / str(subjects)), str(subjects), *packs]
        return int(subprocess.run(arguments, check=True, capture_output=True, text=True, timeout=120).stdout)

    assert peak(4000) < peak(1000) + 40_000
