"""The published catalog equals the files, only changes make versions, and an upgrade merges with what was changed here."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shutong.accounts.actors import Actor, NotAllowedError
from shutong.audit.models import Entry
from shutong.catalog.actions import InstallConflictError, current_catalog, install_packs, publish_declaration
from shutong.catalog.difference import MISSING, compare, merge
from shutong.catalog.models import Department, Publication, PublishedDeclaration
from shutong.catalog.plan import plan_install
from shutong.catalog.published import history, publication_number
from shutong.jobs.models import Event
from shutong.spec.catalog import dump
from shutong.spec.loader import load_packs
from shutong.spec.models import KINDS
from shutong.spec.problems import PackError

pytestmark = pytest.mark.django_db

SAMPLE = Path(__file__).parent.parent / "spec" / "packs" / "sample"


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A pack that a test may change."""
    shutil.copytree(SAMPLE, tmp_path / "sample")
    return tmp_path / "sample"


def edit(pack: Path, file: str, old: str, new: str) -> None:
    path = pack / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def content(kind: str, name: str) -> dict[str, object]:
    return dump(current_catalog().of_kind(kind)[name])


def test_the_published_catalog_equals_the_files(pack: Path, operator: Actor) -> None:
    install_packs([pack], acting=operator)
    files, published = load_packs([pack]), current_catalog()
    for kind in KINDS:
        assert published.of_kind(kind) == files.of_kind(kind)
        assert [files.hash_of(kind, name) for name in files.of_kind(kind)] == [
            published.hash_of(kind, name) for name in files.of_kind(kind)
        ]
    assert published.departments == files.departments
    assert published.pack_of == files.pack_of
    assert list(published.resources["penalty"].items) == list(files.resources["penalty"].items)
    assert set(Department.objects.values_list("name", flat=True)) == set(files.departments)


def test_before_the_first_publication_the_catalog_is_empty() -> None:
    assert current_catalog().resources == {}
    assert publication_number() == 0


def test_the_same_pack_again_changes_nothing(pack: Path, operator: Actor) -> None:
    first = install_packs([pack], acting=operator)
    again = install_packs([pack], acting=operator)
    assert first.publication == 1
    assert (again.publication, again.changes) == (None, ())
    assert current_catalog() is current_catalog()


def test_only_what_changed_gets_a_version(pack: Path, operator: Actor) -> None:
    install_packs([pack], acting=operator)
    before = datetime.now(UTC)
    edit(pack, "resources/penalty.yml", "max: 64", "max: 80")
    installed = install_packs([pack], acting=operator)
    changed = {(one.kind, one.name): one for one in installed.changes}
    assert set(changed) == {("resource", "penalty"), ("resource", "tax-penalty")}  # the second is like the first
    assert changed["resource", "penalty"].keys[0].path == ("items", "doc_no", "max")
    assert [row.version for row in history("resource", "penalty")] == [1, 2]
    assert [row.version for row in history("resource", "enterprise")] == [1]
    assert str(current_catalog().resources["penalty"].items["doc_no"].max) == "80"
    assert str(current_catalog(at=before).resources["penalty"].items["doc_no"].max) == "64"


def test_an_installation_is_one_audit_entry_and_one_event(pack: Path, operator: Actor) -> None:
    install_packs([pack], acting=operator)
    body = json.loads(Entry.objects.get().body)
    assert body["action"] == "catalog.install_packs"
    assert "resource/penalty@1" in body["objects"]
    assert Event.objects.get().name == "catalog.published"


def test_a_declaration_that_left_its_pack_is_withdrawn_and_can_return(pack: Path, operator: Actor) -> None:
    install_packs([pack], acting=operator)
    kept = (pack / "indicators" / "fines.yml").read_text("utf-8")
    (pack / "indicators" / "fines.yml").unlink()
    installed = install_packs([pack], acting=operator)
    assert [(one.name, one.action) for one in installed.changes] == [("fines", "withdrawn")]
    assert "fines" not in current_catalog().indicators
    (pack / "indicators" / "fines.yml").write_text(kept, "utf-8")
    install_packs([pack], acting=operator)
    assert "fines" in current_catalog().indicators
    assert [row.withdrawn for row in history("indicator", "fines")] == [False, True, False]


