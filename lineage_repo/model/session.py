"""Sessions: what each one was allowed, did and cost, from its `session.json`."""

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path

from pydantic import AwareDatetime, Field, ValidationError

from lineage_repo.errors import CampaignError
from lineage_repo.model.ledger import Caps
from lineage_repo.model.measurement import Name, Record
from lineage_repo.model.paths import CampaignPaths


class EndReason(StrEnum):
    """Why a session ended."""

    DONE = "done"
    """The agent ended its turn."""
    SUBMITS = "submits"
    TURNS = "turns"
    USD = "usd"
    TOKENS = "tokens"
    MINUTES = "minutes"
    IDLE = "idle"
    """No message and no running trial for `Caps.idle_minutes`."""
    API_ERROR = "api_error"
    SERVER_MISSING = "server_missing"
    """Claude Code started without our server, or with unexpected tools."""
    UNGUARDED = "unguarded"
    """A guard does not work here: hooks are switched off, or a shell has no sandbox."""
    INTERRUPTED = "interrupted"
    """The campaign was asked to stop."""
    CAMPAIGN = "campaign"
    """A cap of the campaign was reached."""
    LOST = "lost"
    """The loop that ran the session was killed."""
    CRASH = "crash"

    @property
    def failed(self) -> bool:
        """Whether something broke, rather than finished or ran out."""
        return self in {EndReason.API_ERROR, EndReason.SERVER_MISSING, EndReason.UNGUARDED, EndReason.CRASH}


class Usage(Record):
    """Tokens that a session used."""

    input: int = 0
    output: int = 0
    cache_creation: int = 0
    cache_read: int = 0

    @property
    def fresh(self) -> int:
        """Tokens that count against the cap: all but cache reads, which the cap on USD covers."""
        return self.input + self.output + self.cache_creation


class SessionRecord(Record):
    """`session.json`: one session, written at its start, with every message, and at its end."""

    session: str
    """Id of the session."""
    specialist: Name
    model: str
    started: AwareDatetime
    ended: AwareDatetime
    """When the session ended; until then, when this file was last written."""
    end_reason: EndReason | None = None
    """None while the session runs."""
    caps: Caps | None = None
    extras: tuple[str, ...] = ()
    """Claude Code's own tools that the agent got beside the file tools."""
    turns: int = 0
    usage: Usage = Usage()
    cost_usd: float | None = None
    """None until Claude Code names the price, at its end."""
    submits: int
    """Trials that the session was allowed to register."""
    trials: tuple[int, ...] = ()
    """Numbers of the trials that the session registered."""
    tool_calls: Mapping[str, int] = Field(default_factory=dict)
    tool_errors: int = 0
    api_status: int | None = None
    """HTTP status of the endpoint's error that ended the session."""
    retry_at: AwareDatetime | None = None
    """The endpoint accepts no request before this moment."""
    last_words: str = ""
    error: str | None = None
    brief_sha256: str = ""
    system_sha256: str = ""

    @property
    def transient(self) -> bool:
        """Whether an error of the endpoint ended it that may pass: rate limits, overload, lost connections."""
        status = self.api_status
        return self.end_reason is EndReason.API_ERROR and (status is None or status in {408, 429} or status >= 500)

    @property
    def charged_usd(self) -> float:
        """USD that count against the campaign's cap: the session's own cap if it used tokens and no price was named."""
        if self.cost_usd is not None:
            return self.cost_usd
        return self.caps.usd if self.caps and (self.usage.fresh or self.usage.cache_read) else 0.0


def read_sessions(campaign: Path, skip: Callable[[CampaignError], None] | None = None) -> Iterator[SessionRecord]:
    """Yield every session of a campaign folder, oldest first.

    Raises:
        CampaignError: a `session.json` cannot be read; if `skip` is given it gets the error and the file is left out.
    """
    for path in CampaignPaths(campaign).session_records:
        try:
            yield SessionRecord.model_validate_json(path.read_bytes())
        except (ValidationError, OSError) as error:
            problem = CampaignError(f"{path} is not a session record of this version: {error}; move it away")
            if skip is None:
                raise problem from None
            skip(problem)
