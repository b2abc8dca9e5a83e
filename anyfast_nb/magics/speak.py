"""`af.chat`: from Python what the magic does, streamed into the cell."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Unpack

from anyfast_nb.client.faces import ChatOptions, Client
from anyfast_nb.gateway.rounds import rounds_of
from anyfast_nb.gateway.whence import here

if TYPE_CHECKING:
    from anyfast_nb.gateway.prompt import Prompt
    from anyfast_nb.wire.values import Answer


def chat(prompt: Prompt, **options: Unpack[ChatOptions]) -> Answer:
    """Ask a model; in a notebook the answer streams into the cell.

    Outside of one it prints nothing, and needs a key or ``ANYFAST_BASE_URL=simulator``.

    Args:
        prompt: text, or a list of messages.
        options: see `anyfast_nb.client.faces.ChatOptions`: model, system, images, max_tokens …

    Returns:
        The answer: ``.text .reasoning .usage .model .id``.

    Raises:
        InputError: a value outside its documented range; nothing was sent.
        AnyFastError: see `anyfast_nb.errors`.
        Interrupted: the user stopped it; ``.partial`` holds what had arrived.

    Example:
        >>> import anyfast_nb as af
        >>> answer = af.chat("What is 6 * 7?", model="mini")
    """
    shell = _shell()
    if shell is None:
        with Client() as client:
            return client.chat(prompt, **options)
    from anyfast_nb.magics.show import show_chat
    from anyfast_nb.session import session

    own = session()
    options.setdefault("stream", True)
    rounds = rounds_of(prompt, settings=own.settings, **options)
    return show_chat(own, rounds, origin=here(shell), notes=rounds.request.notes)


def _shell() -> Any | None:
    """The running IPython, if there is one; it is not imported for the question."""
    if "IPython" not in sys.modules:
        return None
    from IPython.core.getipython import get_ipython

    return get_ipython()
