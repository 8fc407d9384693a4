"""MLflow: the only room that imports it.

    payload.py      record -> metrics, tags and the row of a run list; no MLflow call, so it is tested without a server
    store.py        log and push: spool first, then upload within a deadline
    search.py       load a record; list experiments and runs by their tags
    experiments.py  an experiment by its name
    decisions.py    what people decided about labels, in files that no two people share
    slices.py       named slices of an experiment
    reviews.py      what people said about slices: a tag for each review
    evaluator.py    the `errata` evaluator of mlflow.models.evaluate
    autologging.py  a record for every score of a scikit-learn estimator
    dataset.py      mlflow.data.from_errata: columns that errata sees and the model does not
    context.py      the tag errata.version on every run; ERRATA_AUTOLOG=1
    silence.py      autologging off while trials refit

MLflow imports evaluator, dataset and context for every user of the environment, so this file imports nothing.
"""
