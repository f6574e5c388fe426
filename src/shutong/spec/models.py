"""The declaration language: one typed model per kind of declaration; unknown keys are errors everywhere.

The JSON Schema, the editor help, the pack reference page and the scaffold are generated from these models, so every
field carries its description. Values are checked for form here; references between declarations (elements, code
sets, columns in SQL) are checked by ``spec.checks`` once a whole pack is loaded.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
"""A declaration's name: lower case letters, digits and hyphens. Its SQL view replaces ``-`` by ``_``."""

Column = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
"""An item's or attribute's name: lower case letters, digits and underscores."""

Sql = Annotated[str, StringConstraints(min_length=1, max_length=8000)]

Grade = Literal[1, 2, 3, 4, "important", "core"]
Mask = Literal["none", "surname", "middle", "last4", "hide", "address"]


class Model(BaseModel):
    """Base of every declaration: frozen, no unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Title(Model):
    """A title in Chinese and English. A plain string is read as Chinese."""

    zh: str = Field(description="Chinese title, shown first")
    en: str | None = Field(default=None, description="English title; the name is shown where it is missing")

    @model_validator(mode="before")
    @classmethod
    def _plain_string(cls, value: Any) -> Any:
        return {"zh": value} if isinstance(value, str) else value


class Item(Model):
    """One column of a resource."""

    element: str = Field(
        default="text", description="data element of the standards: parsing, checking and type follow from it"
    )
    codes: str | None = Field(default=None, description="code set whose values are allowed; sets the element to code")
    title: Title = Field(description="column title; also accepted as the column's header in a delivery")
    columns: tuple[str, ...] = Field(
        default=(), description="other headers accepted for this column, such as XK_XDR_MC"
    )
    required: bool = Field(
        default=False, description="a row without it is rejected; a file without the column is refused"
    )
    on_fault: Literal["reject", "flag"] | None = Field(
        default=None,
        description="what a value that fails its element does; reject, unless `about` names it as an identifier beside "
        "a name: then it is flagged and kept",
    )
    unit: str | None = Field(default=None, description="unit of the delivered values, for money and percent")
    min: Decimal | None = Field(default=None, description="smallest value, in the delivered unit")
    max: Decimal | None = Field(
        default=None, description="largest value, in the delivered unit; for text the longest length in characters"
    )
    pattern: str | None = Field(
        default=None, max_length=200, description="regular expression (RE2) that the whole text must match"
    )
    grade: Grade = Field(default=1, description="grade of GB/T 43697: general 1-4, important, core")
    personal: Literal["no", "personal", "sensitive"] | None = Field(
        default=None, description="personal information mark; citizen-id and mobile are sensitive unless said otherwise"
    )
    mask: Mask | None = Field(
        default=None,
        description="how the value is shown where the reader was not granted it; where nothing is said: middle for "
        "sealed numbers, surname for graded names of persons, none for grade 1, hide for the rest",
    )
    from_: Column | None = Field(
        default=None, alias="from", description="earlier name of this item, when it was renamed"
    )


class Subject(Model):
    """Which items of a row say whom it is about."""

    kind: Literal["organisation", "person", "place"] = Field(description="kind of subject")
    role: Name = Field(
        default="subject", description="the part the subject plays in the row; the first entry is the principal one"
    )
    registry: bool = Field(
        default=False, description="rows of this resource establish subjects (a register); others are matched to them"
    )
    uscc: Column | None = Field(default=None, description="item with the unified social credit code")
    org_code: Column | None = Field(default=None, description="item with the 9-character organisation code")
    registration_no: Column | None = Field(default=None, description="item with the 15-digit registration number")
    taxpayer_no: Column | None = Field(default=None, description="item with the 15-digit taxpayer number")
    certificate_no: Column | None = Field(
        default=None, description="item with the certificate number of an institution or social organisation"
    )
    citizen_id: Column | None = Field(default=None, description="item with the citizen identity number (persons)")
    name: Column | None = Field(default=None, description="item with the name")
    former_name: Column | None = Field(default=None, description="item with the name before a change")
    area: Column | None = Field(default=None, description="item with the six-digit area")
    address: Column | None = Field(
        default=None, description="item with the address (places; evidence for organisations)"
    )
    legal_rep: Column | None = Field(
        default=None, description="item with the name of the legal representative (evidence for organisations)"
    )
    phone: Column | None = Field(
        default=None, description="item with the organisation's telephone (evidence; compared by its key)"
    )
    only_if: str | None = Field(
        default=None, description="row expression; the entry counts only for rows where it is true"
    )


class Check(Model):
    """A row check: a boolean SQL expression over the row's items and received_on. NULL counts as passed."""

    name: Name = Field(description="name of the check; rejected rows carry it in their reason")
    expr: Sql = Field(description="true or NULL for a good row")
    on_fail: Literal["reject", "warn"] = Field(
        default="reject", description="reject the row, or let it in with a warning"
    )
    message: Title | None = Field(default=None, description="what the clerk reads; the expression where it is missing")


