"""What the tools answer: structured, each with a one-line message that ends with the next step."""

from pydantic import BaseModel, ConfigDict, Field

from lineage_repo.model.comparison import Interval
from lineage_repo.model.ledger import Finding
from lineage_repo.model.measurement import Margin, Status
from lineage_repo.prompting.queries import TrialRow
from mcp_server.trial.preflight import Problem


class Reply(BaseModel):
    """A structured result."""

    model_config = ConfigDict(extra="forbid")

    message: str = Field(description="One line: what happened and what to do next")


class SyntaxReply(Reply):
    ok: bool
    problems: list[Problem]


class SizeReply(Reply):
    source_bytes: int
    margins: list[Margin] = Field(description="Projected value, limit and room left; negative means over")


class TrialReply(Reply):
    trial: int
    state: str = Field(description="running or done")
    status: Status | None = None
    score: float | None = None
    against: int | None = Field(default=None, description="The trial that the gain is over: the head when measured")
    gain: Interval | None = Field(default=None, description="With its 95 % interval; positive is better")
    finding: Finding | None = Field(
        default=None,
        description="better moved the head; promising gained too little to tell; tie, worse and hopeless did not",
    )
    failure: str | None = None
    margins: list[Margin] = []
    notices: list[str] = Field(default=[], description="Where the edit goes beyond what your role declares")
    host_slowdown: float | None = Field(
        default=None,
        description="Share by which the host was slower than at calibration; times are longer by about that share",
    )
    head: int | None = Field(default=None, description="The trial to build on now")
    head_score: float | None = None
    submits_left: int
    already_measured: bool = False


class RebaseReply(Reply):
    trial: int
    files: list[str]
    folder: str


class FileEntry(BaseModel):
    path: str
    bytes: int


class SnapshotReply(Reply):
    trial: int
    files: list[FileEntry]
    path: str = ""
    text: str = ""
    page: int = 1
    pages: int = 1


class DiffReply(Reply):
    a: int
    b: int
    diff: str
    page: int = 1
    pages: int = 1


class LineageReply(Reply):
    view: str
    rows: list[TrialRow]
    page: int = 1
    pages: int = 1