def test_a_wrong_pack_installs_nothing(pack: Path, operator: Actor) -> None:
    edit(pack, "resources/penalty.yml", "decided_on <= received_on", "decidedon <= received_on")
    with pytest.raises(PackError) as caught:
        install_packs([pack], acting=operator)
    assert caught.value.problems[0].path is not None
    assert caught.value.problems[0].path.name == "penalty.yml"
    assert not Publication.objects.exists()


def test_a_change_made_here_survives_an_upgrade_of_other_keys(pack: Path, operator: Actor) -> None:
    install_packs([pack], acting=operator)
    changed = content("resource", "enterprise") | {"cycle": "weekly"}
    publish_declaration("resource", "enterprise", changed, acting=operator)
    kept = install_packs([pack], acting=operator)
    assert [one.action for one in kept.changes] == ["kept"]
    edit(pack, "resources/enterprise.yml", "min: 0", "min: 1")
    merged = install_packs([pack], acting=operator)
    assert [(one.name, one.action) for one in merged.changes] == [("enterprise", "merged")]
    resource = current_catalog().resources["enterprise"]
    assert (resource.cycle, resource.items["capital"].min) == ("weekly", 1)


@pytest.mark.parametrize(("prefer", "cycle"), [("file", "monthly"), ("here", "weekly")])
def test_a_key_that_both_changed_is_a_conflict(pack: Path, operator: Actor, prefer: str, cycle: str) -> None:
    install_packs([pack], acting=operator)
    publish_declaration(
        "resource", "enterprise", content("resource", "enterprise") | {"cycle": "weekly"}, acting=operator
    )
    edit(pack, "resources/enterprise.yml", "delivery: snapshot", "delivery: snapshot\ncycle: monthly")
    with pytest.raises(InstallConflictError, match="cycle"):
        install_packs([pack], acting=operator)
    assert plan_install([pack]).conflicts[0].conflicts[0].here == "weekly"
    install_packs([pack], prefer=prefer, acting=operator)  # type: ignore[arg-type]
    assert current_catalog().resources["enterprise"].cycle == cycle


def test_a_change_on_a_screen_is_checked_like_a_file(pack: Path, operator: Actor) -> None:
    install_packs([pack], acting=operator)
    for wrong in ({"cycle": "hourly"}, {"resource": "other"}, {"key": ["nothing"]}, {"kye": ["uscc"]}):
        with pytest.raises(PackError):
            publish_declaration("resource", "enterprise", content("resource", "enterprise") | wrong, acting=operator)
    with pytest.raises(PackError, match="no published"):
        publish_declaration("resource", "nothing", {}, acting=operator)
    assert PublishedDeclaration.objects.filter(version=2).count() == 0


def test_a_steward_may_not_install(pack: Path, steward: Actor) -> None:
    with pytest.raises(NotAllowedError):
        install_packs([pack], acting=steward)


def test_three_ways_key_by_key() -> None:
    known = {"a": 1, "b": {"c": 1, "d": [1]}, "e": 1}
    here = {"a": 2, "b": {"c": 1, "d": [1]}, "e": 1, "f": 9}
    file = {"a": 1, "b": {"c": 3, "d": [1, 2]}}
    assert merge(known, here, file) == {"a": 2, "b": {"c": 3, "d": [1, 2]}, "f": 9}
    paths = {one.path: one for one in compare(known, here, file)}
    assert set(paths) == {("a",), ("b", "c"), ("b", "d"), ("e",), ("f",)}
    assert paths["e",].file is MISSING
    assert not any(one.conflict for one in paths.values())