class Expects(Model):
    """What a delivery must look like."""

    rows: dict[Literal["min", "max"], int] = Field(
        default_factory=dict, description="fewer than min refuses the batch, more than max warns"
    )
    fill: dict[Column, float] = Field(
        default_factory=dict, description="share of rows (0..1) in which the item must not be empty; lower warns"
    )


class Share(Model):
    """How other departments get the resource."""

    type: Literal["unconditional", "conditional", "none"] = Field(
        description="unconditional and conditional sharing, or not shared (国发〔2016〕51号)"
    )
    condition: str | None = Field(default=None, description="condition of conditional sharing")
    methods: tuple[Literal["api", "batch", "stream", "verify"], ...] = Field(
        default=(), description="ways in which it may be delivered"
    )


class Opening(Model):
    """How the public gets the resource."""

    type: Literal["open", "conditional", "none"] = Field(description="open to all, on conditions, or not open")
    condition: str | None = Field(default=None, description="condition of conditional opening")


class RuleRef(Model):
    """A reference to a dated legal term or retention rule of the standards."""

    rule: Name = Field(description="name of the term in standards")
    from_: Column | None = Field(
        default=None, alias="from", description="date item the clock starts from; the fact's date where it is missing"
    )


class Fact(Model):
    """The dated thing that each accepted row makes known of its subject."""

    kind: Name = Field(description="kind of fact: permit, penalty, annual-report, ...")
    title: Title | None = Field(default=None, description="title of the kind; the resource's title where it is missing")
    on: Column = Field(description="date item: the day of the fact")
    until: Column | None = Field(default=None, description="date item: the last day on which it holds")
    weight: Literal["positive", "neutral", "negative"] = Field(
        default="neutral", description="how it counts for the subject"
    )
    shows: tuple[Column, ...] = Field(
        default=(), description="items shown in its line on the timeline; the first is its headline"
    )


class SourceFiles(Model):
    """Which files of a source folder belong to the resource; `shutong pack collect` delivers them."""

    pattern: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(
        description="file names below the source folder, such as 'bulletins/*.csv'"
    )
    day: Literal["name"] | None = Field(
        default=None,
        description="name: the day of receipt is the yyyy-mm-dd in the file's name (where only yyyy-mm or yyyy stands "
        "there, the last day of that month or year); the business day where nothing is said",
    )

    @field_validator("pattern")
    @classmethod
    def _stays_below(cls, value: str) -> str:
        if value.startswith("/") or "\\" in value or ".." in value.split("/") or "**" in value:
            raise ValueError("a pattern of files below the source folder, without ..: bulletins/*.csv")
        return value


class DemoFile(Model):
    """The file a department of the demo city delivers."""

    format: Literal["csv", "xlsx", "json"] = Field(default="csv", description="kind of file")
    encoding: Literal["utf-8", "utf-8-sig", "gb18030"] = Field(default="utf-8", description="encoding of text files")
    header: Literal["title", "column", "name"] = Field(
        default="title", description="which of an item's names heads its column"
    )
    title_row: bool = Field(default=False, description="a merged title row stands above the header (xlsx)")


class Demo(Model):
    """How the demo city fills this resource."""

    volume: str = Field(
        description="'0.08 per subject-year', '1 per subject', '1 per subject-month', '40 per day' or '30 per month'"
    )
    of: tuple[Literal["enterprise", "individual", "cooperative", "institution", "social"], ...] = Field(
        default=("enterprise", "individual", "cooperative"), description="which subjects of the city it is about"
    )
    dirt: Literal["usual", "none"] = Field(
        default="usual",
        description="whether its rows get the usual dirt: missing codes, slips, wrong dates, duplicates",
    )
    file: DemoFile = DemoFile()
    event: Name | None = Field(
        default=None,
        description="a life event of the city that writes these rows (founded, changed, annual-report, ...)",
    )
    values: dict[Column, Any] = Field(
        default_factory=dict,
        description="per item: a text, a list to draw from, {weighted: {member: weight}}, {between: [a, b]}, "
        "{amount: [a, b]} (small ones more often), {days_before: [a, b]} of the batch, {days_after: [a, b]} of the "
        "row's own day, {text: '…{n}…{year}…'}, {of_subject: attribute}, {of_person: attribute}, "
        "{optional: one of these, share: 0.3}; with the event `area` {of_area: code}, with the event `figures` also "
        "{series: {name: [low, high]}, every: months} and {of_figure: period}",
    )


