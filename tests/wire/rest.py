"""The REST API: serves the routes, and lets the faults strike."""

import asyncio
import json
from typing import TYPE_CHECKING

from aiohttp import BodyPartReader, web

from .faults import Fault
from .form import Refused
from .records import Upload, dumps
from .routes import ROUTES, Call, find

if TYPE_CHECKING:
    from .wire import Wire

BASE = "/api/v10"
PUBLIC = ("/interactions/", "/webhooks/")  # these bear a token of their own


class Rest:
    """Serves the routes, and lets the faults strike."""

    def __init__(self, wire: "Wire") -> None:
        self._wire = wire

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        wire = self._wire
        name = f"{request.method} {request.path.removeprefix(BASE)}"
        delay, fault = wire.faults.strike(name)
        if delay:
            await asyncio.sleep(delay)
        if upload := wire.uploads.get(request.path):
            response = web.Response(body=upload.data, content_type=upload.content_type)
        elif fault is not None and not fault.processed:
            await request.read()
            response = web.Response()
        else:
            try:
                response = await self._call(request, name)
            except Exception as error:
                if request.transport is None:  # the bot's process is gone
                    raise
                wire.errors.append(f"{name}: {error!r}")
                response = _json(500, {"message": repr(error), "code": 0})
            wire.notify()
        return response if fault is None else _struck(request, fault, response)

    async def _call(self, request: web.BaseRequest, name: str) -> web.Response:
        wire = self._wire
        path = request.path.removeprefix(BASE)
        found = find(request.method, path)
        if found is None:
            wire.unknown.append(name)
            return _json(404, {"message": "404: Not Found", "code": 0})
        route, variables = found
        wire.requests[route] += 1
        public = path.startswith(PUBLIC)
        if not public and request.headers.get("Authorization") != f"Bot {wire.token}":
            return _json(401, {"message": "401: Unauthorized", "code": 0})
        call = Call(wire, variables, dict(request.query))
        try:
            await _read(request, call)
            result = ROUTES[route](call)
        except Refused as refused:
            if refused.status == 400 and refused.code != 40060:
                wire.invalid.append(f"{name}: {refused}")
            if answer := wire.answers.get(variables.get("token", "")):
                answer.refusals.append(refused.code)
                answer.notify()
            return _json(refused.status, refused.body)
        return _json(204 if result is None else 200, result, None if public else _room(route, 999, 1.0))


async def _read(request: web.BaseRequest, call: Call) -> None:
    """Take the JSON of a request, and the files of a multipart one in their order."""
    if request.content_type != "multipart/form-data":
        body = await request.read()
    else:
        body, call.files = b"", []
        reader = await request.multipart()
        while isinstance(part := await reader.next(), BodyPartReader):
            data = bytes(await part.read())
            if part.name == "payload_json":
                body = data
            else:
                call.files.append(Upload(part.filename or "file", data))
    try:
        call.body = json.loads(body) if body else {}
    except ValueError:
        raise Refused(400, 50109, "The request body contains invalid JSON.") from None


def _json(status: int, body: object, headers: dict[str, str] | None = None) -> web.Response:
    if body is None:
        return web.Response(status=status, headers=headers)
    return web.Response(
        status=status, body=dumps(body).encode(), content_type="application/json", headers=headers
    )


def _room(bucket: str, remaining: int, seconds: float) -> dict[str, str]:
    """Rate limit headers: `remaining` more requests within `seconds`."""
    return {
        "X-RateLimit-Limit": "1000",
        "X-RateLimit-Remaining": str(remaining),
        "X-RateLimit-Reset-After": str(seconds),
        "X-RateLimit-Bucket": f"{hash(bucket) & 0xFFFFFFFF:08x}",
    }


def _struck(request: web.BaseRequest, fault: Fault, response: web.Response) -> web.Response:
    """What a fault makes of a response."""
    used_up = _room(f"{request.method} {request.path}", 0, fault.seconds)
    if fault.kind == "exhaust":
        response.headers.update(used_up)
    elif fault.kind == "limit":
        headers = {"Via": "1.1 google", "Retry-After": str(fault.seconds)}  # without Via it is Cloudflare's
        headers |= (
            {"X-RateLimit-Scope": "global", "X-RateLimit-Global": "true"} if fault.everywhere else used_up
        )
        text = {
            "message": "You are being rate limited.",
            "retry_after": fault.seconds,
            "global": fault.everywhere,
        }
        return _json(429, text, headers)
    elif fault.kind == "fail":
        return web.Response(status=fault.status, text="upstream error")
    elif request.transport is not None:
        request.transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
        )
        request.transport.close()
    return response
