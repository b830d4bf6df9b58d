"""Mutants of one module: every single change that a careful test should notice. Pure.

A mutant is the module with one small lie in it: a boundary moved, a condition turned round, a
sum that subtracts, a statement left out. Left alone are docstrings, annotations, assertions
(they state our own bugs and are seldom reachable) and the text of f-strings, exceptions and logs,
which is for people.
"""

import ast
import copy
from collections.abc import Callable, Iterable, Iterator

import msgspec

Located = ast.expr | ast.stmt
Change = Callable[[ast.AST], ast.AST | None]

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
CALLS = {"min": "max", "max": "min", "any": "all", "all": "any"}
DROPPED = (ast.Expr, ast.Assign, ast.AugAssign, ast.Raise, ast.Continue, ast.Break, ast.Delete)
FIELDS_LEFT_ALONE = frozenset(
    {"annotation", "returns", "decorator_list", "target", "targets", "pattern", "type"}
)
PEOPLE_CALLS = frozenset({"Log", "_log", "Alert"})
MARK = "XX"


class Mutant(msgspec.Struct, frozen=True):
    """One mutant.

    Attributes:
        place: Number of the changed node in the walk of its module, and of the change there.
        line: Where the change begins; last_line: where it ends.
        within: Qualified name of the function that holds it; empty for the module's own body.
        former: Source of what was changed; present: what became of it.
    """

    place: tuple[int, int]
    line: int
    last_line: int
    within: str
    former: str
    present: str

    @property
    def name(self) -> str:
        """What it is, whatever stands in other lines of the file."""
        return f"{self.within or 'module'}: {self.former} → {self.present}"


def mutants_of(source: str) -> tuple[Mutant, ...]:
    """Return every mutant of a module, in the order of its lines."""
    tree = ast.parse(source)
    found: list[Mutant] = []
    for number, (node, within) in enumerate(_walk(tree)):
        for turn, change in enumerate(_changes(node)):
            changed = change(copy.deepcopy(node))
            found.append(
                Mutant(
                    place=(number, turn),
                    line=node.lineno,
                    last_line=_last_line(node),
                    within=within,
                    former=_shown(node),
                    present="(nothing)" if changed is None else _shown(changed),
                )
            )
    return tuple(sorted(found, key=lambda one: (one.line, one.place)))


def _last_line(node: Located) -> int:
    """Where a change ends: of a branch it is the condition that changes."""
    last = node.test if isinstance(node, ast.If | ast.While) else node
    return last.end_lineno or node.lineno


def mutated(source: str, mutant: Mutant) -> ast.Module:
    """Return the module with one mutant in it."""
    tree = ast.parse(source)
    number, turn = mutant.place
    for count, (node, _) in enumerate(_walk(tree)):
        if count == number:
            changed = _changes(node)[turn](copy.deepcopy(node))
            _put(tree, node, changed)
            return ast.fix_missing_locations(tree)
    raise AssertionError("a mutant of another source")


def _walk(tree: ast.Module) -> Iterator[tuple[Located, str]]:
    """Yield every node that may be changed, with the function that holds it, in a fixed order."""
    yield from _among(tree.body, "", "")


def _among(nodes: Iterable[object], prefix: str, function: str) -> Iterator[tuple[Located, str]]:
    for node in nodes:
        if not isinstance(node, ast.AST) or _is_left_alone(node, function):
            continue
        if isinstance(node, ast.ClassDef):
            yield from _among(node.body, f"{prefix}{node.name}.", function)
        elif isinstance(node, ast.FunctionDef):
            # What an inner function does is judged as a part of the outer one.
            name = function or f"{prefix}{node.name}"
            yield from _below(node.args, prefix, function)
            yield from _among(node.body, f"{name}.", name)
        else:
            # A statement of the module's own body cannot be left out without being noticed.
            if isinstance(node, ast.expr) or (isinstance(node, ast.stmt) and function):
                yield node, function
            yield from _below(node, prefix, function)


def _below(node: ast.AST, prefix: str, function: str) -> Iterator[tuple[Located, str]]:
    if isinstance(node, ast.Raise):
        return
    for name, value in ast.iter_fields(node):
        if name not in FIELDS_LEFT_ALONE:
            yield from _among(value if isinstance(value, list) else [value], prefix, function)


