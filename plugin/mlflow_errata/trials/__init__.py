"""What-if trials: candidate steps tried on the data within a time budget, and the gain that each measured."""
