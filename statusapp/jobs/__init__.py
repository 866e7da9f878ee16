"""The RQ side: queues, the jobs themselves, their schedule, and the worker and scheduler processes."""
