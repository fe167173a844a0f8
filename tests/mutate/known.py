# SPDX-License-Identifier: Apache-2.0
"""Mistakes that a whole suite once let pass: (name, file, the line as it stands, the wrong line).
@N@ is the mutation's number. They are always part of a run; where a line is gone, the run says so."""

KNOWN = []
