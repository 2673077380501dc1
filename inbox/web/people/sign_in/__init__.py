"""Signing in, as pages: there and back, what a cookie stands for, and what each state says."""
