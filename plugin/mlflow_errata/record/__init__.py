"""Records: what errata found out about one run, as files. One writer, one reader, an integer schema version."""

from mlflow_errata.record.schema import SCHEMA, Dataset, Record

__all__ = ["SCHEMA", "Dataset", "Record"]
