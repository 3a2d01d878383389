"""One capped session of a specialist: the real Claude Code with our tools, from the brief to a typed end."""

import asyncio
import hashlib
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from uuid import uuid4

from claude_agent_sdk import (
    AssistantMessage,
    ClaudeAgentOptions,
    ClaudeSDKClient,
    ClaudeSDKError,
    HookContext,
    HookInput,
    HookMatcher,
    Message,
    ResultError,
    ResultMessage,
    StreamEvent,
)
from claude_agent_sdk.types import HookJSONOutput

from agent_client.brief.message import Brief, render
from agent_client.session import file_guard, messages
from agent_client.session.artifacts import SessionFiles
from agent_client.session.claude_options import Access, SessionFolder, expected_tools, options, server_command
from agent_client.session.shell_guard import ShellGuard
from agent_client.session.stream import Activity
from agent_client.session.tool_check import ToolCheck
from agent_client.standin.conversation import PREFIX
from lineage_repo.errors import EspalierError, ShellError
from lineage_repo.model.ledger import Caps
from lineage_repo.model.measurement import now
from lineage_repo.model.session import EndReason, SessionRecord
from lineage_repo.prompting.system_prompt import system_prompt
from lineage_repo.record.campaign import Campaign
from lineage_repo.text.sanitize import clip

GRACE_S = 20.0
"""How long an interrupted session may take to say goodbye before it is cut off."""
_WRITE_S = 1.0
"""Least time between two writes of the report of a session that runs."""


