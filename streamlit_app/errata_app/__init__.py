"""The errata app: reviews the records that were logged to MLflow. It reads, draws and computes nothing."""
