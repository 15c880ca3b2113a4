"""The plan that brings a strategy into use: phases, tasks, gates, risks, a rollback, and targets for operation."""
