"""The knobs of a running demonstration server: `/demo/faults` and `/demo/restart`."""

from dataclasses import asdict

from modeltui.demo.faults import fault_from_json
from modeltui.demo.http1 import Answer, data_answer
from modeltui.demo.refusals import Refusal
from modeltui.demo.state import Asked, State


async def faults(state: State, asked: Asked) -> Answer:
    """GET lists the troubles that wait, POST adds one, DELETE drops them all."""
    if asked.request.method == "POST":
        try:
            state.faults.add(fault_from_json(asked.fields()))
        except ValueError as error:
            raise Refusal(400, str(error)) from None
    elif asked.request.method == "DELETE":
        state.faults.clear()
    return data_answer({"faults": [asdict(fault) for fault in state.faults.waiting]})


async def restart(state: State, asked: Asked) -> Answer:
    """POST `{"prune": bool}` restarts the server as soon as this answer is out."""
    fields = asked.fields() if asked.request.body else {}
    state.restart_soon(fields.get("prune") is True)
    return Answer()
