"""Misbehaviour of the REST side, asked for by a test."""

import re
from dataclasses import dataclass, field
from fnmatch import translate
from typing import Literal

Kind = Literal["delay", "limit", "exhaust", "fail", "cut"]


@dataclass(slots=True)
class Fault:
    """One ordered misbehaviour. `hits` counts how often it struck; `cancel()` ends it."""

    pattern: re.Pattern[str]
    kind: Kind
    times: int | None
    """How many more requests it strikes; None: all."""
    seconds: float = 0.0
    status: int = 0
    processed: bool = False
    everywhere: bool = False
    hits: int = field(default=0, init=False)

    def cancel(self) -> None:
        self.times = 0


class Faults:
    """Faults by request, matched against "METHOD /path" (without the API's base) with shell wildcards.

    For example "POST /interactions/*/callback", "PATCH */messages/@original" or "*". Of several faults that
    match one request, delays add up, and the oldest other one strikes.
    """

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def _add(self, pattern: str, kind: Kind, times: int | None, **more: float | bool) -> Fault:
        fault = Fault(re.compile(translate(pattern)), kind, times, **more)  # pyright: ignore[reportArgumentType]
        self._faults.append(fault)
        return fault

    def delay(self, pattern: str, seconds: float, *, times: int | None = None) -> Fault:
        """Hold each request back for `seconds` before it is looked at."""
        return self._add(pattern, "delay", times, seconds=seconds)

    def limit(self, pattern: str, retry_after: float, *, times: int = 1, everywhere: bool = False) -> Fault:
        """Answer 429 with `retry_after` seconds; `everywhere` makes it the global limit."""
        return self._add(pattern, "limit", times, seconds=retry_after, everywhere=everywhere)

    def exhaust(self, pattern: str, reset_after: float, *, times: int = 1) -> Fault:
        """Serve the request, and say that no other may follow in its bucket for `reset_after` seconds."""
        return self._add(pattern, "exhaust", times, seconds=reset_after, processed=True)

    def fail(self, pattern: str, status: int = 502, *, times: int = 1, processed: bool = False) -> Fault:
        """Answer with a 5xx `status`, without or (`processed`) after having done what was asked."""
        return self._add(pattern, "fail", times, status=status, processed=processed)

    def cut(self, pattern: str, *, times: int = 1, processed: bool = False) -> Fault:
        """Close the connection in the middle of the response, without or after doing what was asked."""
        return self._add(pattern, "cut", times, processed=processed)

    def clear(self) -> None:
        self._faults.clear()

    def strike(self, request: str) -> tuple[float, Fault | None]:
        """Use up what hits this request: the delay in seconds, and the one fault besides, if any."""
        if not self._faults:
            return 0.0, None
        delay, struck = 0.0, None
        for fault in self._faults:
            if fault.times == 0 or not fault.pattern.match(request) or (struck and fault.kind != "delay"):
                continue
            fault.hits += 1
            if fault.times is not None:
                fault.times -= 1
            if fault.kind == "delay":
                delay += fault.seconds
            else:
                struck = fault
        self._faults = [fault for fault in self._faults if fault.times != 0]
        return delay, struck
