"""AnyFast on this machine: a small server that speaks the wire and answers with a teaching model.

It shares no code with the client side, so that one mistake cannot agree with
itself. `cli` starts it by hand (``anyfast-sim``), `launcher` starts it for a
notebook; everything else lives in that one process.
"""
