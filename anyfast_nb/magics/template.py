r"""`{{name}}` in prompts: what is put in, and what stays as it is.

``{{name}}``, followed by any of ``.attr``, ``[literal]`` or a call with literal
arguments, is replaced once by its value; inserted text is not looked at again.
Anything else in braces stays: JSON, code, ``{{ a + b }}``. ``\{{`` writes
braces as they are.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from anyfast_nb.errors import AnyFastError, InputError

# Nothing of a field holds "{{": one that is not ours must not swallow one that is.
FIELD: Final = re.compile(r"(\\?)\{\{(?!\{)((?:(?!\{\{)[^\n]){1,300}?)\}\}")
_KEEP: Final = r"To send the braces as they are, write \{{ or add --no-vars."


def expand(
    text: str,
    *,
    lookup: Callable[[str], Any],
    names: Callable[[], Mapping[str, Any]],
    as_text: Callable[[str, Any], str],
) -> str:
    """Replace every `{{…}}` of our form by its value's text.

    Args:
        text: line or body.
        lookup: gives the value of a name, or raises KeyError.
        names: all names there are, for close matches.
        as_text: an expression and its value to the text that goes in.

    Raises:
        InputError: an unknown name, or a value that cannot be had.
    """

    def put_in(match: re.Match[str]) -> str:
        escaped, expression = match.group(1), match.group(2).strip()
        if escaped:
            return match.group(0)[1:]
        if (tree := parse(expression)) is None:
            return match.group(0)
        value = evaluate(tree, expression, lookup=lookup, names=names)
        return as_text(expression, value)

    return FIELD.sub(put_in, text)


def parse(expression: str) -> ast.expr | None:
    """The expression's tree if it is of our form, else None."""
    try:
        tree = ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return tree if _is_ours(tree) else None


def root_of(expression: str) -> str | None:
    """The name an expression without calls begins with; None for anything else."""
    tree = parse(expression)
    if tree is None or any(isinstance(node, ast.Call) for node in ast.walk(tree)):
        return None
    return next(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))


def _is_ours(tree: ast.expr) -> bool:
    match tree:
        case ast.Name():
            return True
        case ast.Attribute(value=inner):
            return _is_ours(inner)
        case ast.Subscript(value=inner, slice=index):
            return _is_ours(inner) and _is_index(index)
        case ast.Call(func=inner, args=args, keywords=keywords):
            named = all(keyword.arg and _is_literal(keyword.value) for keyword in keywords)
            return _is_ours(inner) and named and all(map(_is_literal, args))
    return False


def _is_index(node: ast.expr) -> bool:
    if isinstance(node, ast.Slice):
        return all(part is None or _is_literal(part) for part in (node.lower, node.upper, node.step))
    if isinstance(node, ast.Tuple):
        return all(map(_is_index, node.elts))
    return _is_literal(node)


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError):
        return False
    return True


def evaluate(
    tree: ast.expr,
    expression: str,
    *,
    lookup: Callable[[str], Any],
    names: Callable[[], Mapping[str, Any]],
) -> Any:
    """The value of a tree that `parse` gave.

    Raises:
        InputError: an unknown name; or what the attribute, index or call raised.
        AnyFastError: one of ours that was raised there, such as of a job that failed.
    """
    root = next(node for node in ast.walk(tree) if isinstance(node, ast.Name))
    try:
        value = lookup(root.id)
    except KeyError:
        near = difflib.get_close_matches(root.id, list(names()), n=3, cutoff=0.6)
        meant = f"Did you mean {' or '.join(near)}? " if near else ""
        raise InputError(
            f"{{{{{expression}}}}}: there is no variable {root.id!r}", hint=f"{meant}{_KEEP}"
        ) from None
    code = compile(ast.Expression(tree), "<prompt>", "eval")
    try:
        return eval(code, {"__builtins__": {}}, {root.id: value})  # noqa: S307 - the user's own code, of the checked form
    except AnyFastError:
        raise  # a job that failed says why
    except Exception as error:  # noqa: BLE001 - whatever the user's object raised
        raise InputError(
            f"{{{{{expression}}}}}: {type(error).__name__}: {str(error)[:200]}", hint=_KEEP
        ) from None
