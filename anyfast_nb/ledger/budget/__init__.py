"""Budgets: reserve, call, settle."""
