"""What can be wrong with a delivered file or row, once, in the words the clerk reads.

The codes are stable: they stand in receipts, tickets and statistics. A text says what is wrong, where, and what to do;
it never holds a delivered value (receipts are kept and shown to more people than the data).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: its stable code and its text in Chinese and English; ``item`` is the column, if one."""

    code: str
    zh: str
    en: str
    item: str | None = None


class Refusal(Exception):
    """The whole delivery cannot be taken; nothing of it enters.

    ``problem`` says why. It is final: the same file gives the same answer, so it is not tried again.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.code}: {problem.en}")
        self.problem = problem


def problem(code: str, item: str | None = None, **values: object) -> Problem:
    """The problem ``code`` with its texts filled in.

    Raises:
        KeyError: the code or one of its values is missing; an error of ours, not of the delivery.
    """
    zh, en = TEXTS[code]
    return Problem(code, zh.format_map(values), en.format_map(values), item)


def refuse(code: str, item: str | None = None, **values: object) -> Refusal:
    """The refusal for ``code``; to be raised."""
    return Refusal(problem(code, item, **values))


TEXTS: dict[str, tuple[str, str]] = {
    # --- the file -----------------------------------------------------------------------------------------------
    "file.missing": (
        "找不到文件或无法读取：请核对路径和权限",
        "The file is not there or cannot be read: check its path and permissions",
    ),
    "file.empty": (
        "文件是空的（0 字节）：请重新导出后再报送",
        "The file is empty (0 bytes): export it again and deliver the new file",
    ),
    "file.too-large": (
        "文件超过上限 {limit}：请按日期或区划拆分后分次报送",
        "The file is larger than the limit of {limit}: split it by date or area and deliver the parts",
    ),
    "file.too-many-rows": (
        "行数超过上限 {limit}：请按日期或区划拆分后分次报送",
        "There are more rows than the limit of {limit}: split the file by date or area and deliver the parts",
    ),
    "file.kind": (
        "这是{kind_zh}，不是数据表：请导出为 CSV、XLSX 或 JSON 后报送",
        "This is {kind_en}, not a table: export it as CSV, XLSX or JSON and deliver that",
    ),
    "file.truncated": (
        "文件不完整（传输或保存时被截断）：请重新导出或重新上传",
        "The file is cut off (transfer or saving was interrupted): export or upload it again",
    ),
    "file.damaged": (
        "工作簿已损坏，无法打开：请用表格软件打开并另存为 XLSX 后报送",
        "The workbook is damaged and cannot be opened: open it in a spreadsheet program and save it as XLSX",
    ),
    "file.password": (
        "工作簿设有打开密码：请取消密码后报送",
        "The workbook asks for a password: remove it and deliver again",
    ),
    "file.bomb": (
        "压缩内容展开后过大（超过 {limit}），已拒绝展开：请改用 CSV 报送",
        "What is packed in the file is too large ({limit} is the limit) and was not unpacked: deliver CSV instead",
    ),
    "file.encoding": (
        "第 {line} 行附近的文字无法按 {encoding} 解读：请另存为 UTF-8 编码后报送",
        "The text near line {line} cannot be read as {encoding}: save the file as UTF-8 and deliver again",
    ),
    "file.quotes": (
        "第 {line} 行之后有一个引号没有配对，或一行超过 {limit}：请检查该处的引号",
        "After line {line} a quote is not closed, or a row is longer than {limit}: look at the quotes there",
    ),
    "file.sheets": (
        "有 {count} 张工作表都像数据表：请只保留一张",
        "{count} sheets look like data: keep only one",
    ),
    # --- the header ---------------------------------------------------------------------------------------------
    "header.none": (
        "没有找到表头：第一行应为列名，例如“{example}”",
        "No header was found: the first row must hold the column names, such as “{example}”",
    ),
    "header.unknown": (
        "没有一个列名属于“{resource}”：文件的列名是 {headers}；应有的列名如 {example}",
        "No column belongs to “{resource}”: the file has {headers}; expected are names such as {example}",
    ),
    "header.missing": (
        "缺少必需的列“{title}”{near_zh}：请补上该列后报送",
        "The required column “{title}” is missing{near_en}: add it and deliver again",
    ),
    "header.duplicate": (
        "列“{title}”出现了两次（{headers}）：请只保留一列",
        "The column “{title}” is there twice ({headers}): keep only one",
    ),
    "header.merged": (
        "表头有合并单元格（{range}）：每列应有自己的列名，请取消合并后报送",
        "The header has merged cells ({range}): each column needs its own name; unmerge them and deliver again",
    ),
    "header.too-many": (
        "列数超过上限 {limit}：请检查分隔符和导出设置",
        "There are more than {limit} columns: look at the delimiter and the export settings",
    ),
    "json.shape": (
        'JSON 的结构不对：应为对象数组、每行一个对象，或 {{"data": [对象…]}}',
        'The JSON has another shape: expected is an array of objects, one object a line, or {{"data": [objects…]}}',
    ),
    "json.syntax": (
        "第 {line} 行附近的 JSON 写法有误：请用程序重新导出",
        "The JSON is malformed near line {line}: export it again with a program",
    ),
    "rows.too-few": (
        "只有 {rows} 行，少于约定的 {least} 行：请确认是否导出完整",
        "There are {rows} rows, fewer than the agreed {least}: check that the export is complete",
    ),
    "corrects.unknown": (
        "要更正的批次 {batch} 不存在或不属于该资源：请核对批次号",
        "The batch {batch} to be corrected is not there or belongs to another resource: check its number",
    ),
    # --- a row --------------------------------------------------------------------------------------------------
    "row.columns": (
        "该行有 {found} 列，表头有 {expected} 列：请检查是否多了或少了分隔符",
        "The row has {found} columns, the header {expected}: look for a delimiter too many or too few",
    ),
    "row.quotes": (
        "该行处在一个没有配对的引号之后，无法分列：请检查引号",
        "The row follows a quote that is not closed and cannot be split: look at the quotes",
    ),
    "row.json": (
        '该行不是 JSON 对象：应为 {{"列名": 值}}',
        'The row is not a JSON object: expected is {{"column": value}}',
    ),
    "cell.too-long": (
        "单元格超过 {limit} 个字符：请检查是否粘贴了整篇文字或引号没有配对",
        "A cell has more than {limit} characters: look for a pasted document or a quote that is not closed",
    ),
    "cell.control": (
        "单元格含有不可见的控制字符：请删除后报送",
        "A cell holds invisible control characters: remove them",
    ),
    "cell.encoding": (
        "该行有文字无法按 {encoding} 解读：请核对该行的乱码",
        "The row holds text that cannot be read as {encoding}: look for garbled characters",
    ),
    "cell.precision": (
        "长号码被存成了数值，后几位已丢失：请把该列设为文本格式后重新填写",
        "A long number was stored as a numeric value and lost its last digits: make the column text, type it again",
    ),
    # --- an item ------------------------------------------------------------------------------------------------
    "item.required": ("“{title}”没有填写：该项必填", "“{title}” is empty: it is required"),
    "item.min": ("“{title}”小于 {limit}：请核对数值和单位", "“{title}” is below {limit}: check the value and its unit"),
    "item.max": ("“{title}”大于 {limit}：请核对数值和单位", "“{title}” is above {limit}: check the value and its unit"),
    "item.length": ("“{title}”超过 {limit} 个字", "“{title}” is longer than {limit} characters"),
    "item.range": (
        "“{title}”的数值过大，无法保存：请核对单位",
        "“{title}” is too large to be kept: check its unit",
    ),
    "item.pattern": ("“{title}”的写法不符合约定的格式", "“{title}” does not have the agreed form"),
    "item.fault": ("“{title}”：{zh}", "“{title}”: {en}"),
    "check.failed": ("{zh}", "{en}"),
    "key.duplicate": (
        "本批中已有相同的“{title}”，保留了前一行：请删除重复的行",
        "The same “{title}” came earlier in this batch and that row was kept: remove the repeated row",
    ),
    "operation.unknown": (
        "“{title}”应为新增（upsert）或撤回（withdraw）",
        "“{title}” must be upsert (新增) or withdraw (撤回)",
    ),
    "operation.reason": ("撤回时须在“{title}”写明原因", "A withdrawal needs its reason in “{title}”"),
    # --- warnings: the batch is in ------------------------------------------------------------------------------
    "column.extra": ("多出的列“{header}”没有采用", "The extra column “{header}” was not taken"),
    "column.missing": ("缺少可选的列“{title}”", "The optional column “{title}” is missing"),
    "rows.too-many": (
        "有 {rows} 行，多于约定的 {most} 行：请确认没有重复导出",
        "There are {rows} rows, more than the agreed {most}: check that nothing was exported twice",
    ),
    "rows.none": ("文件只有表头，没有数据行", "The file has a header but no rows"),
    "item.fill": (
        "“{title}”的填写率为 {share}，低于约定的 {least}",
        "“{title}” is filled in {share} of the rows, less than the agreed {least}",
    ),
}
"""Code to (Chinese, English), for every problem of collect and of the row checks."""