def _is_left_alone(node: ast.AST, function: str) -> bool:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True  # a docstring, at the head or below an attribute
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in PEOPLE_CALLS
    if isinstance(node, ast.Assign) and not function:
        return _is_of_types(node.value)
    return isinstance(node, ast.Assert | ast.Import | ast.ImportFrom | ast.JoinedStr)


def _is_of_types(value: ast.expr) -> bool:
    """Whether a value only names a type: `Literal[...]`, `A | B`, `TypeVar(...)`."""
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
        return value.func.id in ("TypeVar", "NewType")
    is_union = isinstance(value, ast.BinOp) and isinstance(value.op, ast.BitOr)
    return is_union or isinstance(value, ast.Subscript)


# --- changes ----------------------------------------------------------------------


def _changes(node: Located) -> tuple[Change, ...]:
    """Return the changes of one node, in a fixed order."""
    if isinstance(node, ast.stmt):
        return tuple(_statement_changes(node))
    return tuple(_expression_changes(node))


def _statement_changes(node: ast.stmt) -> Iterator[Change]:
    if isinstance(node, DROPPED):
        yield lambda _: ast.Pass()
    if isinstance(node, ast.If | ast.While):
        yield _turn_test
    if isinstance(node, ast.Return) and not _is_nothing(node.value):
        yield lambda _: ast.Return(ast.Constant(None))
    if isinstance(node, ast.AugAssign) and type(node.op) in ARITHMETIC:
        yield _turn_operator


def _is_nothing(value: ast.expr | None) -> bool:
    return value is None or (isinstance(value, ast.Constant) and value.value is None)


def _expression_changes(node: ast.expr) -> Iterator[Change]:
    match node:
        case ast.Compare(ops=ops):
            for place, operator in enumerate(ops):
                for other in COMPARISONS[type(operator)]:
                    yield _comparison(place, other)
        case ast.BoolOp(values=values):
            yield _turn_junction
            yield from map(_without_operand, range(len(values)))
        case ast.BinOp(op=operator) if type(operator) in ARITHMETIC:
            yield _turn_operator
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield lambda one: one.operand  # type: ignore[attr-defined]
        case ast.IfExp():
            yield _turn_test
        case ast.Call(func=ast.Name(id=name)) if name in CALLS:
            yield _turn_call
        case ast.Constant(value=bool() | int() | float() | str()):
            yield _turn_constant


def _turn_constant(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.Constant)
    value = node.value
    if isinstance(value, bool):
        return ast.Constant(not value)
    if isinstance(value, str):
        return ast.Constant(value + MARK)
    assert isinstance(value, int | float)
    return ast.Constant(value + 1)


def _turn_test(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.If | ast.While | ast.IfExp)
    node.test = ast.UnaryOp(ast.Not(), node.test)
    return node


def _turn_operator(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.BinOp | ast.AugAssign)
    node.op = ARITHMETIC[type(node.op)]()
    return node


def _turn_junction(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.BoolOp)
    node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    return node


def _turn_call(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.Call)
    assert isinstance(node.func, ast.Name)
    node.func.id = CALLS[node.func.id]
    return node


def _comparison(place: int, other: type[ast.cmpop]) -> Change:
    def change(node: ast.AST) -> ast.AST:
        assert isinstance(node, ast.Compare)
        node.ops[place] = other()
        return node

    return change


def _without_operand(place: int) -> Change:
    def change(node: ast.AST) -> ast.AST:
        assert isinstance(node, ast.BoolOp)
        del node.values[place]
        return node if len(node.values) > 1 else node.values[0]

    return change


def _put(tree: ast.Module, former: ast.AST, present: ast.AST | None) -> None:
    """Replace a node of a tree, wherever it hangs."""
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is former:
                setattr(parent, name, present)
                return
            if isinstance(value, list):
                for place, one in enumerate(value):
                    if one is former:
                        value[place] = present
                        return
    raise AssertionError("the node is not in the tree")


def _shown(node: ast.AST) -> str:
    """Return the first line of a node's source."""
    if isinstance(node, ast.If | ast.While):
        word = "if" if isinstance(node, ast.If) else "while"
        return f"{word} {ast.unparse(node.test)}:"
    if isinstance(node, ast.Pass):
        return "(nothing)"
    return " ".join(ast.unparse(node).split())
