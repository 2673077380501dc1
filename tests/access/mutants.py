"""Every small change to the code of need to know, one at a time: the tests must notice each.

Those that nobody could notice stand in `survivors.toml`, with why.
"""

import ast
import copy
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final

from inbox import domain
from inbox.access.policy import vocabulary

ROOT: Final = Path(__file__).parents[2]
PRODUCT: Final = ROOT / "inbox"
SURVIVORS: Final = Path(__file__).with_name("survivors.toml")
MODULES: Final = tuple(
    sorted(
        ".".join(path.relative_to(PRODUCT).with_suffix("").parts)
        for path in (
            *(PRODUCT / "access").rglob("*.py"),
            PRODUCT / "strict" / "lines.py",
            PRODUCT / "strict" / "toml.py",
            PRODUCT / "tables" / "periods.py",
        )
    )
)

_COMPARED: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_RENAMED: Final = {
    "and_": "or_",
    "or_": "and_",
    "any": "all",
    "all": "any",
    "is_": "is_not",
    "is_not": "is_",
    "true": "false",
    "false": "true",
    "PERSON": "TARGET",
    "TARGET": "PERSON",
    "CAPACITY": "PERSON",
    "UNIT": "ORGANISATION",
    "ORGANISATION": "UNIT",
    "ROLE": "UNIT",
    "CASE_SYSTEM": "ORGANISATION",
    "DELIVERY": "TASK",
    "PROPOSAL": "TASK",
    "TASK": "PROPOSAL",
    "SUBJECT_UNIT": "UNIT",
    "GRANT": "PROPOSAL",
}
"""Joints of SQL, and bound parameters."""
_JOINING: Final = frozenset(
    {"and_", "or_", "where", "row_exists", "has_delivery", "has_delivery_to_system", "in_unit"}
    | {"person_capacity_is_active", "case_system_is_active", "has_active_unit", "is_assigned"}
    | {"proposed_by_other", "own_task"}
)
"""Calls whose arguments are conditions: each can be left out."""
_WORDS: Final[dict[str, type[StrEnum]]] = {
    "_M": domain.MessageState,
    **{
        kind.__name__: kind
        for home in (domain, vocabulary)
        for kind in vars(home).values()
        if isinstance(kind, type) and issubclass(kind, StrEnum) and kind is not StrEnum
    },
}


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One change; `name` stays the same when lines move."""

    module: str
    name: str
    line: int
    node: int
    change: int

    def tree(self) -> ast.Module:
        """The module with the change in it."""
        tree = copy.deepcopy(_tree_of(self.module))
        target = list(ast.walk(tree))[self.node]
        _Put(target, _changes(target)[self.change]).visit(tree)
        return ast.fix_missing_locations(tree)


class _Put(ast.NodeTransformer):
    """Puts one node in the place of another."""

    def __init__(self, target: ast.AST, new: ast.AST) -> None:
        self._target = target
        self._new = new

    def visit(self, node: ast.AST) -> ast.AST:
        """As its parent asks."""
        return self._new if node is self._target else self.generic_visit(node)


def mutants_of(module: str) -> list[Mutant]:
    """Every mutant of a module, in the order of its lines."""
    tree = _tree_of(module)
    nodes, skipped, homes = list(ast.walk(tree)), _skipped(tree), _homes(tree)
    found, names = [], Counter[str]()
    for number, node in enumerate(nodes):
        if id(node) in skipped:
            continue
        for change, new in enumerate(_changes(node)):
            name = f"{module}.{homes[id(node)]}: {_difference(node, new)}"
            names[name] += 1
            if names[name] > 1:
                name = f"{name} #{names[name]}"
            line = getattr(node, "lineno", 0)
            found.append(Mutant(module=module, name=name, line=line, node=number, change=change))
    return sorted(found, key=lambda mutant: mutant.line)


def known_survivors() -> dict[str, str]:
    """Mutants that change nothing that anybody could see, by name, and why."""
    table = tomllib.loads(SURVIVORS.read_text())
    return {entry["mutant"]: entry["why"] for entry in table["survivor"]}


def file_of(module: str) -> Path:
    """The path of a module that is named as from `inbox`: `access.policy.engine`."""
    return PRODUCT.joinpath(*module.split(".")).with_suffix(".py")


@cache
def _tree_of(module: str) -> ast.Module:
    return ast.parse(file_of(module).read_text())


def _said(node: ast.AST) -> str:
    text = " ".join(ast.unparse(ast.fix_missing_locations(copy.deepcopy(node))).split())
    return text if len(text) <= 120 else f"{text[:80]}...{text[-37:]}"


def _difference(node: ast.AST, new: ast.AST) -> str:
    match node, new:
        case ast.If(test=test), ast.Pass():
            return f"without if {_said(test)}"
        case ast.If(test=test), _:
            return f"if not ({_said(test)})"
        case ast.Call(func=func, args=args), ast.Call(args=fewer) if len(fewer) < len(args):
            (left,) = [arg for arg in args if not any(arg is kept for kept in fewer)]
            name = func.attr if isinstance(func, ast.Attribute) else _said(func)
            return f"{name} without {_said(left)}"
        case ast.comprehension(ifs=ifs), ast.comprehension(ifs=fewer):
            (left,) = [test for test in ifs if not any(test is kept for kept in fewer)]
            return f"for without if {_said(left)}"
    return f"{_said(node)} -> {_said(new)}"


def _homes(tree: ast.Module) -> dict[int, str]:
    """Where each node stands: the names of classes and functions around it."""
    homes: dict[int, str] = {}

    def walk(node: ast.AST, home: str) -> None:
        homes[id(node)] = home or "module"
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            home = f"{home}.{node.name}".lstrip(".")
        for child in ast.iter_child_nodes(node):
            walk(child, home)

    walk(tree, "")
    return homes


def _skipped(tree: ast.Module) -> set[int]:
    """Types, decorators, texts of errors, what an EXISTS selects: they decide nothing."""
    found: set[int] = set()

    def skip(node: ast.AST | None) -> None:
        found.update({id(each) for each in ast.walk(node)} if node is not None else ())

    for node in ast.walk(tree):
        if isinstance(node, ast.arg | ast.AnnAssign):
            skip(node.annotation)
        elif isinstance(node, ast.FunctionDef):
            skip(node.returns)
            for decorator in node.decorator_list:
                skip(decorator)
        elif isinstance(node, ast.ClassDef):
            for decorator in node.decorator_list:
                skip(decorator)
        elif isinstance(node, ast.Raise):
            skip(node.exc)
        elif (isinstance(node, ast.Call) and ast.unparse(node.func) == "sa.literal") or _is_union(
            node
        ):
            skip(node)
    return found


def _is_union(node: ast.AST) -> bool:
    """`One | Other`, of types."""
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.BitOr):
        return False
    names = [each.id for each in ast.walk(node) if isinstance(each, ast.Name)]
    leaves = [each for each in ast.walk(node) if isinstance(each, ast.Call | ast.Attribute)]
    return not leaves and all(name[:1].isupper() and not name.isupper() for name in names)


def _changes(node: ast.AST) -> list[ast.AST]:
    """What can stand in the place of a node."""
    return [*_of_logic(node), *_of_names(node), *_of_guards(node)]


def _of_logic(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.BoolOp(op=op, values=values):
            yield ast.BoolOp(op=ast.Or() if isinstance(op, ast.And) else ast.And(), values=values)
            for place in range(len(values)):
                rest = values[:place] + values[place + 1 :]
                yield rest[0] if len(rest) == 1 else ast.BoolOp(op=op, values=rest)
        case ast.Compare(left=left, ops=[op], comparators=comparators):
            if type(op) in _COMPARED:
                yield ast.Compare(left=left, ops=[_COMPARED[type(op)]()], comparators=comparators)
        case ast.UnaryOp(op=ast.Not() | ast.Invert(), operand=operand):
            yield operand
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            yield ast.BinOp(left=left, op=ast.BitAnd(), right=right)
        case ast.BinOp(left=left, op=ast.BitAnd(), right=right):
            yield ast.BinOp(left=left, op=ast.BitOr(), right=right)
            yield left
            yield right
        case ast.Constant(value=bool(value)):
            yield ast.Constant(value=not value)
        case ast.Constant(value=int(value)):
            yield ast.Constant(value=value + 1)


def _of_names(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Name(id=name, ctx=ast.Load()) if name in _RENAMED:
            yield ast.Name(id=_RENAMED[name], ctx=ast.Load())
        case ast.Attribute(value=value, attr=name, ctx=ast.Load()) if name in _RENAMED:
            yield ast.Attribute(value=value, attr=_RENAMED[name], ctx=ast.Load())
        case ast.Attribute(value=ast.Name(id=kind) as value, attr=name) if kind in _WORDS:
            members = [*_WORDS[kind].__members__]
            if name in members:
                other = members[(members.index(name) + 1) % len(members)]
                yield ast.Attribute(value=value, attr=other, ctx=ast.Load())
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args):
            if name in _JOINING:
                for place in range(len(args)):
                    rest = args[:place] + args[place + 1 :]
                    if rest or name not in {"and_", "or_"}:
                        yield ast.Call(func=node.func, args=rest, keywords=node.keywords)


def _of_guards(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.If(test=test, body=[ast.Raise() | ast.Return() | ast.Continue()], orelse=[]):
            yield ast.Pass()
            yield ast.If(test=ast.UnaryOp(op=ast.Not(), operand=test), body=node.body, orelse=[])
        case ast.If(test=test) | ast.IfExp(test=test):
            new = copy.copy(node)
            new.test = ast.UnaryOp(op=ast.Not(), operand=test)
            yield new
        case ast.comprehension(ifs=[_, *_] as ifs):
            for place in range(len(ifs)):
                new_part = copy.copy(node)
                new_part.ifs = ifs[:place] + ifs[place + 1 :]
                yield new_part
