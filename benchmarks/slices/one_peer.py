"""One peer on one file of data, in its own environment: prints its cost and the slices that it reports as JSON.

    python one_peer.py PEER DATA.npz

The data hold `codes` (n x columns), `errors` (0 or 1) and `min_support`.
"""

from __future__ import annotations

import json
import resource
import sys
import time

import numpy as np

K, DEPTH = 10, 3


def sliceline(codes, errors, min_support):
    from sliceline.slicefinder import Slicefinder

    found = Slicefinder(alpha=0.95, k=K, max_l=DEPTH, min_sup=min_support, verbose=False).fit(codes + 1, errors)
    slices = [[(at, int(v) - 1) for at, v in enumerate(row) if v is not None] for row in found.top_slices_]
    return slices, [float(each["slice_score"]) for each in found.top_slices_statistics_]


def pysubgroup(codes, errors, min_support):
    import pandas as pd
    import pysubgroup as ps

    frame = pd.DataFrame({f"c{at}": codes[:, at].astype(str) for at in range(codes.shape[1])}).assign(e=errors > 0)
    task = ps.SubgroupDiscoveryTask(
        frame,
        ps.BinaryTarget("e", True),
        ps.create_nominal_selectors(frame, ignore=["e"]),
        result_set_size=K,
        depth=DEPTH,
        qf=ps.StandardQF(0.5),
        constraints=[ps.MinSupportConstraint(min_support)],
    )
    found = ps.DFS(ps.BitSetRepresentation).execute(task).to_descriptions()
    slices, scores = [], []
    for quality, rule, *_ in found:
        selectors = getattr(rule, "selectors", getattr(rule, "_selectors", ()))
        slices.append(sorted((int(s.attribute_name[1:]), int(s.attribute_value)) for s in selectors))
        scores.append(float(quality))
    return slices, scores


def divexplorer(codes, errors, min_support):
    import pandas as pd
    from divexplorer import DivergenceExplorer

    names = [f"c{at}" for at in range(codes.shape[1])]
    frame = pd.DataFrame(codes.astype(str), columns=names).assign(e=errors.astype(int))
    share = min_support / len(codes)
    found = DivergenceExplorer(frame).get_pattern_divergence(
        min_support=share, boolean_outcomes=["e"], attributes=names
    )
    found = found[(found["e_t"] > 2) & (found["e_div"] > 0)].sort_values("e_div", ascending=False)
    slices = [
        [(int(item.split("=")[0][1:]), int(item.split("=")[1])) for item in itemset] for itemset in found["itemset"]
    ]
    return slices, found["e_div"].tolist()


def ml_xray(codes, errors, min_support):
    import pandas as pd
    from ml_xray import SliceFinder

    frame = pd.DataFrame({f"c{at}": codes[:, at].astype(str) for at in range(codes.shape[1])})
    y = np.zeros(len(codes), dtype=int)
    finder = SliceFinder(max_depth=DEPTH, min_support=min_support, top_k=1000)
    finder.fit(frame, y, errors.astype(int))
    slices = list(finder.report())
    return [[str(item.describe())] for item in slices], [0.0] * len(slices)


def tree(codes, errors, min_support):
    from sklearn.preprocessing import OneHotEncoder
    from sklearn.tree import DecisionTreeClassifier

    hot = OneHotEncoder().fit_transform(codes)
    model = DecisionTreeClassifier(max_depth=DEPTH, min_samples_leaf=min_support, random_state=0).fit(hot, errors)
    leaves = model.apply(hot)
    worse = [leaf for leaf in np.unique(leaves) if errors[leaves == leaf].mean() > 1.2 * errors.mean()]
    return [[int(leaf)] for leaf in worse], [float(errors[leaves == leaf].mean()) for leaf in worse]


def main() -> None:
    data = np.load(sys.argv[2])
    peer = globals()[sys.argv[1]]
    warm = np.random.default_rng(0).integers(0, 3, (400, 3))
    peer(warm, (warm[:, 0] == 1).astype(float), 20)  # what is imported or compiled on first use
    start, wall = time.process_time(), time.perf_counter()
    slices, scores = peer(data["codes"].astype(np.int64), data["errors"], int(data["min_support"]))
    spent = {"cpu": time.process_time() - start, "wall": time.perf_counter() - wall}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print("RESULT " + json.dumps(spent | {"peak": peak, "slices": slices, "scores": scores}))


if __name__ == "__main__":
    main()
