"""Reframed estimators: a user's estimator that answers the same question in another form."""
