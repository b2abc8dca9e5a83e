"""`%%anyfast chat` and `%anyfast chat "…"`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from anyfast_nb.errors import AnyFastError, InputError, Interrupted, ModelNotFoundError
from anyfast_nb.gateway.rounds import rounds_of
from anyfast_nb.gateway.whence import here
from anyfast_nb.http.redact import redact
from anyfast_nb.magics import origin
from anyfast_nb.magics.options import chat_options, check_name, field_value, given, line_prompt, split
from anyfast_nb.magics.show import show_chat
from anyfast_nb.magics.spoken import with_near_models
from anyfast_nb.magics.variables import Variables
from anyfast_nb.render.request import request_bundle
from anyfast_nb.wire.dialects import dialect_of
from anyfast_nb.wire.estimate import about_tokens
from anyfast_nb.wire.values import Answer, Status

if TYPE_CHECKING:
    import argparse

    from anyfast_nb.magics.verbs import Show
    from anyfast_nb.session import Session
    from anyfast_nb.threads.book import Place, Thread


def chat(session: Session, shell: Any, line: str, cell: str | None, *, show: Show) -> None:
    """Run the verb `chat`: the prompt is the cell's body, or one quoted text on the line.

    Raises:
        InputError: a wrong option, an empty prompt, an unknown name in braces.
        AnyFastError: refused, failed or cut.
        Interrupted: the user stopped it.
    """
    options = chat_options().read(split(line))
    prompt = _prompt(options, line, cell)
    check_name(options.to)
    variables = Variables(session, shell, on=not options.no_vars)
    parameters = _parameters(options, variables)
    text = variables.text(prompt)
    thread, place = _place(session, shell, options)
    rounds = rounds_of(text, settings=session.settings, history=place.history if place else (), **parameters)
    request = rounds.request
    body, path = request.body, dialect_of(request.body).path
    notes = [*variables.notes, *request.notes, *([place.note] if place and place.note else [])]
    whence = here(shell).of_thread(options.thread)
    if options.dry_run:
        where, size = session.destination(), _about(body)
        told = session.gateway.forecast(dialect_of(body).kind, body, origin=whence)
        notes += [redact(line) for line in told.lines()]
        show(request_bundle(path, body, where=where, notes=notes, size=size, clean=redact))
        return

    def keep(answer: object) -> None:
        """Into the thread and the variable: what came before an interrupt or a cut as well."""
        if not isinstance(answer, Answer) or (answer.status is Status.ERROR and not answer.text):
            return
        if thread is not None and place is not None and (answer.text or answer.tool_calls):
            thread.add(place, message=request.message, answer=answer)
        if options.to:
            shell.user_ns[options.to] = answer

    plain = options.plain or options.json
    try:
        owns_cell = cell is not None
        keep(show_chat(session, rounds, origin=whence, notes=notes, owns_cell=owns_cell, plain=plain))
    except ModelNotFoundError as error:
        raise with_near_models(error, body["model"]) from None
    except (Interrupted, AnyFastError) as stopped:
        keep(stopped.partial)
        raise


def _prompt(options: argparse.Namespace, line: str, cell: str | None) -> str:
    if cell is None:
        return line_prompt(options.words, line)
    if options.words:
        raise InputError(
            f"the prompt is the cell's body, not {options.words[0]!r} on the line",
            hint="Put the words below the first line.",
        )
    if not cell.strip():
        raise InputError("the prompt is empty", hint="Write it below the first line.")
    return cell.strip("\n")


def _parameters(options: argparse.Namespace, variables: Variables) -> dict[str, Any]:
    """The line's options as arguments of a chat."""
    parameters = given(
        options, "model", "temperature", "top_p", "max_tokens", "fps", "api", "reasoning", "max_rounds"
    )
    if options.system is not None:
        parameters["system"] = variables.text(options.system)
    if options.stop:
        parameters["stop"] = [variables.text(text) for text in options.stop]
    if options.json:
        parameters["response_format"] = {"type": "json_object"}
    parameters["images"] = [variables.medium(word, kind="image") for word in options.image]
    parameters["videos"] = [variables.medium(word, kind="video") for word in options.video]
    parameters["files"] = [variables.medium(word, kind="file") for word in options.file]
    parameters["downscale"] = options.downscale
    parameters["stream"] = not options.no_stream
    if options.extra:
        parameters["extra"] = dict(field_value(word) for word in options.extra)
    return parameters | _tools(options, variables)


def _tools(options: argparse.Namespace, variables: Variables) -> dict[str, Any]:
    names = [name for word in options.tools for name in word.split(",") if name]
    choice = options.tool_choice
    if choice is not None and not names:
        raise InputError(
            "--tool-choice is given without --tools", field="tool_choice", hint="Add --tools NAME."
        )
    if not names:
        return {}
    tools = [variables.function(name) for name in names]
    if choice in names:  # the variable's name need not be the function's own
        choice = tools[names.index(choice)]
    return {"tools": tools, "tool_choice": choice}


def _place(
    session: Session, shell: Any, options: argparse.Namespace
) -> tuple[Thread, Place] | tuple[None, None]:
    if options.new and options.append:
        raise InputError("--new starts a thread over, --append goes on with it", hint="Give one of them.")
    if options.thread is None:
        if options.new or options.append:
            flag = "--new" if options.new else "--append"
            raise InputError(f"{flag} belongs to a thread", field="thread", hint="Add --thread NAME.")
        return None, None
    if not options.thread.strip():
        raise InputError("--thread needs a name", field="thread", hint="Write --thread NAME.")
    thread = session.threads.thread(options.thread, notebook=origin.notebook(shell))
    cell, run = origin.cell_id(shell), origin.run_id(shell)
    return thread, thread.place(cell=cell, run=run, append=options.append, new=options.new)


def _about(body: Mapping[str, Any]) -> str:
    tokens = sum(about_tokens(text) for text in dialect_of(body).texts(body))
    return f"about {tokens:,} tokens of text"
