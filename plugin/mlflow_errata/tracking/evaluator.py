"""The `errata` evaluator of mlflow.models.evaluate. Imported by everybody's evaluations, so it stays small and lazy."""

from __future__ import annotations

import os
import warnings
from typing import Any

from mlflow.models.evaluation import EvaluationResult, ModelEvaluator


class ErrataEvaluator(ModelEvaluator):
    """Diagnoses the evaluated rows and logs the record into the run; never fails the user's evaluation.

    `evaluator_config={"errata": {...}}` takes the arguments of `mlflow_errata.diagnose` (time, id, group, weight,
    value, slice_by, scores, metric, task, train ...), where time, id, group and weight may also be arrays, and besides

    - metadata: DataFrame of further columns of the same rows, to slice on
    - strict: True raises errors of errata instead of warning
    """

    @classmethod
    def can_evaluate(cls, *, model_type: str, evaluator_config: dict[str, Any], **_: Any) -> bool:
        """Classifiers and regressors."""
        del evaluator_config
        return model_type in {"classifier", "regressor"}

    def evaluate(
        self,
        *,
        model_type: str,
        dataset: Any,
        run_id: str,
        evaluator_config: dict[str, Any],
        model: Any = None,
        model_id: str | None = None,
        **_: Any,
    ) -> EvaluationResult:
        """Diagnose, log, and hand the metrics back; an empty result with one warning if anything fails."""
        config = dict(evaluator_config or {})
        strict = bool(config.pop("strict", False))
        if os.environ.get("ERRATA_DISABLE"):
            return EvaluationResult({}, {}, run_id)  # type: ignore[no-untyped-call]
        try:
            from mlflow_errata.tracking.evaluation import diagnose_evaluation  # noqa: PLC0415 - loaded when used

            metrics = diagnose_evaluation(
                model_type, dataset, run_id, config, model=model, model_id=model_id, strict=strict
            )
        except Exception as cause:
            if strict:
                raise
            from mlflow_errata.errors.stored import NotEvaluated  # noqa: PLC0415
            from mlflow_errata.tracking.store import mark_failed  # noqa: PLC0415

            error = NotEvaluated(cause)
            warnings.warn(str(error), RuntimeWarning, stacklevel=2)
            mark_failed(run_id, str(error))
            return EvaluationResult({}, {}, run_id)  # type: ignore[no-untyped-call]
        return EvaluationResult(metrics, {}, run_id)  # type: ignore[no-untyped-call]
