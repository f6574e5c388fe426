"""Tests of background work; a package, since queued jobs are found by their import path."""
