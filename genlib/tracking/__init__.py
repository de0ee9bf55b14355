"""Trackers read a run's event log: TensorBoard, Weights & Biases, MLflow. Training knows none."""