class Resource(Model):
    """One table or feed that a department's system yields; all that must happen to its rows follows from here."""

    resource: Name = Field(description="name of the resource, the same as its file's")
    like: Name | None = Field(
        default=None,
        description="another resource of the same pack whose keys this one takes over where it says nothing itself",
    )
    title: Title
    department: Name = Field(description="who provides it and answers for it")
    system: str | None = Field(default=None, description="the department's application it comes from")
    basis: str = Field(description="law or document under which it is collected")
    abstract: str | None = Field(default=None, description="what it holds, in a sentence or two")
    cycle: Literal["realtime", "daily", "weekly", "monthly", "quarterly", "yearly", "irregular"] = Field(
        default="daily", description="how often it is delivered"
    )
    delivery: Literal["append", "changes", "snapshot"] = Field(
        default="append",
        description="append: new rows only; changes: rows may replace or withdraw earlier ones (operation item); "
        "snapshot: each batch is the whole",
    )
    operation: Column | None = Field(default=None, description="item that says upsert or withdraw (delivery: changes)")
    reason: Column | None = Field(
        default=None, description="item that says why a row is withdrawn; a withdrawal without it is rejected"
    )
    replaces: Column | None = Field(
        default=None,
        description="item with the key of an earlier row that this row stands for, such as the number of a decision that "
        "was issued anew: the earlier row ends (delivery: changes, a key of one item)",
    )
    key: tuple[Column, ...] = Field(min_length=1, description="items that identify a row; they are required")
    key_empty: tuple[Column, ...] = Field(
        default=(),
        description="items of the key that may be empty, which then counts as a value: the row of a whole province "
        "names no city",
    )
    items: dict[Column, Item] = Field(min_length=1, description="the columns, in order")
    ignore: tuple[str, ...] = Field(default=(), description="delivered headers that are knowingly not taken")
    about: tuple[Subject, ...] = Field(default=(), description="whom the row is about; one entry or a list")
    expects: Expects = Expects()
    checks: tuple[Check, ...] = ()
    fact: Fact | None = None
    publicity: RuleRef | None = Field(default=None, description="legal term within which each row is published")
    retain: RuleRef | None = Field(default=None, description="how long its records are kept and shown")
    share: Share = Share(type="none")
    open: Opening = Opening(type="none")
    files: SourceFiles | None = None
    demo: Demo | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        if isinstance(value, dict) and isinstance(value.get("about"), dict):
            return {**value, "about": [value["about"]]}
        return value


class Attribute(Model):
    """One attribute of a library: which source counts first."""

    title: Title
    element: str = Field(default="text", description="data element of its values")
    codes: str | None = Field(default=None, description="code set of its values; sets the element to code")
    sources: tuple[str, ...] = Field(
        min_length=1, alias="from", description="'resource.item' in order of authority, highest first"
    )
    grade: Grade = Field(default=1, description="grade of GB/T 43697: general 1-4, important, core")
    mask: Mask | None = Field(default=None, description="how the value is shown where the reader was not granted it")
    verify: Literal["exact", "spelling"] | None = Field(
        default=None,
        description="compare its sources: where they differ, both departments get a ticket. exact: any difference "
        "counts; spelling: other spellings of the same name, address or text do not",
    )


class Space(Model):
    """How the subjects of a library are placed in space, and when they are there: a collection of OGC API - Features.

    Subjects of a place library without any of the three ways stand where another library puts the same place.
    """

    point: tuple[Column, Column] | None = Field(default=None, description="attributes with longitude and latitude")
    area: Column | None = Field(
        default=None,
        description="attribute with an area code: the subject is marked by a representative point, the mean of the "
        "addresses in that area; it has no boundary",
    )
    at: Name | None = Field(
        default=None,
        description="role of the place in register rows: an organisation stands at its registered address (individual "
        "businesses, which may be somebody's home, are left out)",
    )
    since: Column | None = Field(default=None, description="date attribute: the first day")
    until: Column | None = Field(default=None, description="date attribute: the last day")


