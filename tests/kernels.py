"""A real ipykernel, driven as a front end drives it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

Message = dict[str, Any]


@dataclass(slots=True)
class Run:
    """Everything one cell sent, and what a person sees in the end."""

    msg_id: str
    reply: Message = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)

    @property
    def status(self) -> str:
        """ok, error or aborted."""
        return str(self.reply["content"]["status"])

    @property
    def outputs(self) -> list[Message]:
        """The cell's outputs as a notebook would store them: updates and clears carried out."""
        shown: list[Message] = []
        clear_next = False
        for message in self.messages:
            kind, content = message["msg_type"], message["content"]
            if kind == "clear_output":
                clear_next = bool(content["wait"])
                shown = shown if clear_next else []
            elif kind in {"stream", "display_data", "execute_result", "error"}:
                shown = [] if clear_next else shown
                clear_next = False
                shown.append({"output_type": kind, **content})
            elif kind == "update_display_data":
                for output in shown:
                    if _display_id(output) == _display_id(content):
                        output.update(data=content["data"], metadata=content["metadata"])
        return shown

    @property
    def text(self) -> str:
        """All that can be read, in order: streams, text/plain, tracebacks."""
        return "".join(_text(output) for output in self.outputs)

    @property
    def size_bytes(self) -> int:
        """Payload of all messages on the wire, nearly: their content as text."""
        return sum(len(str(message["content"])) for message in self.messages)


def _display_id(content: Message) -> str:
    return str(content.get("transient", {}).get("display_id", ""))


def _text(output: Message) -> str:
    if output["output_type"] == "stream":
        return str(output["text"])
    if output["output_type"] == "error":
        return "\n".join(output["traceback"]) + "\n"
    return str(output["data"].get("text/plain", "")) + "\n"


class Kernel:
    """A kernel of its own process; ends with the `with` block.

    Args:
        cwd: its working folder.
        environ: its whole environment.
        start_timeout_s: how long it may take to answer first.
    """

    def __init__(self, *, cwd: Path, environ: dict[str, str], start_timeout_s: float = 60) -> None:
        self._manager = KernelManager(
            kernel_name="python3", connection_file=str(cwd / f"kernel-{time.monotonic_ns()}.json")
        )
        self._manager.start_kernel(cwd=str(cwd), env=environ)
        self.client: BlockingKernelClient = self._manager.client()
        self.client.start_channels()
        try:
            self.client.wait_for_ready(timeout=start_timeout_s)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the kernel and its channels."""
        self.client.stop_channels()
        self._manager.shutdown_kernel(now=True)
        self._manager.cleanup_resources()
        self._manager.context.destroy(linger=0)

    def send(
        self, code: str, *, cell_id: str | None = None, stop_on_error: bool = True, silent: bool = False
    ) -> str:
        """Queue a cell and return its message id at once; `collect` gets the rest."""
        content = {
            "code": code,
            "silent": silent,
            "store_history": not silent,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": stop_on_error,
        }
        message = self.client.session.msg("execute_request", content)
        if cell_id is not None:
            message["metadata"]["cellId"] = cell_id  # as JupyterLab sends it
        self.client.shell_channel.send(message)
        return str(message["header"]["msg_id"])

    def collect(self, *msg_ids: str, timeout_s: float = 60) -> list[Run]:
        """Wait until each cell has its reply and the kernel is idle for it."""
        runs = {msg_id: Run(msg_id) for msg_id in msg_ids}
        end = time.monotonic() + timeout_s
        waiting = set(runs)
        while waiting:
            message = self.client.get_iopub_msg(timeout=max(0.01, end - time.monotonic()))
            run = runs.get(message["parent_header"].get("msg_id", ""))
            if run is None:
                continue
            run.messages.append(message)
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                waiting.discard(run.msg_id)
        while any(not run.reply for run in runs.values()):
            reply = self.client.get_shell_msg(timeout=max(0.01, end - time.monotonic()))
            if (parent := reply["parent_header"].get("msg_id")) in runs:
                runs[parent].reply = reply
        return list(runs.values())

    def execute(self, code: str, *, cell_id: str | None = None, timeout_s: float = 60) -> Run:
        """Run one cell to its end."""
        return self.collect(self.send(code, cell_id=cell_id), timeout_s=timeout_s)[0]

    def wait_for(self, msg_id: str, text: str, *, timeout_s: float = 30) -> list[Message]:
        """Read iopub until an output of this cell holds `text`; what was read comes back."""
        seen: list[Message] = []
        end = time.monotonic() + timeout_s
        while True:
            message = self.client.get_iopub_msg(timeout=max(0.01, end - time.monotonic()))
            if message["parent_header"].get("msg_id") == msg_id:
                seen.append(message)
                if message["msg_type"] != "execute_input" and text in str(message["content"]):
                    return seen

    @property
    def pid(self) -> int:
        """The kernel's process."""
        return int(self._manager.provisioner.pid)

    def interrupt(self) -> None:
        """What the toolbar's square does.

        Send it once the cell runs (`wait_for` something it shows): a kernel that is
        interrupted on the way into a cell loses that cell's reply.
        """
        self._manager.interrupt_kernel()
