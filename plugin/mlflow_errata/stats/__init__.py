"""Arrays to numbers: intervals, distances, multiple testing, resampling."""
