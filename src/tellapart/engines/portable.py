"""Which SQL the rooms may write, so that one text means the same on DuckDB and on Spark.

Portable SQL is a list, not a hope: `FORMS` and `FUNCTIONS` name everything that findings, criteria, differential and
answers may use, with what Spark makes of it; `unportable` names everything else in a statement. sqlglot translates more
than this list, but some of it to other values without a warning, so what it accepts proves nothing. The list grows by
one line and one example in `tests/structure/test_portable.py`.

What sqlglot 30.30 writes for Spark, where it is not the same word:

- `date_diff('day', a, b)` becomes `DATEDIFF(DAY, a, b)`: whole days from a to b on both.
- `unnest([x, y])` in a projection becomes `EXPLODE(ARRAY(x, y))`: one row per element, NULL elements kept, on both.
- `string_agg(x, ';' order by y)` becomes `LISTAGG(x, ';') WITHIN GROUP (ORDER BY y NULLS LAST)` (Spark 4.0 and later).
- `strpos(s, x)` becomes `LOCATE(x, s)`; `starts_with` becomes `STARTSWITH`; `bit_or`, `split_part` and named windows
  stay. `NULLS LAST` is added to ascending orders, which is DuckDB's default and not Spark's.
- `chr(31)` stays too, and is off the list because nobody needs it: above 255 Spark counts modulo 256.
- `a | b & c` is printed without parentheses: DuckDB adds from left to right, Spark binds `&` tighter. So operators on
  bits are only mixed inside parentheses here.

sqlglot is needed by this module only, and by nothing that runs on DuckDB.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify

Schema = Mapping[str, Mapping[str, str]]

FORMS: dict[type[exp.Expr], tuple[frozenset[str], str]] = {
    # class of the tree: (arguments it may have, why it is the same on both)
    exp.Select: (
        frozenset({"with_", "expressions", "distinct", "from_", "joins", "where", "group", "having", "windows"}),
        "plain select; no limit, sample, qualify or order by: a relation has no order",
    ),
    exp.From: (frozenset({"this"}), "one relation or subquery"),
    exp.Join: (frozenset({"this", "side", "kind", "on"}), "inner, left and cross joins with `on`"),
    exp.Where: (frozenset({"this"}), "keeps rows that are true"),
    exp.Group: (frozenset({"expressions"}), "columns and expressions written out, never `all`"),
    exp.Having: (frozenset({"this"}), "keeps groups that are true"),
    exp.Order: (frozenset({"this", "expressions"}), "only inside a window or `string_agg`"),
    exp.Ordered: (frozenset({"this", "desc", "nulls_first"}), "sqlglot writes where NULLs go"),
    exp.Union: (frozenset({"with_", "this", "expression", "distinct"}), "by position, never by name"),
    exp.With: (frozenset({"expressions"}), "common table expressions, never recursive"),
    exp.CTE: (frozenset({"this", "alias"}), "a named subquery"),
    exp.Subquery: (frozenset({"this", "alias"}), "in `from` and joins, named"),
    exp.Exists: (frozenset({"this"}), "correlated by equality: a semi or anti join on both"),
    exp.Table: (frozenset({"this", "alias"}), "a relation of the house"),
    exp.TableAlias: (frozenset({"this"}), "a name"),
    exp.Identifier: (frozenset({"this", "quoted"}), "a name"),
    exp.Column: (frozenset({"this", "table"}), "a column, with or without its relation"),
    exp.Alias: (frozenset({"this", "alias"}), "a name"),
    exp.Star: (frozenset(), "all columns, in order, none taken out or replaced"),
    exp.Distinct: (frozenset({"expressions"}), "whole rows, or inside `count`"),
    exp.Literal: (frozenset({"this", "is_string"}), "text, whole number, decimal, or double with an exponent"),
    exp.Boolean: (frozenset({"this"}), "true and false"),
    exp.Null: (frozenset(), "unknown"),
    exp.Paren: (frozenset({"this"}), "parentheses are kept"),
    exp.And: (frozenset({"this", "expression"}), "three-valued"),
    exp.Or: (frozenset({"this", "expression"}), "three-valued"),
    exp.Not: (frozenset({"this"}), "three-valued"),
    exp.EQ: (frozenset({"this", "expression"}), "text is compared byte by byte on both"),
    exp.NEQ: (frozenset({"this", "expression"}), "as `=`"),
    exp.NullSafeEQ: (frozenset({"this", "expression"}), "`is not distinct from`: equal, or both unknown"),
    exp.GT: (frozenset({"this", "expression"}), "as `=`"),
    exp.GTE: (frozenset({"this", "expression"}), "as `=`"),
    exp.LT: (frozenset({"this", "expression"}), "as `=`"),
    exp.LTE: (frozenset({"this", "expression"}), "as `=`"),
    exp.Is: (frozenset({"this", "expression"}), "`is null` and `is not null`"),
    exp.In: (frozenset({"this", "expressions"}), "a list of literals, never a subquery"),
    exp.Add: (frozenset({"this", "expression"}), "numbers only"),
    exp.Sub: (frozenset({"this", "expression"}), "numbers only"),
    exp.Mul: (frozenset({"this", "expression"}), "numbers only"),
    exp.Div: (frozenset({"this", "expression"}), "of DOUBLE only; the divisor must not be 0 (Spark: an error)"),
    exp.IntDiv: (frozenset({"this", "expression"}), "DIV, of whole numbers not below 0"),
    exp.Mod: (frozenset({"this", "expression"}), "of whole numbers not below 0"),
    exp.Neg: (frozenset({"this"}), "numbers only"),
    exp.BitwiseAnd: (frozenset({"this", "expression"}), "64-bit words; other bit operators beside it in parentheses"),
    exp.BitwiseOr: (frozenset({"this", "expression"}), "as `&`"),
    exp.BitwiseNot: (frozenset({"this"}), "of a column, a number, a function or parentheses"),
    exp.DPipe: (frozenset({"this", "expression", "safe"}), "NULL if one side is; `concat` is not"),
    exp.DataType: (frozenset({"this", "expressions"}), "a type of TYPES"),
    exp.DataTypeParam: (frozenset({"this"}), "precision and scale"),
    exp.Window: (frozenset({"this", "partition_by", "order", "spec", "alias", "over"}), "also named, by `window w as`"),
    exp.WindowSpec: (
        frozenset({"kind", "start", "start_side", "end", "end_side"}),
        "only `rows between unbounded preceding and current row`",
    ),
    exp.Var: (frozenset({"this"}), "the unit of `date_diff`"),
}
"""Syntactic forms that room SQL may use."""

FUNCTIONS: dict[type[exp.Expr], tuple[str, str]] = {
    # class of the tree: (name in our SQL, what it is on Spark)
    exp.Case: ("case", "the same"),
    exp.If: ("case", "a branch of it"),
    exp.Cast: ("cast", "to a type of TYPES; a number with decimals is rounded before it becomes whole"),
    exp.Coalesce: ("coalesce", "the same"),
    exp.Greatest: ("greatest", "the same; both skip NULL"),
    exp.Abs: ("abs", "the same"),
    exp.Least: ("least", "the same; both skip NULL"),
    exp.Round: ("round", "the same half away from zero on DECIMAL; on DOUBLE equal up to its last place"),
    exp.Pow: ("power", "the same, of DOUBLE"),
    exp.Sqrt: ("sqrt", "the same"),
    exp.Exp: ("exp", "the same"),
    exp.Ln: ("ln", "the same above 0; of 0 DuckDB has -inf and Spark NULL, so a floor goes in first"),
    exp.Length: ("length", "the same, in characters"),
    exp.Substring: ("substr", "SUBSTRING; counted from 1, never from 0 or the end"),
    exp.SplitPart: ("split_part", "the same; counted from 1; the delimiter is text on both, '' beyond the last part"),
    exp.StrPosition: ("strpos", "LOCATE, arguments turned round"),
    exp.StartsWith: ("starts_with", "STARTSWITH"),
    exp.Replace: ("replace", "the same, of text"),
    exp.DateDiff: ("date_diff", "DATEDIFF(DAY, ...); only of days: other units count borders here, whole units there"),
    exp.Count: ("count", "the same, a BIGINT"),
    exp.Sum: ("sum", "the same; of DECIMAL exact on both"),
    exp.Min: ("min", "the same; text byte by byte"),
    exp.Max: ("max", "the same; text byte by byte"),
    exp.LogicalOr: ("bool_or", "the same; NULL when all are"),
    exp.LogicalAnd: ("bool_and", "the same; NULL when all are"),
    exp.BitwiseOrAgg: ("bit_or", "the same, also over a window"),
    exp.GroupConcat: ("string_agg", "LISTAGG ... WITHIN GROUP (Spark 4.0 and later); always with an order"),
    exp.Rank: ("rank", "the same; equal rows share a number, so no order needs to be full"),
    exp.Lag: ("lag", "the same; always with a full order, so that the row before is never a tie"),
    exp.RowNumber: ("row_number", "the same; always with a full order, so that first is never a tie"),
    exp.Explode: ("unnest", "EXPLODE, in a projection, of a list written out"),
    exp.Array: ("[...]", "ARRAY(...); only inside `unnest`"),
    exp.And: ("and", "the same"),
    exp.Or: ("or", "the same"),
    exp.Exists: ("exists", "the same"),
}
"""Functions that room SQL may use (sqlglot counts `and`, `or` and `exists` among them)."""

TYPES = ("BOOLEAN", "INT", "BIGINT", "DOUBLE", "DECIMAL", "DATE", "TEXT")
WHOLE_TYPES = ("TINYINT", "SMALLINT", "INT", "BIGINT", "INT128")
BIT_OPERATORS = (exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseXor)


def to_spark(sql: str) -> str:
    """The statement in Spark's words.

    Raises:
        sqlglot.errors.SqlglotError: sqlglot cannot say it in Spark, or what it says does not parse there.
    """
    text = sqlglot.transpile(sql, read="duckdb", write="spark", unsupported_level=ErrorLevel.RAISE)[0]
    sqlglot.parse_one(text, read="spark")
    return text


def unordered(sql: str) -> str:
    """The query without the order of its rows, which costs another shuffle where they lie in many places."""
    tree = sqlglot.parse_one(sql, read="duckdb")
    tree.set("order", None)
    return tree.sql("duckdb")


def unportable(sql: str, schema: Schema | None = None) -> list[str]:
    """Everything in a statement that is not on the list of portable forms.

    Source of the rules: models.md part 2 (what was measured to differ), and this module's lists.

    Args:
        sql: one statement in DuckDB's words.
        schema: relation to columns and types, of all relations read. Without it, what depends on types (`/`, dates,
            casts of columns) is judged by the statement alone, and an unknown type counts as a wrong one.

    Returns:
        One line per form, as written, with the reason; empty if the statement is portable.
    """
    tree = sqlglot.parse_one(sql, read="duckdb")
    found = [line for node in tree.walk() for line in _forms(node)]
    try:
        typed = annotate_types(
            qualify(
                tree.copy(), schema=_nested(schema), dialect="duckdb", quote_identifiers=False, identify=False,
                validate_qualify_columns=False,
            ),
            schema=_nested(schema), dialect="duckdb",
        )  # fmt: skip
    except SqlglotError as error:
        return [*found, f"types cannot be worked out: {error}"]
    return list(dict.fromkeys([*found, *(line for node in typed.walk() for line in _types(node))]))


def _nested(schema: Schema | None) -> dict[str, object]:
    return {name: dict(columns) for name, columns in (schema or {}).items()}


def _shown(node: exp.Expr) -> str:
    text = node.sql("duckdb")
    return text if len(text) <= 80 else text[:77] + "..."


def _given(node: exp.Expr) -> set[str]:
    return {name for name, value in node.args.items() if value not in (None, [], False, "")}


def _forms(node: exp.Expr) -> Iterator[str]:
    """What is wrong with one node by its form alone."""
    kind = type(node)
    if kind not in FORMS and kind not in FUNCTIONS:
        name = node.name if isinstance(node, exp.Anonymous) else kind.__name__
        yield f"{name}: not on the list: {_shown(node)}"
        return
    if kind in FORMS and (more := _given(node) - FORMS[kind][0]):
        yield f"{kind.__name__} with {', '.join(sorted(more))}: not on the list: {_shown(node)}"
    if isinstance(node, exp.Join) and (node.kind not in ("", "INNER", "CROSS") or node.side not in ("", "LEFT")):
        yield f"join {node.side} {node.kind}: only inner, left and cross joins: {_shown(node)}"
    if isinstance(node, exp.Join) and node.kind != "CROSS" and not node.args.get("on"):
        yield f"join without `on`: write `cross join`: {_shown(node)}"
    if isinstance(node, exp.Order) and not isinstance(node.parent, (exp.Window, exp.GroupConcat)):
        yield f"order by outside a window or string_agg: {_shown(node)}"
    if isinstance(node, exp.Subquery) and not isinstance(node.parent, (exp.From, exp.Join)):
        yield f"subquery outside `from`: {_shown(node)}"
    if isinstance(node, exp.Array) and not isinstance(node.parent, exp.Explode):
        yield f"list outside `unnest`: {_shown(node)}"
    if isinstance(node, exp.Explode) and not isinstance(node.this, exp.Array):
        yield f"unnest of something other than a list written out: {_shown(node)}"
    if isinstance(node, exp.Explode) and not isinstance(node.find_ancestor(exp.Alias, exp.From), exp.Alias):
        yield f"unnest outside a projection: {_shown(node)}"
    if isinstance(node, exp.GroupConcat) and not isinstance(node.this, exp.Order):
        yield f"string_agg without an order: {_shown(node)}"
    if isinstance(node, exp.DateDiff) and str(node.args.get("unit")).upper() != "DAY":
        yield f"date_diff of another unit than 'day': {_shown(node)}"
    if isinstance(node, exp.Substring) and _not_from_one(node.args.get("start")):
        yield f"substr counts from 1: {_shown(node)}"
    if isinstance(node, exp.SplitPart) and _not_from_one(node.args.get("part_index")):
        yield f"split_part counts from 1: {_shown(node)}"
    if isinstance(node, BIT_OPERATORS):
        mixed = [side for side in (node.this, node.expression) if isinstance(side, BIT_OPERATORS)]
        if any(type(side) is not kind for side in mixed):
            yield f"mixed bit operators without parentheses: {_shown(node)}"
    if isinstance(node, exp.BitwiseNot) and not isinstance(node.this, (exp.Column, exp.Paren, exp.Literal, exp.Func)):
        yield f"~ of something without parentheses: {_shown(node)}"
    if isinstance(node, exp.Window):
        yield from _window(node)
    if isinstance(node, exp.WindowSpec) and (
        str(node.args.get("kind")).upper() != "ROWS"
        or str(node.args.get("start")).upper() != "UNBOUNDED"
        or str(node.args.get("start_side")).upper() != "PRECEDING"
        or str(node.args.get("end")).upper() != "CURRENT ROW"
    ):
        yield f"window frame other than rows from the first to the current one: {_shown(node)}"
    if isinstance(node, exp.DataType) and node.this.name not in TYPES:
        yield f"type {node.sql('duckdb')}: not one of {', '.join(TYPES)}"
    if isinstance(node, exp.TryCast):
        yield f"try_cast: not on the list: {_shown(node)}"


def _not_from_one(position: exp.Expr | None) -> bool:
    return isinstance(position, exp.Neg) or (isinstance(position, exp.Literal) and position.name == "0")


def _window(node: exp.Window) -> Iterator[str]:
    ordered, framed, named = node.args.get("order"), node.args.get("spec"), node.args.get("alias")
    if isinstance(node.this, (exp.RowNumber, exp.Lag)) and not ordered:
        yield f"{type(node.this).__name__} without an order: {_shown(node)}"
    if (
        isinstance(node.this, (exp.AggFunc, exp.Identifier))
        and not isinstance(node.this, (exp.Rank, exp.Lag))
        and ordered
        and not framed
        and not named
    ):
        yield f"ordered window without a frame: {_shown(node)}"


def _types(node: exp.Expr) -> Iterator[str]:
    """What is wrong with one node of a statement whose types are known."""
    if isinstance(node, exp.Div) and not (_double(node.this) or _double(node.expression)):
        yield f"/ of something not known to be DOUBLE, cast it: {_shown(node)}"
    if isinstance(node, (exp.IntDiv, exp.Mod)) and not all(
        side.is_type(*WHOLE_TYPES) for side in (node.this, node.expression)
    ):
        yield f"// or % of something not known to be whole: {_shown(node)}"
    if isinstance(node, (exp.Add, exp.Sub)) and any(
        side.is_type("DATE", "TIMESTAMP", "INTERVAL") for side in (node.this, node.expression)
    ):
        yield f"date arithmetic other than date_diff('day', ...): {_shown(node)}"
    if type(node) is exp.Cast:
        source, target = node.this, node.to
        if target.is_type("INT", "BIGINT") and not (
            isinstance(source, (exp.Null, exp.Round))
            or source.is_type(*WHOLE_TYPES, "BOOLEAN")
            or (isinstance(source, exp.Paren) and isinstance(source.this, exp.Round))
        ):
            yield f"cast to a whole number without round: {_shown(node)}"
        if target.is_type("TEXT") and not (
            isinstance(source, exp.Null) or source.is_type(*WHOLE_TYPES, "TEXT", "DATE")
        ):
            yield f"cast of a {source.type} to text: {_shown(node)}"
        if target.is_type("DATE") and not (
            isinstance(source, exp.Null)
            or source.is_type("DATE")
            or (isinstance(source, exp.Literal) and len(source.name) == len("0001-01-01"))
        ):
            yield f"cast to a date of something other than a whole ISO date: {_shown(node)}"
        if target.is_type("BOOLEAN") and not (isinstance(source, exp.Null) or source.is_type("BOOLEAN")):
            yield f"cast to a truth value: {_shown(node)}"


def _double(node: exp.Expr) -> bool:
    """Is this surely a DOUBLE? (sqlglot takes `1.0` for one; both engines take it for a DECIMAL.)"""
    if isinstance(node, (exp.Paren, exp.Neg)):
        return _double(node.this)
    if isinstance(node, exp.Literal):
        return "e" in node.name.lower()
    if isinstance(node, (exp.Add, exp.Sub, exp.Mul, exp.Div)):
        return _double(node.this) or _double(node.expression)
    return node.is_type("DOUBLE")
