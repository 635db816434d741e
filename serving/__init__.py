"""The model and the scores it gives; imports `features`, never `training`."""
