"""`/topics-v1`: the WebSocket that says what changed, for every tenant whose token it was shown."""

import asyncio
import json
from collections.abc import Callable
from threading import RLock
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from app.sandbox.fortnox.events import TOPICS, Event, EventLog
from app.sandbox.fortnox.tokens import Tokens

Reply = dict[str, Any]


class Subscriber:
    """One connection: whose events, of which topics, from where."""

    def __init__(self, socket: WebSocket, tokens: Tokens, events: EventLog, lock: RLock) -> None:
        self.socket, self.tokens, self.events, self.lock = socket, tokens, events, lock
        self.tenants: dict[int, str] = {}  # id: the token it was added with
        self.places: dict[str, int] = {}
        self.subscribed = False
        self.news, self.dropped = asyncio.Event(), asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._commands: dict[str, Callable[[Reply], Reply]] = {
            "add-tenants-v1": self._add_tenants,
            "add-topics-v1": self._add_topics,
            "subscribe-v1": self._subscribe,
            "remove-tenants-v1": self._remove_tenants,
            "list-tenants-v1": self._list_tenants,
        }

    def wake(self) -> None:
        """From any thread."""
        self._loop.call_soon_threadsafe(self.news.set)

    def drop(self) -> None:
        """From any thread."""
        self._loop.call_soon_threadsafe(self.dropped.set)

    async def run(self) -> None:
        await self.socket.accept()
        with self.lock:
            self.events.listeners.add(self.wake)
        parts = (self._speak(), self._listen(), self._hang_up())
        tasks = [asyncio.create_task(each) for each in parts]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            with self.lock:
                self.events.listeners.discard(self.wake)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _hang_up(self) -> None:
        await self.dropped.wait()
        await self.socket.close(1012)

    async def _listen(self) -> None:
        try:
            while True:
                await self.socket.send_text(json.dumps(self._reply(await self._heard())))
                self.news.set()
        except WebSocketDisconnect:
            return

    async def _heard(self) -> Reply:
        text = await self.socket.receive_text()
        try:
            command = json.loads(text)
        except ValueError:
            return {}
        return command if isinstance(command, dict) else {}

    def _reply(self, command: Reply) -> Reply:
        name = command.get("command", "")
        act = self._commands.get(name)
        if act is None:
            return {"response": name, "result": "error"}
        with self.lock:
            return {"response": name, **act(command)}

    def _add_tenants(self, command: Reply) -> Reply:
        secret = command.get("clientSecret")
        known = {each.client_id for each in self.tokens.clients.values() if each.secret == secret}
        found = {}
        for token in command.get("accessTokens", []):
            grant = self.tokens.bearer(token)
            if grant and grant.client_id in known:
                found[token] = int(grant.tenant_id)
        invalid = [each for each in command.get("accessTokens", []) if each not in found]
        if invalid:
            return {"result": "error", "invalidTokens": invalid}
        self.tenants.update({tenant: token for token, tenant in found.items()})
        return {"result": "ok", "tenantIds": found}

    def _add_topics(self, command: Reply) -> Reply:
        asked = command.get("topics", [])
        invalid = [each.get("topic") for each in asked if each.get("topic") not in TOPICS]
        if invalid:
            return {"result": "error", "invalidTopics": invalid}
        for each in asked:
            self.places[each["topic"]] = self.events.start(each["topic"], each.get("offset"))
        return {"result": "ok"}

    def _subscribe(self, _: Reply) -> Reply:
        self.subscribed = True
        return {"result": "ok"}

    def _remove_tenants(self, command: Reply) -> Reply:
        for tenant in command.get("tenants", []):
            self.tenants.pop(tenant, None)
        return {"result": "ok"}

    def _list_tenants(self, _: Reply) -> Reply:
        return {"result": "ok", "tenantIds": list(self.tenants)}

    async def _speak(self) -> None:
        while True:
            await self.news.wait()
            self.news.clear()
            if self.subscribed and not await self._tell():
                await self.socket.close(4401)
                return

    async def _tell(self) -> bool:
        """Sends what is new; False: a token has expired and the connection ends."""
        for event in self._take():
            if self.tokens.options.websocket_token_expiry and not self._tokens_live():
                return False
            for _ in range(self.tokens.options.event_copies):
                await self.socket.send_text(json.dumps(event))
        return True

    def _tokens_live(self) -> bool:
        return all(self.tokens.bearer(token) for token in self.tenants.values())

    def _take(self) -> list[Event]:
        with self.lock:
            found: list[Event] = []
            for topic, place in self.places.items():
                stream = self.events.topics[topic]
                found += [each for each in stream[place:] if each["tenantId"] in self.tenants]
                self.places[topic] = len(stream)
        return found
