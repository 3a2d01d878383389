"""How different the hypotheses are (the paper's Table 3)."""

import importlib
import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from lineage_repo.analysis.support import format_share, list_trials
from lineage_repo.errors import UnsupportedError
from lineage_repo.model.measurement import Record
from lineage_repo.record.lineage import Lineage

JOIN = 0.30
"""Cosine from which a hypothesis joins a cluster."""
NEAR = 0.70
"""Cosine from which it is a near-duplicate."""
_WORD = r"[a-z][a-z0-9_+\-]+"
_BLOCK = 512


class MostSimilar(NamedTuple):
    """The earlier hypothesis that is most similar to a given one."""

    cosine: float
    place: int
    """Its place in the order of recording, from 0."""


class Diversity(Record):
    """Clusters of hypotheses by the words that they share.

    Vectors: the hypothesis in lower case, tokens `[a-z][a-z0-9_+-]+` without scikit-learn's English stop words,
    tf = 1 + ln(count), idf = ln((1 + n) / (1 + df)) + 1 over the corpus, scaled to length 1.

    Clusters: in order of recording, each trial joins the cluster whose centroid (the sum of its members) has the
    highest cosine, if that is 0.30 or more, else it opens one. `effective` is exp(H), H the natural-log entropy of the
    clusters' shares; `top_share` is the largest share. Shared clusters have trials of more than one role, among the
    clusters of two or more trials.

    idf weights depend on the corpus, and `effective` on the number of trials too. So numbers of two campaigns compare
    only with one corpus for both and with as many trials of each, as `espalier compare` takes them: the hypotheses of
    all its runs together, and as many trials as the shortest run has.

    `near_duplicates` is the share of trials 2..n whose highest cosine to an earlier one is 0.70 or more.
    """

    trials: int
    corpus: int
    """Hypotheses behind the idf weights."""
    clusters: int
    effective: float
    top_share: float
    near_duplicates: float | None
    """None with a single trial."""
    shared: int
    plural: int
    """Clusters of two or more trials."""
    shared_trials: int

    def lines(self) -> list[str]:
        """Format for people."""
        near = "not defined for one trial" if self.near_duplicates is None else f"{self.near_duplicates:.1%}"
        return [
            f"{self.clusters} clusters, {self.effective:.1f} effective, the largest {self.top_share:.1%}",
            f"idf weights from {self.corpus} hypotheses; `espalier compare` has numbers that compare between campaigns",
            f"near-duplicates {near}",
            f"clusters shared by roles {format_share(self.shared, self.plural)}, {self.shared_trials} trials in them",
        ]


def compute_diversity(lineage: Lineage, corpus: Sequence[str] | None = None, first: int | None = None) -> Diversity:
    """Cluster the hypotheses of a lineage, or of its `first` so many trials.

    The idf weights come from `corpus`, by default the same hypotheses.

    Raises:
        UnsupportedError: no trials, no words, or scikit-learn is missing.
    """
    trials = list_trials(lineage)[:first]
    texts = [trial.proposal.hypothesis for trial in trials]
    corpus = texts if corpus is None else corpus
    labels, similar = _clusters(texts, corpus)
    sizes = Counter(labels)
    roles: dict[int, set[str]] = {}
    for label, trial in zip(labels, trials, strict=True):
        roles.setdefault(label, set()).add(trial.proposal.specialist)
    shares = [size / len(trials) for size in sizes.values()]
    shared = [label for label, members in roles.items() if len(members) > 1]
    near = sum(match.cosine >= NEAR for match in similar[1:])
    return Diversity(
        trials=len(trials),
        corpus=len(corpus),
        clusters=len(sizes),
        effective=math.exp(-sum(s * math.log(s) for s in shares)),
        top_share=max(shares),
        near_duplicates=near / (len(trials) - 1) if len(trials) > 1 else None,
        shared=len(shared),
        plural=sum(size > 1 for size in sizes.values()),
        shared_trials=sum(sizes[label] for label in shared),
    )


def find_most_similar(texts: Sequence[str]) -> list[MostSimilar]:
    """Find the most similar earlier text of each, by the vectors of `Diversity`; the first entry has cosine 0.

    Raises:
        UnsupportedError: no words, or scikit-learn is missing.
    """
    return _clusters(texts, texts)[1] if texts else []


def _clusters(texts: Sequence[str], corpus: Sequence[str]) -> tuple[list[int], list[MostSimilar]]:
    """Return the cluster of each text, and the earlier text that is most similar to it."""
    numpy, vectors = _vectors(texts, corpus)
    labels = numpy.zeros(len(texts), dtype=int)
    squares = numpy.zeros(len(texts))
    similar: list[MostSimilar] = []
    count = 0
    products: Any = None
    for i in range(len(texts)):
        if i % _BLOCK == 0:
            # A centroid is a sum of members, so cosines to it follow from the products of texts alone.
            products = (vectors[i : i + _BLOCK] @ vectors.T).toarray()
        row = products[i % _BLOCK]
        closest = int(row[:i].argmax()) if i else 0
        similar.append(MostSimilar(float(row[closest]) if i else 0.0, closest))
        sums = numpy.bincount(labels[:i], weights=row[:i], minlength=count)
        cosines = sums / numpy.sqrt(numpy.maximum(squares[:count], 1e-12))
        best = int(cosines.argmax()) if count else 0
        if count and cosines[best] >= JOIN:
            labels[i] = best
            squares[best] += 2 * sums[best] + row[i]
        else:
            labels[i], squares[count] = count, row[i]
            count += 1
    return labels.tolist(), similar


def _vectors(texts: Sequence[str], corpus: Sequence[str]) -> tuple[Any, Any]:
    try:
        numpy: Any = importlib.import_module("numpy")
        module: Any = importlib.import_module("sklearn.feature_extraction.text")
    except ModuleNotFoundError:
        raise UnsupportedError("scikit-learn is missing: pip install -e '.[analysis]' in a checkout") from None
    vectorizer = module.TfidfVectorizer(token_pattern=_WORD, stop_words="english", sublinear_tf=True)
    try:
        return numpy, vectorizer.fit(corpus).transform(texts)
    except ValueError:
        raise UnsupportedError("no hypothesis has a word to compare by") from None
