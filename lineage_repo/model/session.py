"""Sessions: what each one was allowed, did and cost, as its `session.json` says."""

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
    """No message and no running trial for the minutes that the caps allow."""
    API_ERROR = "api_error"
    SERVER_MISSING = "server_missing"
    """Claude Code started without our server or with other tools than ours."""
    UNGUARDED = "unguarded"
    """What holds agents does not work here: hooks are switched off, or a shell has no sandbox."""
    INTERRUPTED = "interrupted"
    """The campaign was asked to stop."""
    CAMPAIGN = "campaign"
    """A cap of the campaign was reached."""
    LOST = "lost"
    """The loop that held it was killed."""
    CRASH = "crash"

    @property
    def failed(self) -> bool:
        """Whether something is broken, rather than finished or used up."""
        return self in {EndReason.API_ERROR, EndReason.SERVER_MISSING, EndReason.UNGUARDED, EndReason.CRASH}


class Usage(Record):
    """Tokens that a session used."""

    input: int = 0
    output: int = 0
    cache_creation: int = 0
    cache_read: int = 0

    @property
    def fresh(self) -> int:
        """What counts against the cap on tokens: everything but cache reads, which the cap on USD covers."""
        return self.input + self.output + self.cache_creation


class SessionRecord(Record):
    """`session.json`: one session, written when it begins, with every message, and when it ends."""

    session: str
    specialist: Name
    model: str
    started: AwareDatetime
    ended: AwareDatetime
    """When it ended; until then, when this was last written."""
    end_reason: EndReason | None = None
    """None while it runs."""
    caps: Caps | None = None
    """None in reports of earlier versions."""
    extras: tuple[str, ...] = ()
    """Claude Code's own tools that it was offered beside the file tools."""
    turns: int = 0
    usage: Usage = Usage()
    cost_usd: float | None = None
    """None while Claude Code has named no price: it does so at its end."""
    submits: int
    """Trials that it might have registered."""
    trials: tuple[int, ...] = ()
    """Trials that it did register."""
    tool_calls: Mapping[str, int] = Field(default_factory=dict)
    tool_errors: int = 0
    api_status: int | None = None
    """HTTP status of the error that ended it."""
    retry_at: AwareDatetime | None = None
    """Before this moment the endpoint wants no further request."""
    last_words: str = ""
    error: str | None = None
    brief_sha256: str = ""
    system_sha256: str = ""

    @property
    def transient(self) -> bool:
        """Whether it ended by an error of the endpoint that time may heal: limits, overload, lost connections."""
        status = self.api_status
        return self.end_reason is EndReason.API_ERROR and (status is None or status in {408, 429} or status >= 500)

    @property
    def charged_usd(self) -> float:
        """USD that count against the campaign's cap: the session's own cap where its cost was never named."""
        if self.cost_usd is not None:
            return self.cost_usd
        return self.caps.usd if self.caps and (self.usage.fresh or self.usage.cache_read) else 0.0


def read_sessions(campaign: Path, skip: Callable[[CampaignError], None] | None = None) -> Iterator[SessionRecord]:
    """Every session of a campaign folder, oldest first.

    One that can't be read is told to `skip` and left out, or raised as a `CampaignError`.
    """
    for path in CampaignPaths(campaign).session_records:
        try:
            yield SessionRecord.model_validate_json(path.read_bytes())
        except (ValidationError, OSError) as error:
            found = CampaignError(f"{path} is no session report of this version: {error}; move it away")
            if skip is None:
                raise found from None
            skip(found)
