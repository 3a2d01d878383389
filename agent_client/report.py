"""How sessions and campaign runs end: typed reasons and reports."""

from enum import StrEnum

from pydantic import AwareDatetime

from lineage_repo.records import Name, Record


class EndReason(StrEnum):
    """Why a session ended."""

    DONE = "done"
    """The agent ended its turn."""
    SUBMITS = "submits"
    TURNS = "turns"
    USD = "usd"
    TOKENS = "tokens"
    MINUTES = "minutes"
    API_ERROR = "api_error"
    SERVER_MISSING = "server_missing"
    """Claude Code started without our server or with other tools than ours."""
    INTERRUPTED = "interrupted"
    """The campaign was asked to stop."""
    CRASH = "crash"

    @property
    def failed(self) -> bool:
        """Whether something is broken, rather than finished or used up."""
        return self in {EndReason.API_ERROR, EndReason.SERVER_MISSING, EndReason.CRASH}


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


class SessionReport(Record):
    """`session.json`: one session, whichever way it ended."""

    session: str
    specialist: Name
    model: str
    started: AwareDatetime
    ended: AwareDatetime
    end_reason: EndReason
    turns: int = 0
    usage: Usage = Usage()
    cost_usd: float = 0.0
    submits: int
    """Trials that it might have registered."""
    trials: tuple[int, ...] = ()
    """Trials that it did register."""
    last_words: str = ""
    error: str | None = None
    brief_sha256: str = ""
    system_sha256: str = ""


class RunReason(StrEnum):
    """Why a campaign run ended."""

    GOAL = "goal"
    """The asked number of trials is recorded."""
    IDLE = "idle"
    """No specialist submits anything any more."""
    FAILING = "failing"
    """Session after session failed, for every specialist."""
    UNRECORDED = "unrecorded"
    """Every trial is registered, but some got no outcome in the time that their limits allow."""
    STOPPED = "stopped"
    """Somebody asked for it."""


class RunReport(Record):
    """What a campaign run came to."""

    reason: RunReason
    detail: str
    trials: int
    """Registered in the campaign, the baseline not counted."""
    recorded: int
    sessions: int
    """Started by this run."""
    baseline: float | None
    best: float | None
    best_trial: int | None
    cost_usd: float
