"""Tests of the audit log; a package, since child processes run one of its modules."""
