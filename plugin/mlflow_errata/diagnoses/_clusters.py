"""Clusters of an embedding: rows whose vectors lie near each other, as levels of a column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlflow_errata.predicates import InCluster, nearest, packed_centres

MOST_CLUSTERS = 12
"""Clusters at most: all sets of so many levels are examined."""
ROWS_A_CLUSTER = 100
"""Rows that a cluster should hold on average."""
SAMPLE = 20_000
"""Rows that clusters are looked for in."""


@dataclass(frozen=True)
class Clusters:
    """Clusters of the vectors of a column.

    Parameters
    ----------
    codes : int array of shape (n_rows,), the cluster of each row, most rows first; -1 where the vector is missing
    centres : str, as `InCluster` holds them
    n : int, clusters
    """

    codes: NDArray[np.intp]
    centres: str
    n: int

    def predicate(self, column: str, clusters: tuple[int, ...]) -> InCluster:
        """Rows of some of the clusters."""
        return InCluster(column, clusters, self.n, self.centres)


def clusters_of(vectors: NDArray[np.float32]) -> Clusters | None:
    """Clusters of vectors by k-means, on a draw of the rows; None for fewer than two.

    Centres are kept as half-precision numbers, and rows belong to the nearest of the centres as they are kept, so the
    clusters of another frame are told alike.

    Parameters
    ----------
    vectors : float array of shape (n_rows, n_dimensions), NaN where missing

    References
    ----------
    Arthur & Vassilvitskii 2007 (k-means++)
    """
    from sklearn.cluster import KMeans  # noqa: PLC0415 - heavy, and few tables hold vectors
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    known = np.flatnonzero(~np.isnan(vectors).any(axis=1))
    n = min(MOST_CLUSTERS, len(known) // ROWS_A_CLUSTER)
    if n < 2:  # noqa: PLR2004 - one cluster parts nothing
        return None
    drawn = known[np.linspace(0, len(known) - 1, min(len(known), SAMPLE)).astype(np.intp)]
    if len(np.unique(vectors[drawn], axis=0)) < n:
        return None
    with threadpool_limits(1):
        centres = KMeans(n, n_init=1, random_state=0).fit(vectors[drawn]).cluster_centers_
    first = nearest(vectors, packed_centres(centres))
    order = np.argsort(-np.bincount(first[first >= 0], minlength=n), kind="stable")
    kept = packed_centres(centres[order])
    return Clusters(nearest(vectors, kept), kept, n)
