"""Tests that break something under load, and what they measure with."""