class Library(Model):
    """Subjects of one kind with merged attributes, each value with its source."""

    library: Name = Field(description="name of the library, the same as its file's")
    title: Title
    kind: Literal["organisation", "person", "place"] = Field(description="kind of its subjects")
    class_: Literal["base", "theme"] = Field(default="base", alias="class", description="base or theme library")
    public: bool = Field(default=False, description="whether its subjects have a public page")
    only: Sql | None = Field(
        default=None,
        description="SELECT of subject_id over declared views: who belongs to it; everybody of the kind where it is "
        "missing",
    )
    each: tuple[Column, ...] = Field(
        default=(),
        description="attributes that tell the instances of one subject apart, such as the number of a licence: the "
        "library then has a row per subject and instance; one row per subject where it is missing",
    )
    space: Space | None = None
    attributes: dict[Column, Attribute] = Field(min_length=1, description="the merged columns, in order")


class Ground(Model):
    """One ground on which a subject enters a list."""

    title: Title
    basis: str = Field(description="law and article")
    sql: Sql = Field(
        description="SELECT subject_id, since, record_ids (and, where known, next_change_on) over declared views"
    )
    absence: tuple[Name, ...] = Field(
        default=(),
        description="resources whose missing rows are the ground: while a row of them that may be the subject's own waits "
        "for review, it is not entered automatically; a person still may",
    )


class SubjectList(Model):
    """A list under a law: who gets on it, by whom, for how long, and how they get off."""

    list: Name = Field(description="name of the list, the same as its file's")
    title: Title
    basis: str = Field(description="law under which the list is kept")
    version: int = Field(default=1, description="raised by hand when the rule means something else")
    weight: Literal["positive", "negative"] = Field(default="negative", description="praise or blame")
    public: bool = Field(default=True, description="whether its listings are shown to the public")
    entry: Literal["automatic", "decision"] = Field(
        description="automatic where the law lets the system enter a candidate; otherwise a person decides"
    )
    department: Name = Field(description="who decides")
    enter_within: RuleRef | None = Field(default=None, description="term for entering a candidate")
    release_within: RuleRef | None = Field(default=None, description="term for releasing one whose ground is gone")
    term: RuleRef | None = Field(
        default=None, description="how long a listing lasts; until released where it is missing"
    )
    grounds: dict[Name, Ground] = Field(min_length=1, description="each ground by its name")


class Indicator(Model):
    """A series of figures with the records each comes from."""

    indicator: Name = Field(description="name of the indicator, the same as its file's")
    title: Title
    unit: str = Field(default="", description="unit of its values, as shown")
    version: int = Field(default=1, description="raised by hand when the rule means something else")
    public: bool = Field(default=True, description="whether it is shown to the public")
    sql: Sql = Field(
        description="SELECT period (date), value, record_ids, and optionally area and series, over declared views"
    )
    chart: Literal["line", "bar", "area"] = Field(default="line", description="form of its chart")


class Verification(Model):
    """Two sources of the same figure, compared; disagreements go to both departments."""

    verification: Name = Field(description="name of the verification, the same as its file's")
    title: Title
    departments: tuple[Name, ...] = Field(min_length=1, description="who gets the ticket")
    version: int = Field(default=1, description="raised by hand when the rule means something else")
    sql: Sql = Field(
        description="SELECT key, item, left_value, right_value, record_ids for every pair that disagrees, over "
        "declared views"
    )


class CodeTable(Model):
    """A code set that a pack brings itself."""

    codes: Name = Field(description="name of the code set, the same as its file's")
    title: Title
    source: str = Field(description="standard or document the codes come from")
    values: dict[str, Title] = Field(min_length=1, description="code to title; cells match by code or Chinese title")


class Department(Model):
    """A department of the city, or of another level."""

    title: Title
    level: Literal["state", "province", "city", "county", "other"] = Field(default="city", description="its level")
    area: str | None = Field(default=None, description="six-digit area it is responsible for")
    credit_code: str | None = Field(default=None, description="its unified social credit code")


class Pack(Model):
    """The head of a pack: pack.yml."""

    pack: Name = Field(description="name of the pack, the same as its folder's")
    title: Title
    version: Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")] = Field(
        description="version of the pack: three numbers"
    )
    steward: str | None = Field(default=None, description="who keeps the pack")
    requires: tuple[Name, ...] = Field(default=(), description="other packs whose declarations this one refers to")
    departments: dict[Name, Department] = Field(
        default_factory=dict, description="departments that its declarations name; packs may name the same ones"
    )


KINDS: dict[str, type[Model]] = {
    "pack": Pack,
    "resource": Resource,
    "library": Library,
    "list": SubjectList,
    "indicator": Indicator,
    "verification": Verification,
    "codes": CodeTable,
}
"""Kinds of declaration by the key that opens the file."""
