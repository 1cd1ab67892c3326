"""How the code is written."""

from __future__ import annotations

import ast
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

LONGEST_FUNCTION = 40
LONGEST_FILE = 400

Function = ast.FunctionDef | ast.AsyncFunctionDef


@pytest.fixture(scope="session")
def functions(python_files: list[Path], root: Path) -> list[tuple[str, Function]]:
    """Every function with the place where it is."""
    return [
        (f"{path.relative_to(root)}:{function.lineno} {function.name}", function)
        for path in python_files
        for function in functions_of(path)
    ]


def functions_of(path: Path) -> Iterator[Function]:
    """Functions and methods of a file, nested ones too."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def length(function: Function) -> int:
    """Lines from `def` to the last one, without the docstring."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def lacking(function: Function) -> list[str]:
    """Arguments without annotation, and "return" when that is not said."""
    spec = function.args
    given = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs, spec.vararg, spec.kwarg]
    names = [argument.arg for argument in given if argument and argument.annotation is None]
    return [name for name in names if name not in ("self", "cls")] + ([] if function.returns else ["return"])


def test_no_function_is_longer_than_forty_lines(functions: list[tuple[str, Function]]) -> None:
    assert [place for place, function in functions if length(function) > LONGEST_FUNCTION] == []


def test_functions_are_short_as_a_rule(functions: list[tuple[str, Function]]) -> None:
    assert statistics.median(length(function) for _, function in functions) <= 8


def test_every_function_is_annotated(functions: list[tuple[str, Function]]) -> None:
    assert {place: names for place, function in functions if (names := lacking(function))} == {}


def test_no_file_is_longer_than_four_hundred_lines(python_files: list[Path], root: Path) -> None:
    counts = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in python_files}
    assert [str(path.relative_to(root)) for path, count in counts.items() if count > LONGEST_FILE] == []


def test_every_module_and_public_class_says_what_it_is(python_files: list[Path], root: Path) -> None:
    library = [path for path in python_files if (root / "DPLSegmentLib") in path.parents]
    assert [str(path.relative_to(root)) for path in library if not documented(path)] == []


def documented(path: Path) -> bool:
    """A docstring for the module, its public classes and its public functions; an empty __init__.py needs none."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    public = [node for node in tree.body if isinstance(node, (Function, ast.ClassDef)) and node.name[0] != "_"]
    return not tree.body or all(ast.get_docstring(node) for node in (tree, *public))


def test_rooms_import_one_way(root: Path) -> None:
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run([sys.executable, "-X", "utf8", "-c", code, "--no-cache"], cwd=root, capture_output=True)
    said = done.stdout.decode("utf-8")
    assert done.returncode == 0, said
    assert "0 broken" in said
