"""Tests of the module in a real Apache."""