class Session:
    """One session; `run` it once, `stop` it at any time."""

    def __init__(
        self,
        campaign: Campaign,
        access: Access,
        specialist: str,
        model: str,
        caps: Caps,
        extras: tuple[str, ...] = (),
        on_begun: Callable[[], None] = lambda: None,
    ) -> None:
        self.campaign, self.access, self.specialist, self.model = campaign, access, specialist, model
        self.caps, self.extras, self._on_begun = caps, extras, on_begun
        self.started = now()
        self.id = f"{self.started:%Y%m%d-%H%M%S}-{specialist}-{uuid4().hex[:6]}"
        folder = campaign.paths.session(self.id).folder
        self.place = SessionFolder(folder=folder, workdir=campaign.paths.workdir(specialist).resolve())
        self.activity = Activity()
        self.reason: EndReason | None = None
        self.error: str | None = None
        self.result: ResultMessage | None = None
        self._shell = ShellGuard(campaign, specialist, access.server) if "Bash" in extras else None
        self._roll = ToolCheck(expected_tools(read_record=campaign.settings.read_record, extras=extras))
        self._client: ClaudeSDKClient | None = None
        self._limit = asyncio.timeout(caps.minutes * 60 + GRACE_S)
        self._system, self._prompt = b"", Brief(text="")
        self._written = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        return f"Session({self.id!r})"

    @property
    def trials(self) -> tuple[int, ...]:
        """Numbers of the trials that this session registered."""
        return tuple(n for n, s in self.campaign.lineage.registered.items() if s.proposal.session == self.id)

    async def run(self) -> SessionRecord:
        """Hold the session and write its report; only a cancellation is raised."""
        try:
            for folder in (self.place.folder, self.place.home, self.place.workdir):
                folder.mkdir(parents=True, exist_ok=True)
            with SessionFiles(self.place, self.access.redact) as papers:
                return await self._papered(papers)
        except OSError as error:  # not even papers can be kept, as on a full disk
            self._fail(EndReason.CRASH, f"{type(error).__name__}: {error}")
            return self.record(ended=True)

    async def _papered(self, papers: SessionFiles) -> SessionRecord:
        try:
            self._prepare()
            papers.report(self.record(ended=False))
            await self._talk(papers)
        except TimeoutError:
            self._end(EndReason.MINUTES)
        except ShellError as error:
            self._fail(EndReason.UNGUARDED, str(error))
        except ResultError as error:
            self.error = self.error or clip(str(error), 2000)
        except (ClaudeSDKError, EspalierError, OSError) as error:
            self._fail(EndReason.CRASH, f"{type(error).__name__}: {error}")
        except asyncio.CancelledError:
            self._end(EndReason.INTERRUPTED)
            raise
        except Exception as error:  # a fault of ours ends this session, and no other
            self._fail(EndReason.CRASH, f"{type(error).__name__}: {error}")
            papers.log(traceback.format_exc())
        finally:
            report = self._sign_off(papers)
        return report

    def stop(self, reason: EndReason) -> None:
        """Interrupt the session: running trials go on, and it is cut off if it does not end soon."""
        if self._end(reason):
            with suppress(RuntimeError):  # not begun, or over already
                self._limit.reschedule(asyncio.get_running_loop().time() + GRACE_S)
            task = asyncio.get_running_loop().create_task(self._interrupt())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    # ---- the talk

    def _prepare(self) -> None:
        """Write what the agent will be told."""
        self._system = system_prompt(self.campaign, self.specialist, self.extras).encode()
        self.place.system.write_bytes(self._system)
        lineage = self.campaign.lineage.refresh()
        self._prompt = render(lineage, self.specialist, self.place.workdir, self.caps.submits, self.id)
        self.place.brief.write_text(self._prompt.text, encoding="utf-8")

    async def _talk(self, papers: SessionFiles) -> None:
        async with self._limit:
            settings = self._options(await self._shell.open(self.place.home) if self._shell else {})
            settings.stderr = papers.log
            await self._hold(settings, papers)

    async def _hold(self, settings: ClaudeAgentOptions, papers: SessionFiles) -> None:
        async with ClaudeSDKClient(settings) as client:
            self._client = client
            alarm = asyncio.get_running_loop().call_later(self.caps.minutes * 60, self.stop, EndReason.MINUTES)
            watch = asyncio.create_task(self._watch_idleness())
            try:
                if self.reason is None and (wrong := await self._roll.hold(client, lambda m: self._take(m, papers))):
                    self._fail(*wrong)
                if self.reason is None:
                    self.activity.begun = True
                    self._on_begun()
                    await client.query(self._prompt.text)
                    await self._listen(client, papers)
            finally:
                alarm.cancel()
                watch.cancel()
                self._client = None

    def _options(self, shell: Mapping[str, str]) -> ClaudeAgentOptions:
        command = server_command(self.campaign.folder, self.specialist, self.id, self.caps.submits, self._prompt.sha256)
        after = HookMatcher(matcher=f"{PREFIX}(submit|wait)_trial", hooks=[self._after_trial], timeout=60)
        return options(
            self.place,
            self.model,
            self.caps,
            self.access,
            command,
            {
                "UserPromptSubmit": [self._roll.matcher()],
                "PreToolUse": [
                    file_guard.matcher(self.place.workdir),
                    *([self._shell.matcher()] if self._shell else []),
                ],
                "PostToolUse": [after],
            },
            self.extras,
            shell,
        )

    async def _listen(self, client: ClaudeSDKClient, papers: SessionFiles) -> None:
        async for message in client.receive_response():
            self._take(message, papers)
            if self.activity.usage.fresh >= self.caps.tokens:
                self.stop(EndReason.TOKENS)
            match message:
                case AssistantMessage():
                    if time.monotonic() - self._written > _WRITE_S:
                        self._written = time.monotonic()
                        papers.report(self.record(ended=False))
                case ResultMessage():
                    self.result = message
                case _:
                    pass

    def _take(self, message: Message, papers: SessionFiles) -> None:
        try:
            ended = self.activity.take(message)
        except messages.UsageError as error:
            self.error = clip(str(error), 2000)
            self.stop(EndReason.API_ERROR)
            ended = []
        if not isinstance(message, StreamEvent):
            papers.message(message, ended)

    async def _watch_idleness(self) -> None:
        limit = self.caps.idle_minutes * 60
        while time.monotonic() - self.activity.heard < limit:
            await asyncio.sleep(min(limit / 4, 5.0))
            running = self.campaign.lineage.refresh().running()
            if self.activity.dry_run or any(s.proposal.specialist == self.specialist for s in running):
                self.activity.touch()
        self.stop(EndReason.IDLE)

    async def _interrupt(self) -> None:
        if self._client is not None:
            with suppress(ClaudeSDKError):  # it ended by itself in the meantime
                await self._client.interrupt()

    async def _after_trial(self, hook: HookInput, tool_use_id: str | None, context: HookContext) -> HookJSONOutput:
        """End the session when its last trial is recorded: it could only read on."""
        lineage = self.campaign.lineage.refresh()
        mine = self.trials
        if len(mine) >= self.caps.submits and all(number in lineage.trials for number in mine):
            self._end(EndReason.SUBMITS)
            return {"continue_": False, "stopReason": "every submit of this session is used and recorded"}
        return {}

    # ---- the end

    def _end(self, reason: EndReason) -> bool:
        """Take the first reason that is given; say whether it was this one."""
        if self.reason is None:
            self.reason = reason
            return True
        return False

    def _fail(self, reason: EndReason, error: str) -> None:
        if self._end(reason):
            self.error = clip(error, 2000)

    def _sign_off(self, papers: SessionFiles) -> SessionRecord:
        """Write how the session ended; where that fails, say so in its log."""
        report = self.record(ended=True)
        try:
            papers.report(report)
        except OSError as error:
            with suppress(OSError):
                papers.log(f"session.json does not say how the session ended: {error}")
        return report

    def record(self, *, ended: bool) -> SessionRecord:
        """Where the session stands, or how it ended."""
        result, activity = self.result, self.activity
        with suppress(EspalierError, OSError):  # what is known already is better than no report
            self.campaign.lineage.refresh()
        reason = (self.reason or messages.end_of(result)) if ended else None
        if reason is EndReason.SERVER_MISSING:
            self.error = clip(" | ".join([self.error or "", *messages.server_errors(self.place.home)]), 2000)
        said = clip(result.result, 1000) if result and result.result else ""
        return SessionRecord(
            session=self.id,
            specialist=self.specialist,
            model=self.model,
            started=self.started,
            ended=now(),
            end_reason=reason,
            caps=self.caps,
            extras=self.extras,
            turns=result.num_turns if result else activity.turns,
            usage=max(activity.usage, messages.final_usage(result), key=lambda usage: usage.fresh),
            cost_usd=max(0.0, result.total_cost_usd) if result and result.total_cost_usd is not None else None,
            submits=self.caps.submits,
            trials=self.trials,
            tool_calls=dict(activity.calls),
            tool_errors=activity.errors,
            api_status=result.api_error_status if result else None,
            retry_at=activity.retry_at,
            last_words=said,
            error=self.error or (said or "no result" if reason and reason.failed else None),
            brief_sha256=self._prompt.sha256,
            system_sha256=hashlib.sha256(self._system).hexdigest(),
        )
