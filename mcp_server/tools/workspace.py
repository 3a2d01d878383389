"""The workspace: one specialist's working copy, caps and trials, bound to one connection."""

import secrets
import shutil

from lineage_repo.errors import RefusedError, SnapshotError
from lineage_repo.model.ledger import Proposal, Registration, Trial
from lineage_repo.model.measurement import Status
from lineage_repo.prompting.queries import gain_text
from lineage_repo.prompting.system_prompt import caps_of
from lineage_repo.record.campaign import Campaign
from lineage_repo.storage import locks, snapshot
from mcp_server.sandbox.cgroup import sweep
from mcp_server.sandbox.host import Host
from mcp_server.tools.dry_run import make_size_reply
from mcp_server.tools.replies import RebaseReply, SizeReply, SyntaxReply, TrialReply
from mcp_server.tools.workdir import Workdir
from mcp_server.trial import runner
from mcp_server.trial.attempts import measure
from mcp_server.trial.executor import LocalExecutor
from mcp_server.trial.preflight import Problem, find_surface_problem, find_syntax_problems, preflight

_FREE_BYTES = 64_000_000
"""The least that a trial needs to be measured and recorded."""


class Workspace:
    """What one connection may do: the tools' behaviour, without MCP.

    It is not thread-safe: use it from one thread at a time. Only `size_project` may run beside other calls, since it
    reads nothing of the record that changes. A call that the agent can correct raises an `EspalierError`, mostly
    `RefusedError`; its message names the next step.
    """

    def __init__(
        self,
        campaign: Campaign,
        specialist: str,
        session: str,
        max_submits: int | None,
        host: Host,
        brief_sha256: str | None = None,
    ) -> None:
        """Take the specialist's working copy, after recording trials whose runner died.

        Args:
            campaign: A calibrated campaign.
            specialist: Who the connection is, by a name in the campaign's roster.
            session: The session's id, which goes into each of its proposals.
            max_submits: How many trials the session may register; None for the role's cap.
            host: The host that measures them.
            brief_sha256: Digest of the session's opening message, for the record.

        Raises:
            RefusedError: there is no such specialist, no baseline, or another server has the working copy.
        """
        if specialist not in campaign.roster:
            raise RefusedError(f"no specialist {specialist!r} in this campaign; it has {', '.join(campaign.roster)}")
        campaign.recover()
        sweep()
        if campaign.lineage.head is None:
            raise RefusedError(f"the campaign has no baseline: run `espalier calibrate {campaign.folder}` first")
        campaign.lineage.repair_refs()
        campaign.lineage.store.pack()
        self.campaign, self.specialist, self.session = campaign, specialist, session
        self.lineage, self.task = campaign.lineage, campaign.task
        self.reads_record = campaign.settings.read_record
        """Whether the agent may read others' trials."""
        self._max_submits = caps_of(campaign, specialist).submits if max_submits is None else max_submits
        self._host = host
        self._digests = campaign.settings.digests | ({"brief": brief_sha256} if brief_sha256 else {})
        self.workdir = Workdir(campaign, specialist)

    # ---- checks that cost nothing

    def syntax_check(self) -> SyntaxReply:
        """Find what keeps the working copy from compiling or from being submitted."""
        files = self._files()
        problems = find_syntax_problems(files)
        if outside := self._find_surface_problem(files):
            problems = [outside, *problems]
        message = "No problem found."
        if problems:
            message = f"{len(problems)} to fix, the first: {problems[0].file}:{problems[0].line}."
        return SyntaxReply(ok=not problems, problems=problems[:50], message=message)

    def read_measurable(self) -> dict[str, bytes]:
        """Return the working copy as it is now; refuse what no trial would run."""
        files = self._files()
        if fault := preflight(self.task, files):
            raise RefusedError(f"not measurable as it is: {fault.failure}")
        return files

    def size_project(self, files: dict[str, bytes], dry_run_s: float) -> SizeReply:
        """Project the margins of `files` from a dry run of one seed; being long, it may run beside other calls."""
        with locks.scratch_folder(self.campaign.paths.trials, "size") as scratch:
            result = measure(self.campaign, files, scratch, LocalExecutor(self._host), n_seeds=1, dry_run_s=dry_run_s)
        if result.measurement is None:
            raise RefusedError(f"the dry run did not start: {result.failure}")
        known = [calibration.measurement for calibration in self.lineage.calibrations]
        return make_size_reply(self.task, result.measurement, result.fault, dry_run_s, known)

    # ---- trials

    def submit(self, title: str, hypothesis: str, expected_delta: float, notes: str) -> TrialReply:
        """Register the working copy as a trial and start its runner; answer a measured recipe from the record."""
        self.lineage.refresh()
        if mine := next((s for s in self.lineage.running() if s.proposal.specialist == self.specialist), None):
            raise RefusedError(
                f"trial {mine.number} of yours is still running: call wait_trial(trial={mine.number}) first"
            )
        files = self._files()
        parent = self.workdir.parent
        if outside := self._find_surface_problem(files):
            raise RefusedError(f"{outside.file} {outside.message}")
        tree = self.lineage.store.write_tree(files)
        if known := self.lineage.find_measured(tree, None if self.reads_record else self.specialist):
            return self.reply(known.number, already_measured=True)
        if not self.reads_record and tree == self.lineage.trials[parent].proposal.recipe_tree:
            raise RefusedError(f"the working copy is trial {parent}'s recipe, unchanged: edit it, then submit_trial")
        if shutil.disk_usage(self.campaign.folder).free < _FREE_BYTES:
            raise RefusedError(f"less than {_FREE_BYTES:,} bytes are free in {self.campaign.folder}: no trial starts")
        if self.submits_left() <= 0:
            raise RefusedError(
                f"this session has used its {self._max_submits} submits: end it with one sentence on what you learned"
            )
        proposal = Proposal(
            parent=parent,
            title=title,
            hypothesis=hypothesis,
            expected_delta=expected_delta,
            notes=notes,
            specialist=self.specialist,
            session=self.session,
            recipe_tree=tree,
        )
        return self.reply(self._register(proposal))

    def _find_surface_problem(self, files: snapshot.Files) -> Problem | None:
        return find_surface_problem(self.task, files, self.lineage.read_recipe(self.workdir.parent))

    def _register(self, proposal: Proposal) -> int:
        acquired: list[int] = []

        def lock(number: int) -> None:
            acquired.append(locks.acquire(self.campaign.paths.trial(number).folder))

        try:
            number = self.lineage.register(proposal, self._digests, lock)
            runner.launch(self.campaign, number, self._host, acquired[0])
        finally:
            for descriptor in acquired:
                locks.release(descriptor)
        return number

    def submits_left(self) -> int:
        """Count from the ledger how many trials this session may still register."""
        return self._max_submits - sum(s.proposal.session == self.session for s in self.lineage.registered.values())

    def is_finished(self, number: int) -> bool:
        """Return whether a trial is recorded; record one whose runner died first."""
        self.find_registration(number)
        if number in self.lineage.trials:
            return True
        if locks.is_alive(self.campaign.paths.trial(number).folder):
            return False
        self.campaign.recover()
        return number in self.lineage.trials

    def find_registration(self, number: int) -> Registration:
        """Return a registered trial that this connection may wait for, or refuse with the numbers that exist."""
        if number not in self.lineage.registered:
            self.lineage.refresh()
        known = self.lineage.registered
        if not self.reads_record:
            mine = [n for n, s in known.items() if s.proposal.specialist == self.specialist]
            if number not in mine:
                raise RefusedError(f"trial {number} is not yours; yours are {', '.join(map(str, mine)) or 'none yet'}")
        if number not in known:
            raise RefusedError(f"no trial {number}; the newest is {max(known)}")
        return known[number]

    def read_progress(self, number: int) -> str:
        """Return where a trial is, but not whose turn it is: who knew might load the host while the head runs."""
        try:
            line = self.campaign.paths.trial(number).progress.read_text("utf-8")
            return "measuring" if line.startswith("turn ") else line
        except FileNotFoundError:
            return "starting"

    def reply(self, number: int, *, already_measured: bool = False) -> TrialReply:
        """Describe where a trial stands."""
        trial, head = self.lineage.trials.get(number), self.lineage.head
        reply = TrialReply(
            trial=number,
            state="running",
            head=head.number if head else None,
            head_score=head.score if head else None,
            submits_left=self.submits_left(),
            already_measured=already_measured,
            notices=list(
                trial.notices if trial else self.lineage.notices([self.lineage.registered[number].proposal])[0]
            ),
            message=f"Trial {number} is running ({self.read_progress(number)}): call wait_trial(trial={number}).",
        )
        if trial is None:
            return reply
        shown = dict(trial.verdict) | {"margins": list(trial.verdict.margins)}
        slowdown = self.lineage.host_slowdown(trial.measurement) if trial.measurement and trial.number else None
        message = self._explain_verdict(trial, already_measured)
        if slowdown is not None and slowdown > self.task.disturbance.above:
            message += f" The host was {slowdown:.0%} slower than at calibration, so its times are too long."
        return reply.model_copy(update={"state": "done", "message": message, "host_slowdown": slowdown} | shown)

    def _explain_verdict(self, trial: Trial, already_measured: bool) -> str:
        objective, verdict = self.task.objective, trial.verdict
        head = f"Trial {trial.number} was measured already: " if already_measured else f"Trial {trial.number}: "
        if verdict.status is Status.HARNESS_ABORT:
            step = "submit again" if self.submits_left() > 0 else "this session has no submit left to try it again"
            return f"{head}harness_abort, not your recipe's fault ({verdict.failure}): it proves nothing; {step}."
        if verdict.score is None:
            return f"{head}{verdict.status}: {verdict.failure}"
        message = f"{head}{verdict.status}, {objective.metric} {objective.text(verdict.score)}"
        if gain := gain_text(objective, verdict):
            message += f"; {gain} (95 %)"
        if verdict.status is Status.KEEP:
            message += ", so it was the head from then on"
        return f"{message}."

    # ---- the working copy

    def rebase_to(self, number: int) -> RebaseReply:
        """Put a trial's recipe in the working copy and make it the parent."""
        head = self.lineage.refresh().head
        if not self.reads_record and head and number not in {0, head.number}:
            raise RefusedError(f"rebase_to takes 0, the start, or {head.number}, the head now; not {number}")
        paths = self.workdir.rebase(number)
        message = f"The working copy now holds trial {number}'s recipe; edit it, then syntax_check and submit_trial."
        return RebaseReply(trial=number, files=paths, folder=str(self.workdir.folder.resolve()), message=message)

    def _files(self) -> dict[str, bytes]:
        try:
            return self.workdir.files()
        except SnapshotError as error:
            raise RefusedError(f"the working copy can't be read: {error}") from None


def new_session(specialist: str) -> str:
    """Make a session id for a connection that was given none."""
    return f"{specialist}-{secrets.token_hex(4)}"
