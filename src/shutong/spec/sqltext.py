"""The first gate: the raw text of an expression or statement, before its syntax tree is trusted.

Comments, parameters, second statements, odd string forms, control characters and full-width punctuation are refused
here because a syntax tree no longer shows them.
"""

from __future__ import annotations

import re

import sqlglot
from sqlglot import Token, TokenType, exp
from sqlglot.errors import SqlglotError

from shutong.spec.refusals import Refusal, SqlRefused, refusal

DIALECT = "duckdb"
MAX_LENGTH = 8000
MAX_TOKENS = 2000
MAX_DEPTH = 60

_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"")
_COMMENT = re.compile(r"--|/\*|\*/|(?<![\w$])#")
_PLAIN = re.compile(r"[\t\n\r -~]*")
_FORMS = {
    TokenType.BYTE_STRING,
    TokenType.RAW_STRING,
    TokenType.HEREDOC_STRING,
    TokenType.HEX_STRING,
    TokenType.BIT_STRING,
    TokenType.NATIONAL_STRING,
    TokenType.UNICODE_STRING,
}
_PARAMETERS = {TokenType.PARAMETER, TokenType.PLACEHOLDER, TokenType.SESSION_PARAMETER}


def parse_text(text: str) -> exp.Expr:
    """The syntax tree of a text that passes the first gate.

    Raises:
        SqlRefused: the text is empty, too long, too deep, holds comments, parameters, more than one statement,
            characters that are not allowed, or is not SQL.
    """
    found = list(_characters(text))
    if found:
        raise SqlRefused(found)
    try:
        tokens = sqlglot.tokenize(text, read=DIALECT)
        found = list(_tokens(tokens))
        if found:
            raise SqlRefused(found)
        trees = sqlglot.parse(text, read=DIALECT)
    except SqlglotError as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise SqlRefused([refusal("sql.syntax", re.sub(r"\x1b\[\d+m", "", reason))]) from error
    except RecursionError as error:
        raise SqlRefused([refusal("sql.too-deep")]) from error
    if len(trees) != 1 or trees[0] is None:
        raise SqlRefused([refusal("sql.second-statement" if len(trees) > 1 else "sql.empty")])
    return trees[0]


def _characters(text: str) -> list[Refusal]:
    if not text.strip():
        return [refusal("sql.empty")]
    if len(text) > MAX_LENGTH:
        return [refusal("sql.too-long")]
    bare = _QUOTED.sub(lambda found: "''" + "\n" * found.group().count("\n"), text)
    comment = _COMMENT.search(bare)
    if comment:
        return [refusal("sql.comment", line=bare.count("\n", 0, comment.start()) + 1)]
    if "'" in bare.replace("''", "") or '"' in bare:
        return [refusal("sql.syntax", "' 没有配对 / a quote is left open")]
    for index, character in enumerate(bare):
        if not _PLAIN.fullmatch(character):
            return [refusal("sql.character", repr(character), line=bare.count("\n", 0, index) + 1)]
    if any(ord(character) < 32 and character not in "\t\n\r" for character in text) or "\x7f" in text:
        return [refusal("sql.character", "控制字符 / control character")]
    return []


def _tokens(tokens: list[Token]) -> list[Refusal]:
    if len(tokens) > MAX_TOKENS:
        return [refusal("sql.too-long")]
    found = []
    depth = deepest = 0
    for token in tokens:
        if token.comments:
            found.append(refusal("sql.comment", line=token.line))
        if token.token_type in _FORMS:
            found.append(refusal("sql.string-form", line=token.line))
        if token.token_type in _PARAMETERS or token.text in {"$", ":", "?", "@"}:
            found.append(refusal("sql.parameter", token.text, line=token.line))
        if token.token_type is TokenType.SEMICOLON:
            found.append(refusal("sql.second-statement", line=token.line))
        if token.token_type in {TokenType.L_PAREN, TokenType.CASE, TokenType.L_BRACKET}:
            depth += 1
            deepest = max(deepest, depth)
        elif token.token_type in {TokenType.R_PAREN, TokenType.END, TokenType.R_BRACKET}:
            depth -= 1
    if deepest > MAX_DEPTH:
        found.append(refusal("sql.too-deep"))
    return found or _orders(tokens)


def _orders(tokens: list[Token]) -> list[Refusal]:
    """Every term of every ORDER BY must say NULLS FIRST or NULLS LAST; the tree can't tell written from implied."""
    found = []
    for index, token in enumerate(tokens):
        if token.token_type is TokenType.ORDER_BY:
            found += [refusal("sql.nulls-order", line=line) for line in _terms_without_nulls(tokens, index + 1)]
    return found


_ENDS = {TokenType.LIMIT, TokenType.OFFSET, TokenType.UNION, TokenType.ROWS, TokenType.RANGE, TokenType.SEMICOLON}


def _terms_without_nulls(tokens: list[Token], start: int) -> list[int]:
    depth = 0
    said = False
    missing = []
    index = start
    while index < len(tokens):
        token = tokens[index]
        kind = token.token_type
        if kind in {TokenType.L_PAREN, TokenType.CASE}:
            depth += 1
        elif kind in {TokenType.R_PAREN, TokenType.END}:
            if depth == 0:
                break
            depth -= 1
        elif depth == 0 and kind in _ENDS:
            break
        elif depth == 0 and kind is TokenType.COMMA:
            if not said:
                missing.append(token.line)
            said = False
        elif depth == 0 and token.text.upper() == "NULLS" and index + 1 < len(tokens):
            said = said or tokens[index + 1].text.upper() in {"FIRST", "LAST"}
        index += 1
    if not said:
        missing.append(tokens[min(index, len(tokens) - 1)].line)
    return missing
