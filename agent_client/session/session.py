"""One capped session of a specialist: the real Claude Code with our tools, from the brief to a typed end."""

import asyncio
import hashlib
import time
import traceback
from collections.abc import Mapping
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
from agent_client.session.claude_options import (
    Access,
    Assignment,
    SessionFolder,
    agent_options,
    expected_tools,
    server_command,
)
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
"""How long an interrupted session may take to end by itself before it is cut off."""
_WRITE_S = 1.0
"""Least time between two writes of the record of a session that runs."""


class Session:
    """One session of one specialist; `run` it once, `stop` it at any time.

    The agent is Claude Code with its file tools inside the working copy, the tools of our MCP server, and the extras of
    the assignment. It gets the role's system prompt and a brief rendered from the lineage, and ends at a cap, when its
    last submit is recorded, when it falls idle, or by itself. Trials that still run then continue.

    Everything that the session writes is in `folder`: `session.json`, brief, system prompt, transcript and tool trace.
    Transcript, trace, log and `session.json` are redacted by `access.redact`.

    Args:
        campaign: Calibrated; its lineage is read, never written.
        access: The variables for Claude Code and for our server.
        assignment: Specialist, model, caps and extra tools.
        changed: Set when the session has begun, which is when the model is asked for the first time.
    """

    def __init__(
        self, campaign: Campaign, access: Access, assignment: Assignment, changed: asyncio.Event | None = None
    ) -> None:
        self.campaign, self.access, self.assignment = campaign, access, assignment
        self._changed = changed or asyncio.Event()
        self.started = now()
        self.id = f"{self.started:%Y%m%d-%H%M%S}-{self.specialist}-{uuid4().hex[:6]}"
        workdir = campaign.paths.workdir(self.specialist).resolve()
        self.folder = SessionFolder(folder=campaign.paths.session(self.id).folder, workdir=workdir)
        self.activity = Activity()
        self.reason: EndReason | None = None
        self.error: str | None = None
        self.result: ResultMessage | None = None
        extras = assignment.extras
        self._shell = ShellGuard(campaign, self.specialist, access.server) if "Bash" in extras else None
        self._tool_check = ToolCheck(expected_tools(read_record=campaign.settings.read_record, extras=extras))
        self._client: ClaudeSDKClient | None = None
        self._timeout = asyncio.timeout(self.caps.minutes * 60 + GRACE_S)
        self._system, self._brief = b"", Brief(text="")
        self._written_at = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        return f"Session({self.id!r})"

    @property
    def specialist(self) -> str:
        return self.assignment.specialist

    @property
    def caps(self) -> Caps:
        return self.assignment.caps

    @property
    def trials(self) -> tuple[int, ...]:
        """Numbers of the trials that this session registered."""
        return tuple(n for n, s in self.campaign.lineage.registered.items() if s.proposal.session == self.id)

    async def run(self) -> SessionRecord:
        """Run the session to its end and return its record, which `session.json` has too, redacted.

        Whatever goes wrong is an end with a reason and an error text; only a cancellation is raised.
        """
        try:
            for folder in (self.folder.folder, self.folder.home, self.folder.workdir):
                folder.mkdir(parents=True, exist_ok=True)
            with SessionFiles(self.folder, self.access.redact) as files:
                return await self._run(files)
        except OSError as error:  # the files can't be written, as on a full disk
            self._fail(EndReason.CRASH, f"{type(error).__name__}: {error}")
            return self.record(ended=True)

    async def _run(self, files: SessionFiles) -> SessionRecord:
        try:
            self._prepare()
            files.write_record(self.record(ended=False))
            async with self._timeout:
                options = self._options(await self._shell.open(self.folder.home) if self._shell else {})
                options.stderr = files.add_log_line
                await self._converse(options, files)
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
            files.add_log_line(traceback.format_exc())
        finally:
            record = self._write_end(files)
        return record

    def stop(self, reason: EndReason) -> None:
        """Interrupt the session, and cut it off if it does not end soon; only the first reason counts.

        Running trials continue.
        """
        if self._end(reason):
            with suppress(RuntimeError):  # not begun, or over already
                self._timeout.reschedule(asyncio.get_running_loop().time() + GRACE_S)
            task = asyncio.get_running_loop().create_task(self._interrupt())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    # ---- the conversation

    def _prepare(self) -> None:
        """Write the system prompt and the brief."""
        self._system = system_prompt(self.campaign, self.specialist, self.assignment.extras).encode()
        self.folder.system.write_bytes(self._system)
        lineage = self.campaign.lineage.refresh()
        self._brief = render(lineage, self.specialist, self.folder.workdir, self.caps.submits, self.id)
        self.folder.brief.write_text(self._brief.text, encoding="utf-8")

    async def _converse(self, options: ClaudeAgentOptions, files: SessionFiles) -> None:
        async with ClaudeSDKClient(options) as client:
            self._client = client
            alarm = asyncio.get_running_loop().call_later(self.caps.minutes * 60, self.stop, EndReason.MINUTES)
            watch = asyncio.create_task(self._watch_idleness())
            try:
                if self.reason is None:
                    await self._check_tools(client, files)
                if self.reason is None:
                    self.activity.begun = True
                    self._changed.set()
                    await client.query(self._brief.text)
                    await self._listen(client, files)
            finally:
                alarm.cancel()
                watch.cancel()
                self._client = None

    async def _check_tools(self, client: ClaudeSDKClient, files: SessionFiles) -> None:
        async for message in self._tool_check.run(client):
            self._take(message, files)
        if self._tool_check.problem:
            self._fail(*self._tool_check.problem)

    def _options(self, shell: Mapping[str, str]) -> ClaudeAgentOptions:
        command = server_command(self.campaign.folder, self.assignment, self.id, self._brief.sha256)
        after = HookMatcher(matcher=f"{PREFIX}(submit|wait)_trial", hooks=[self._after_trial], timeout=60)
        guards = [file_guard.file_hook(self.folder.workdir), *([self._shell.hook()] if self._shell else [])]
        return agent_options(
            self.folder,
            self.assignment,
            self.access,
            command,
            {"UserPromptSubmit": [self._tool_check.hook()], "PreToolUse": guards, "PostToolUse": [after]},
            shell,
        )

    async def _listen(self, client: ClaudeSDKClient, files: SessionFiles) -> None:
        async for message in client.receive_response():
            self._take(message, files)
            if self.activity.usage.fresh >= self.caps.tokens:
                self.stop(EndReason.TOKENS)
            match message:
                case AssistantMessage():
                    if time.monotonic() - self._written_at > _WRITE_S:
                        self._written_at = time.monotonic()
                        files.write_record(self.record(ended=False))
                case ResultMessage():
                    self.result = message
                case _:
                    pass

    def _take(self, message: Message, files: SessionFiles) -> None:
        try:
            ended = self.activity.take(message)
        except messages.UsageError as error:
            self.error = clip(str(error), 2000)
            self.stop(EndReason.API_ERROR)
            ended = []
        if not isinstance(message, StreamEvent):
            files.add_message(message, ended)

    async def _watch_idleness(self) -> None:
        limit_s = self.caps.idle_minutes * 60
        while time.monotonic() - self.activity.heard < limit_s:
            await asyncio.sleep(min(limit_s / 4, 5.0))
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
        """Take the first reason that is given; return whether it was this one."""
        if self.reason is None:
            self.reason = reason
            return True
        return False

    def _fail(self, reason: EndReason, error: str) -> None:
        if self._end(reason):
            self.error = clip(error, 2000)

    def _write_end(self, files: SessionFiles) -> SessionRecord:
        """Write how the session ended; if that fails, write why to its log."""
        record = self.record(ended=True)
        try:
            files.write_record(record)
        except OSError as error:
            with suppress(OSError):
                files.add_log_line(f"session.json does not say how the session ended: {error}")
        return record

    def record(self, *, ended: bool) -> SessionRecord:
        """Describe where the session stands, or how it ended."""
        result, activity = self.result, self.activity
        with suppress(EspalierError, OSError):  # what is known already is better than no record
            self.campaign.lineage.refresh()
        reason = (self.reason or messages.end_of(result)) if ended else None
        if reason is EndReason.SERVER_MISSING:
            server_errors = messages.read_server_errors(self.folder.home)
            self.error = clip(" | ".join([self.error or "", *server_errors]), 2000)
        last_words = clip(result.result, 1000) if result and result.result else ""
        return SessionRecord(
            session=self.id,
            specialist=self.specialist,
            model=self.assignment.model,
            started=self.started,
            ended=now(),
            end_reason=reason,
            caps=self.caps,
            extras=self.assignment.extras,
            turns=result.num_turns if result else activity.turns,
            usage=max(activity.usage, messages.final_usage(result), key=lambda usage: usage.fresh),
            cost_usd=max(0.0, result.total_cost_usd) if result and result.total_cost_usd is not None else None,
            submits=self.caps.submits,
            trials=self.trials,
            tool_calls=dict(activity.calls),
            tool_errors=activity.errors,
            api_status=result.api_error_status if result else None,
            retry_at=activity.retry_at,
            last_words=last_words,
            error=self.error or (last_words or "no result" if reason and reason.failed else None),
            brief_sha256=self._brief.sha256,
            system_sha256=hashlib.sha256(self._system).hexdigest(),
        )
